"""Models that take in rows block by block, also after they were saved, and that are merged."""

import copy
import os
import warnings
from typing import Any, Self

import numpy as np

from memwave.api.fitting import computing
from memwave.api.methods.fitted import Fitted
from memwave.api.planning import FitPlan, InvalidParameter, spec_of
from memwave.api.streams.accumulator import Accumulator, plan_stream
from memwave.api.streams.one_pass import available_with_one_pass
from memwave.core.errors import InvalidMatrix
from memwave.core.messages import shown
from memwave.features.columns import MatrixSpec
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.objects import as_matrix
from memwave.results.model_file import has_summary, load_given, load_summary

# What of a plan is stored with a summary.
PLANNED = ("model", "dtype", "block_rows", "memory_mb", "select")


class Updating(Fitted):
    """Methods of `memwave.PCA` that add rows to the sums that a model is computed from."""

    @available_with_one_pass
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        check_input: bool = True,
        dtype: str | None = None,
        columns: int | None = None,
    ) -> Self:
        """Take in a block of rows; blocks may come from anywhere, and are not kept.

        Parameters
        ----------
        X : array or path, shape (n_samples, n_features)
            As for `fit`.
        y : None
            Ignored.
        check_input : bool
            Ignored; for programs that call scikit-learn's `IncrementalPCA`.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        PCA
            This object. The model is computed when an attribute of it is asked for. `fit` begins
            anew.

        Raises
        ------
        MemwaveError
            If the solver reads rows several times (``gram``, ``randomized``), as an AttributeError,
            or if `X` is no matrix of finite numbers, or has other columns than the first block.
            Nothing of such a block is added.

        Warns
        -----
        UserWarning
            If there is a model that kept no sums over its rows, such as one that `fit` made: the
            block begins a new model, without these rows.
        """
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._drop_missing(matrix)
            is_first = not {"_accumulator", "_summary_file"} & set(self.__dict__)
            if is_first and not matrix.n_rows:
                return self
            if is_first:
                accumulator, spec = self._started(matrix, matrix.n_rows)
            else:
                accumulator, spec = self._summed(), self._spec
            self._require_columns(matrix, accumulator.n_features, spec.names)
            if not is_first:
                accumulator.check(matrix)
            self._add(accumulator, matrix)
            if is_first:
                self._start_anew()
            self._accumulator, self._spec = accumulator, spec
            self._keep_columns(spec)
            self.__dict__.pop("_model", None)
        return self

    def update(self, X: Any, *, dtype: str | None = None, columns: int | None = None) -> Self:
        """Add rows to a model that kept its summary.

        The model is then that of all rows, exact for the solver ``covariance``: only rounding
        depends on how the rows were divided. Only the new rows are read.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        PCA
            This object. If it fails, it is as it was before.

        Raises
        ------
        MemwaveError
            If the model has no summary, or the columns are others.

        Notes
        -----
        A summary is kept by `partial_fit`, and by a file that ``save(path, summary=True)`` wrote.
        Two copies of the summary are in memory meanwhile: for d columns and ``covariance``, 8 d**2
        bytes together.
        """
        with self._opened(X, dtype, columns) as matrix:
            updated = copy.deepcopy(self._summed())
            self._add(updated, matrix)
        return self._summed_anew(updated)

    def merge(self, other: "Updating") -> Self:
        """Add all rows of another model, of which both kept their summaries.

        Parameters
        ----------
        other : PCA
            Of the same columns, by the same solver. It is left as it is.

        Returns
        -------
        PCA
            This object, the model of all rows; see `update`.

        Raises
        ------
        MemwaveError
            If one of them has no summary, or they do not fit together.
        """
        if not isinstance(other, Updating):
            raise InvalidParameter(f"the other model is {shown(other)}, expected a memwave.PCA.")
        if other is self:
            raise InvalidParameter("the other model is this one: its rows would count twice.")
        mine, theirs = self._summed(), other._summed()
        if mine.n_features != theirs.n_features:
            raise InvalidMatrix(
                f"the other model is of {theirs.n_features} columns, expected {mine.n_features} as "
                "this one has."
            )
        names = (self._spec.names, other._spec.names)
        if all(names) and names[0] != names[1]:
            raise InvalidMatrix(
                "the columns of the other model have other names, or another order. Merge models "
                "of the same columns."
            )
        for what in ("solver", "inner_rank"):
            found = theirs.plan.model.get(what), mine.plan.model.get(what)
            if found[0] != found[1]:
                raise InvalidParameter(
                    f"the other model has {what} {found[0]!r}, expected {found[1]!r} as this one "
                    "has."
                )
        with computing():
            merged = copy.deepcopy(mine)
            merged.merge(theirs)
        return self._summed_anew(merged)

    def _add(self, accumulator: Accumulator, block: Matrix) -> None:
        progress = self._bar(block.n_rows, "add rows")
        try:
            accumulator.add(block, progress.add)
        finally:
            progress.close()

    def _start_anew(self) -> None:
        if "_model" in self.__dict__:
            text = (
                "partial_fit begins a new model: the rows that were fitted before are not in it, "
                "since fit keeps no sums over them. Call partial_fit only, or use a new PCA."
            )
            warnings.warn(text, stacklevel=4)
        self._forget()

    def _started(self, block: Matrix, n_rows: int | None) -> tuple[Accumulator, MatrixSpec]:
        """Sums of no rows yet, for blocks like this one; of so many rows, if it is the only one."""
        spec = spec_of(block)
        plan = plan_stream(self._plain_params(), spec, n_rows)
        return Accumulator(plan, spec.n_features), spec

    def _summed(self) -> Accumulator:
        """The sums of all rows so far; they are read from the model's file where they are there."""
        accumulator = self.__dict__.get("_accumulator")
        if accumulator is None and "_summary_file" in self.__dict__:
            self._require_unchanged(self._summary_file)
            accumulator = restored(self._summary_file)
            self._accumulator = accumulator
        if accumulator is None:
            raise InvalidParameter(
                "this model has no summary, which more rows are added to. Fit with partial_fit, "
                "which keeps one, and save with summary=True; in a shell, memwave pca --summary."
            )
        return accumulator

    def _require_unchanged(self, path: str) -> None:
        """Require that the file that a summary is read from still has the model that was loaded."""
        found, model = load_given(path), self._fitted()
        same = found.n_samples == model.n_samples and np.array_equal(found.mean, model.mean)
        if not (same and has_summary(path)):
            raise InvalidParameter(
                f"{path}: is another model than when it was loaded, or has no summary any more. "
                "Load it again."
            )

    def _summed_anew(self, accumulator: Accumulator) -> Self:
        self._forget()
        self._accumulator = accumulator
        self._keep_columns(self._spec)
        return self


def stored(accumulator: Accumulator) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a file keeps of sums over rows: facts, and arrays by name."""
    facts = {name: getattr(accumulator.plan, name) for name in PLANNED}
    return facts, accumulator.total().arrays()


def restored(path: str | os.PathLike) -> Accumulator:
    """Read the sums that a model was computed from.

    Raises
    ------
    MemwaveError
        If the file has none, or is damaged.
    """
    facts, arrays = load_summary(os.fspath(path))
    accumulator = Accumulator(FitPlan(shards=1, **facts), len(arrays["mean"]))
    accumulator.restore(arrays)
    return accumulator
