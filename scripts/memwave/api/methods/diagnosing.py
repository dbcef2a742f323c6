"""How well rows fit a model: methods of `memwave.PCA`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from memwave.api.fitting import computing
from memwave.api.methods.transforming import Transforming
from memwave.api.planning import block_of_projection, checked_levels
from memwave.api.projecting import output
from memwave.pca.diagnostics.contributions import contributions
from memwave.pca.diagnostics.monitored import LEVELS, Monitoring, compared
from memwave.pca.model import t2_weights
from memwave.readers.matrices.objects import as_matrix


class Diagnosing(Transforming):
    """Methods of `memwave.PCA` that judge rows: likelihood, T2 and SPE, contributions."""

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log-likelihood of rows under probabilistic PCA.

        Tipping and Bishop, "Probabilistic principal component analysis", J. Royal Statistical
        Society B 61 (1999), equation 4: a Gaussian with the explained variances along the
        components, and the noise variance along all other directions.
        """
        model = self._fitted()
        noise, rest = model.noise_variance, model.n_features - model.n_components
        variances = model.explained_variance
        total = 0.0
        with self._opened(X) as matrix, np.errstate(divide="ignore"):
            matrix.require_rows()
            computed = self._computed_in(matrix)
            rows = block_of_projection(self._plain_params(), model.n_features, computed)
            for _, _, scores, errors in self._projected(model, matrix, computed, rows):
                total += float((scores**2 / variances).sum())
                total += float(errors.sum() / noise) if rest else 0.0
            logarithms = float(np.log(variances).sum()) + (
                rest * float(np.log(noise)) if rest else 0.0
            )
        constant = model.n_features * math.log(2 * math.pi) + logarithms
        return -0.5 * (constant + total / matrix.n_rows)

    def monitor(
        self,
        X: Any,
        *,
        levels: float | Sequence[float] = LEVELS,
        is_train: bool = False,
        dtype: str | None = None,
        columns: int | None = None,
    ) -> Monitoring:
        """Say how unlike the fitted rows each row is: Hotelling's T2 and SPE, with limits.

        The limits are those of independent rows of a normal distribution (F or beta distribution,
        and Jackson and Mudholkar's formula, or Box's where the solver knows too little). Compare
        the shares of known rows above them with ``1 - levels`` before you trust them.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        levels : float or sequence of float
            Share of ordinary rows below each limit.
        is_train : bool
            Whether these are the rows that the model was fitted to.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        Monitoring
            Four arrays of `n_samples` numbers, and the limits. Rows that ``missing="drop"``
            leaves out have NaN, and are above no limit.
        """
        model, given = self._fitted(), checked_levels(levels)
        with self._opened(X, dtype, columns) as matrix:
            computed = self._computed_in(matrix)
            rows = block_of_projection(self._plain_params(), model.n_features, computed)
            both, weights = np.empty((2, matrix.shape[0])), t2_weights(model)
            store = output.array_store(both.T)
            if matrix.complete is not None:
                store = output.spreading(store, matrix, 2, rows)
            for start, stop, scores, errors in self._projected(model, matrix, computed, rows):
                found = np.vecdot(scores * weights, scores)
                store(start, stop, np.column_stack([found, errors]))
        return compared(model, both[0], both[1], given, is_train=is_train)

    def contributions(
        self, X: Any, *, dtype: str | None = None, columns: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Divide Hotelling's T2 and SPE of some rows among the columns.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            The rows in question: the result has as many numbers as they have.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        t2, spe : ndarray, shape (n_samples, n_features), float64
            Their sums over the columns are the statistics of `monitor`. A negative contribution to
            T2 pulls the row towards the mean. Rows that ``missing="drop"`` leaves out have NaN.
        """
        model = self._fitted()
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._require_same_columns(matrix)
            self._drop_missing(matrix)
            (rows,) = matrix.ranges(1)
            t2, spe = contributions(model, rows.rows(0, rows.shape[0]))
            return output.spread(t2, matrix), output.spread(spe, matrix)
