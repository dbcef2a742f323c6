"""What a fit leaves in an estimator, and what is required of a matrix because of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from memwave.api.conventions.parameters import Parameters
from memwave.api.conventions.state import FITTED, fitted_value, not_fitted
from memwave.api.fitting import Certificate, computing, known_certificate
from memwave.api.streams.accumulator import Accumulator
from memwave.core.errors import InvalidMatrix
from memwave.core.precision import compute_dtype
from memwave.core.progress import Progress
from memwave.features.columns import MatrixSpec
from memwave.pca.model import Model
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.objects import as_matrix
from memwave.workflow.planning.memory.blocks import measuring_rows


class Fitted(Parameters):
    """An estimator that has a model, or the sums that a model is computed from when needed."""

    # Each is there only once it is known: a fit, a block of rows or a file sets it.
    _model: Model
    _certificate: Certificate | None
    _accumulator: Accumulator
    _summary_file: str
    _spec: MatrixSpec
    n_features_in_: int
    feature_names_in_: np.ndarray

    # Parameters that are used here.
    compute_dtype: str
    missing: str
    verbose: bool

    def _keep(self, model: Model, spec: MatrixSpec, certificate: Certificate | None) -> None:
        """Replace what was fitted before, all at once."""
        self._forget()
        self._model, self._spec = model, spec
        self._certificate = certificate
        self._keep_columns(spec)

    def _keep_columns(self, spec: MatrixSpec) -> None:
        self.n_features_in_ = spec.n_features
        if spec.names:
            self.feature_names_in_ = np.array(spec.names, dtype=object)

    def _forget(self) -> None:
        names = ("_model", "_accumulator", "_certificate", "feature_names_in_", "_summary_file")
        for name in names:
            self.__dict__.pop(name, None)

    def _fitted(self) -> Model:
        """Return the model; raises what scikit-learn raises if there is none."""
        if "_model" not in self.__dict__:
            accumulator = self.__dict__.get("_accumulator")
            if accumulator is None:
                raise not_fitted(type(self).__name__)
            with computing():
                self._model = accumulator.model()
            self._certificate = known_certificate(self._model)
        return self._model

    def __getattr__(self, name: str) -> Any:
        if name not in FITTED:
            if hasattr(type(self), name):  # a method that this solver does not have says why
                return object.__getattribute__(self, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return fitted_value(name, self._fitted(), self.__dict__.get("_certificate"))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(FITTED if self.__sklearn_is_fitted__() else ())})

    def __sklearn_is_fitted__(self) -> bool:
        return "_model" in self.__dict__ or "_accumulator" in self.__dict__

    @contextmanager
    def _opened(
        self, X: Any, dtype: str | None = None, columns: int | None = None
    ) -> Iterator[Matrix]:
        """Open rows of the columns that were fitted; without missing values, if that is wanted."""
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._require_same_columns(matrix)
            self._drop_missing(matrix)
            yield matrix

    def _drop_missing(self, matrix: Matrix) -> None:
        """Leave rows with missing values out, if that is wanted."""
        if self.missing != "drop":
            return
        progress = self._bar(matrix.shape[0], "look for missing values")
        try:
            matrix.drop_missing(measuring_rows(matrix.shape[1]), progress.add)
        finally:
            progress.close()

    def _require_width(self, matrix: Matrix, n_features: int) -> None:
        if matrix.shape[1] != n_features:
            raise InvalidMatrix(
                f"X has {matrix.shape[1]} features, but {type(self).__name__} is expecting "
                f"{n_features} features as input ({matrix.path}; every block has the columns of "
                "the rows it was fitted to)."
            )

    def _require_same_columns(self, matrix: Matrix) -> None:
        """Require the columns that were fitted, by number and, where both have them, by name."""
        self._require_columns(matrix, self._fitted().n_features, self._spec.names)

    def _require_columns(
        self, matrix: Matrix, n_features: int, names: Sequence[str] | None
    ) -> None:
        self._require_width(matrix, n_features)
        if not (names and matrix.names):
            return
        for i, (name, expected) in enumerate(zip(matrix.names, names, strict=True)):
            if name != expected:
                raise InvalidMatrix(
                    f"{matrix.path}: column {i} is called {name!r}, expected {expected!r}. The "
                    "feature names should match those that were passed during fit."
                )

    def _computed_in(self, matrix: Matrix) -> str:
        return compute_dtype(self.compute_dtype, matrix.dtype.newbyteorder("=").name)

    def _bar(self, total: int, label: str) -> Progress:
        return Progress(total, label, on_terminal=self.verbose)
