"""Projecting blocks of features onto a model, and measuring the model as they pass by."""

import numpy as np

from memwave.model import Model
from memwave.products import Products, products_bytes, squared_norms


class Projector:
    """Scores of rows, their reconstruction errors, and products that certify the model.

    Parameters
    ----------
    model : Model
        k components, d features.
    dtype : {"float32", "float64"}
        Type that blocks come in and products are computed in.

    Attributes
    ----------
    train : Products
        Of the rows that the model was fitted on, with the components.
    losses : ndarray, shape (2, 2)
        Sums over train and over test rows (first axis) of the squared distance from the mean and
        of the squared reconstruction error (second axis).
    """

    def __init__(self, model: Model, dtype: str):
        components = np.ascontiguousarray(model.components.T, dtype=dtype)
        self.train = Products(model.mean, components)
        # The rows come shifted by the mean as rounded to dtype; this is what is left of it.
        self._offset = (self.train.shift.astype(np.float64) - model.mean) @ model.components.T
        self.losses = np.zeros((2, 2))

    @property
    def shift(self) -> np.ndarray:
        """What is to be subtracted from the rows, shape (d,)."""
        return self.train.shift

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
        projected = self.train.project(block)
        norms = squared_norms(block)
        if is_train:
            self.train.add(block, projected, norms)
        scores = projected[:, :-1] + self._offset
        captured = np.einsum("ij,ij->i", scores, scores)
        errors = np.maximum(norms.astype(np.float64) - captured, 0.0)
        self.losses[0 if is_train else 1] += norms.sum(dtype=np.float64), errors.sum()
        return scores, errors


def residuals(model: Model, train: Products) -> tuple[np.ndarray, np.ndarray]:
    """How far the components are from eigenvectors of the covariance, measured.

    Parameters
    ----------
    model : Model
        With k components V and explained variances l.
    train : Products
        Of all rows the model was fitted on, with its components.

    Returns
    -------
    variances : ndarray, shape (k,)
        ``v' C v``: variance of the scores.
    norms : ndarray, shape (k,)
        ``||C v - l v||``. The covariance has an eigenvalue within that distance of l (Parlett,
        The Symmetric Eigenvalue Problem, theorem 4.5.1).
    """
    image = train.product / (train.count - 1)
    variances = np.einsum("ji,ij->i", image, model.components)
    return variances, np.linalg.norm(image - model.components.T * model.explained_variance, axis=0)


def project_bytes(d: int, k: int, itemsize: int, block_rows: int) -> int:
    """Memory of projecting a block, beside the block."""
    return products_bytes(d, k, itemsize) + 3 * 8 * d * k + block_rows * (k + 2) * (itemsize + 16)
