"""Projecting blocks of features onto a model, and measuring the model as they pass by."""

import numpy as np

from memwave.core.precision import Load, load_shifted, needed_shift
from memwave.pca.linalg.covariance_products import CovarianceProducts, products_bytes, squared_norms
from memwave.pca.model import Model
from memwave.pca.standardizer import Standardizer


class Projector:
    """Scores of rows, their reconstruction errors, and what certifies the model.

    Parameters
    ----------
    model : Model
        k components, d features.
    dtype : {"float32", "float64"}
        Type that blocks come in and products are computed in.

    Attributes
    ----------
    load : callable
        Makes blocks of stored rows; see `memwave.pca.streaming.blocks`.
    shift : ndarray, shape (d,)
        What is to be subtracted from the rows: their mean, or nothing where that will do.
    moments : ndarray, shape (2, k)
        Sums of the scores and of their squares over the rows that the model was fitted on.
    train : CovarianceProducts or None
        Products of those rows with the components, unless the model knows its residuals.
    error_sums : ndarray, shape (2, 2)
        Sums over train and over test rows (first axis) of the squared distance from the mean and
        of the squared reconstruction error (second axis).
    """

    def __init__(self, model: Model, dtype: str):
        self.load: Load = load_shifted
        self.shift = needed_shift(model.mean, model.total_variance).astype(dtype)
        # The rows come shifted, if at all, by the mean as rounded to dtype; this is left of it.
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
        if model.residual is None:
            self.train = CovarianceProducts(self.shift, np.ascontiguousarray(self._basis[:k].T))
        self.moments = np.zeros((2, k))
        self.error_sums = np.zeros((2, 2))

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
            Whether the model was fitted on these rows.

        Returns
        -------
        scores : ndarray, shape (n, k), float64
        errors : ndarray, shape (n,), float64
            Squared distance of each row from its reconstruction.
        """
        # (Y B')' = B Y': with the few columns first this stage was measured to be the faster.
        projected = (self._basis @ block.T).T
        norms = squared_norms(block)
        scores = projected[:, : self._k] - self._offset
        # About the mean: |x - m|^2 = |y|^2 - 2 y'r + |r|^2, for a row x = y + s and m = s + r.
        distances = norms.astype(np.float64) - 2.0 * projected[:, self._k] + self._rest_squared
        if is_train and self.train is not None:
            projected[:, self._k] = 1.0
            self.train.add(block, projected[:, : self._k + 1], norms)
        return scores, self.take_in(scores, distances, is_train=is_train)

    def take_in(self, scores: np.ndarray, distances: np.ndarray, *, is_train: bool) -> np.ndarray:
        """Count rows of which scores and squared distances from the mean are known.

        Returns
        -------
        ndarray, shape (n,), float64
            Squared distance of each row from its reconstruction.
        """
        errors = np.maximum(distances - np.vecdot(scores, scores), 0.0)
        self.error_sums[0 if is_train else 1] += distances.sum(), errors.sum()
        if is_train:
            self.moments += scores.sum(axis=0), np.einsum("ij,ij->j", scores, scores)
        return errors


def features_of(model: Model, scores: np.ndarray) -> np.ndarray:
    """Return the features that scores stand for.

    Parameters
    ----------
    model : Model
        k components, d features.
    scores : ndarray, shape (n, k)

    Returns
    -------
    ndarray, shape (n, d), float64
        The nearest point to each row of features in the space of the components. Its squared
        distance, in deviations if the model standardizes, is the row's ``reconstruction_error``.
    """
    centred = scores.astype(np.float64) @ model.components
    if model.scale is not None:
        centred *= model.scale
    centred += model.mean
    return centred


def padded(columns: int) -> int:
    """Columns that BLAS multiplies as fast: its kernels take four at a time."""
    return -(-columns // 4) * 4


def captured_variance(moments: np.ndarray, count: int) -> np.ndarray:
    """Variance of the scores, shape (k,), of `Projector.moments` of all rows fitted on."""
    total, squares = moments
    return (squares - total * total / count) / (count - 1)


def residuals(model: Model, train: CovarianceProducts) -> np.ndarray:
    """How far the components are from eigenvectors of the covariance, measured.

    Parameters
    ----------
    model : Model
        With k components V and explained variances l.
    train : CovarianceProducts
        Of all rows the model was fitted on, with its components.

    Returns
    -------
    ndarray, shape (k,)
        ``||C v - l v||``. The covariance has an eigenvalue within that distance of l (Parlett,
        The Symmetric Eigenvalue Problem, theorem 4.5.1).
    """
    image = train.product / (train.count - 1)
    return np.linalg.norm(image - model.components.T * model.explained_variance, axis=0)


def project_bytes(d: int, k: int, itemsize: int, block_rows: int) -> int:
    """Memory of projecting a block, beside the block."""
    products = products_bytes(d, k, itemsize) + itemsize * d * padded(k + 1)
    return products + 3 * 8 * d * k + block_rows * padded(k + 1) * (itemsize + 24)
