"""Projection of blocks of features onto a model; the same pass measures the model."""

import numpy as np

from memwave.core.moments import Moments
from memwave.core.precision import Load, load_shifted, needed_shift, require_no_overflow
from memwave.pca.diagnostics.certificate import is_measured
from memwave.pca.linalg.covariance_products import CovarianceProducts, products_bytes, squared_norms
from memwave.pca.model import Model, t2_weights
from memwave.pca.solvers import solver_module
from memwave.pca.standardizer import Standardizer


class Projector:
    """Computes scores of rows, reconstruction errors, and the sums that certify the model.

    Parameters
    ----------
    model : Model
        k components, d features.
    dtype : {"float32", "float64"}
        Type of the blocks and of the products; see `projection_dtype`.

    Attributes
    ----------
    load : callable
        Converts stored rows to blocks; see `memwave.pca.streaming.blocks`.
    shift : ndarray, shape (d,)
        Vector to subtract from the rows: the mean, or zeros if no shift is needed.
    moments : ndarray, shape (2, k)
        Sums of the scores and of their squares over the train rows.
    train : CovarianceProducts or None
        Covariance products of the train rows with the components, unless the projected features
        are not those of the fit.
    error_sums : ndarray, shape (2, 2)
        Sums over train and over test rows (first axis) of the squared distance from the mean and
        of the squared reconstruction error (second axis).
    errors : Moments
        Of the squared reconstruction errors of the train rows.
    """

    def __init__(self, model: Model, dtype: str):
        self.load: Load = load_shifted
        self.shift = needed_shift(model.mean, model.total_variance).astype(dtype)
        # Rows are shifted by the mean rounded to dtype, or by 0. This is the rest of the mean.
        rest = model.mean - self.shift.astype(np.float64)
        if model.scale is not None:
            standardizer = Standardizer(model.mean, model.scale, dtype)
            self.load, self.shift = standardizer.load, np.zeros(model.n_features, dtype)
            rest = (model.mean - standardizer.mean) / model.scale
        self._offset, self._rest_squared = rest @ model.components.T, float(rest @ rest)
        self._k = k = model.n_components
        self._basis = np.zeros((padded(k + 1), model.n_features), dtype)
        self._basis[:k], self._basis[k] = model.components, rest
        self.train: CovarianceProducts | None = None
        if is_measured(model):
            self.train = CovarianceProducts(self.shift, np.ascontiguousarray(self._basis[:k].T))
        self._weights = t2_weights(model)
        self.moments = np.zeros((2, k))
        self.error_sums = np.zeros((2, 2))
        self.errors = Moments(1)

    @property
    def n_components(self) -> int:
        return self._k

    @property
    def n_features(self) -> int:
        return int(self._basis.shape[1])

    def project(self, block: np.ndarray, *, is_train: bool) -> tuple[np.ndarray, np.ndarray]:
        """Project a block of shifted rows.

        Parameters
        ----------
        block : ndarray, shape (n, d)
        is_train : bool
            Whether these are train rows.

        Returns
        -------
        scores : ndarray, shape (n, k), float64
        errors : ndarray, shape (n,), float64
            Squared distance of each row from its reconstruction.
        """
        # B Y' instead of Y B': measured to be faster with the smaller matrix first.
        projected = (self._basis @ block.T).T
        norms = squared_norms(block)
        scores = projected[:, : self._k] - self._offset
        # For row x = y + s and mean m = s + r: |x - m|^2 = |y|^2 - 2 y'r + |r|^2.
        distances = norms.astype(np.float64) - 2.0 * projected[:, self._k] + self._rest_squared
        if is_train and self.train is not None:
            projected[:, self._k] = 1.0
            self.train.add(block, projected[:, : self._k + 1], norms)
        return scores, self.take_in(scores, distances, is_train=is_train)

    def hotelling_t2(self, scores: np.ndarray) -> np.ndarray:
        """Squared distance of each row from the mean, in units of the explained variances, (n,)."""
        return np.vecdot(scores * self._weights, scores)

    def take_in(self, scores: np.ndarray, distances: np.ndarray, *, is_train: bool) -> np.ndarray:
        """Add rows to the sums, given their scores and squared distances from the mean.

        Returns
        -------
        ndarray, shape (n,), float64
            Squared distance of each row from its reconstruction.
        """
        errors = np.maximum(distances - np.vecdot(scores, scores), 0.0)
        self.error_sums[0 if is_train else 1] += distances.sum(), errors.sum()
        if is_train:
            with np.errstate(over="ignore", invalid="ignore"):  # then no limit is known
                self.errors.update(errors[:, None])
        require_no_overflow(self.error_sums)
        if is_train:
            self.moments += scores.sum(axis=0), np.einsum("ij,ij->j", scores, scores)
        return errors


def moments_of_errors(errors: Moments) -> np.ndarray:
    """What the squared errors of rows tell of the residual eigenvalues, shape (3,).

    See `Model.residual_moments`; of the cubes nothing is known. The squared length of a normal
    vector has as its variance twice the sum of the squared eigenvalues of its covariance.
    """
    mean, variance = float(errors.mean[0]), float(errors.std[0]) ** 2
    return np.array([mean, variance / (2 * mean) if mean > 0 else 0.0, np.nan])


def features_of(model: Model, scores: np.ndarray) -> np.ndarray:
    """Reconstruct features from scores.

    Parameters
    ----------
    model : Model
        k components, d features.
    scores : ndarray, shape (n, k)

    Returns
    -------
    ndarray, shape (n, d), float64
        The point of the component subspace that is nearest to each row of features. Its squared
        distance from the row is the ``reconstruction_error``, in units of squared standard
        deviations if the model standardizes.
    """
    centred = scores.astype(np.float64) @ model.components
    if model.scale is not None:
        centred *= model.scale
    centred += model.mean
    return centred


def projection_dtype(model: dict, dtype: str) -> str:
    """The type that a projection is computed in.

    Where it measures the model, float64: it is to find what the fit lost by computing in `dtype`.

    Parameters
    ----------
    model : dict
        Complete entry of ``models`` in the configuration.
    dtype : {"float32", "float64"}
        Type that the fit computes in.
    """
    measured = "apply" not in model and not solver_module(model["solver"]).Solver.FROM_SIGNAL
    return "float64" if measured else dtype


def padded(columns: int) -> int:
    """Round up to a multiple of four: BLAS kernels process four columns at a time."""
    return -(-columns // 4) * 4


def captured_variance(moments: np.ndarray, count: int) -> np.ndarray:
    """Return the variance of the scores, shape (k,), from the moments of all `count` train rows."""
    total, squares = moments
    return (squares - total * total / count) / (count - 1)


def project_bytes(d: int, k: int, itemsize: int, block_rows: int) -> int:
    """Memory, in bytes, of projecting a block, without the block."""
    products = products_bytes(d, k, itemsize) + itemsize * d * padded(k + 1)
    return products + 3 * 8 * d * k + block_rows * padded(k + 1) * (itemsize + 24)
