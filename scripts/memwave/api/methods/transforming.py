"""Rows to scores and back, block by block: methods of `memwave.PCA`."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np

from memwave.api.conventions.containers import Containers
from memwave.api.fitting import computing
from memwave.api.methods.fitted import Fitted
from memwave.api.planning import block_of_projection
from memwave.api.projecting import output
from memwave.api.projecting.blocks import projected, reconstruct
from memwave.core.errors import InvalidMatrix
from memwave.pca.model import Model
from memwave.pca.projection import Projector
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.objects import as_matrix


class Transforming(Fitted, Containers):
    """Methods of `memwave.PCA` that return or write scores, and rows of scores."""

    def transform(
        self, X: Any, *, out: Any = None, dtype: str | None = None, columns: int | None = None
    ) -> np.ndarray:
        """Project rows onto the components, block by block.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        out : path or array, optional
            A ``.npy`` file to write, or an array, map or dataset of shape (n_samples,
            n_components) to fill. By default a new array.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        ndarray, shape (n_samples, n_components)
            Scores, float32 or float64, as was computed; `out`, or a read-only map of the file. A
            DataFrame after `set_output`.
        """
        model = self._fitted()
        with self._opened(X, dtype, columns) as matrix:
            shape = (matrix.shape[0], model.n_components)
            computed = self._computed_in(matrix)
            rows = block_of_projection(self._plain_params(), model.n_features, computed)
            made: list[np.ndarray] = []
            with output.target(out, shape, computed, made, matrix) as store:
                if matrix.complete is not None:
                    store = output.spreading(store, matrix, shape[1], rows)
                for start, stop, scores, _ in self._projected(model, matrix, computed, rows):
                    store(start, stop, scores.astype(computed, copy=False))
        if not made:
            return output.result(out)
        return self._contained(made[0], list(self.get_feature_names_out()), X)

    def inverse_transform(self, X: Any, *, out: Any = None) -> np.ndarray:
        """Go back from scores to rows, block by block.

        Parameters
        ----------
        X : path or array, shape (n_samples, n_components)
            Scores.
        out : path or array, optional
            As for `transform`, shape (n_samples, n_features).

        Returns
        -------
        ndarray, shape (n_samples, n_features), float64
            The nearest points in the space of the components.
        """
        model = self._fitted()
        with as_matrix(X) as scores, computing():
            self._drop_missing(scores)
            if scores.shape[1] != model.n_components:
                raise InvalidMatrix(
                    f"{scores.path}: has {scores.shape[1]} columns, expected the "
                    f"{model.n_components} scores of this model."
                )
            shape = (scores.shape[0], model.n_features)
            rows = block_of_projection(self._plain_params(), model.n_features, "float64")
            made: list[np.ndarray] = []
            with (
                output.target(out, shape, "float64", made, scores) as store,
                closing(reconstruct(model, scores, rows, self._bar)) as found,
            ):
                if scores.complete is not None:
                    store = output.spreading(store, scores, shape[1], rows)
                for start, stop, values in found:
                    store(start, stop, values)
        return made[0] if made else output.result(out)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the scores: pca0, pca1, ..."""
        return np.array([f"pca{i}" for i in range(self._fitted().n_components)], dtype=object)

    def _projected(
        self, model: Model, matrix: Matrix, dtype: str, rows: int
    ) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        projector = Projector(model, dtype)
        with closing(projected(projector, matrix, dtype, rows, self._bar)) as found:
            yield from found
