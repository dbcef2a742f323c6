"""PCA on correlations: loading centres features and divides them by their standard deviations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from memwave.core.moments import Moments
from memwave.core.precision import load_shifted
from memwave.pca.model import Model
from memwave.storage import hdf5


class Standardizer:
    """Loads blocks as ``(stored - mean) / scale - shift``; replaces `load_shifted`.

    With such blocks, every solver computes the PCA of the correlation matrix without changes.

    Parameters
    ----------
    mean, scale : ndarray, shape (d,), float64
        Means and standard deviations of the features.
    dtype : {"float32", "float64"}
        Type of the blocks.
    """

    def __init__(self, mean: np.ndarray, scale: np.ndarray, dtype: str):
        self._mean, self.scale = mean.astype(dtype), scale
        self._inverse = (1 / scale).astype(dtype)

    @classmethod
    def of_moments(cls, moments: Moments, dtype: str) -> "Standardizer":
        """Create a standardizer from moments. The scale of a constant feature is 1."""
        scale = np.where(moments.std > 0, moments.std, 1.0)
        return cls(moments.mean, scale, dtype)

    @property
    def mean(self) -> np.ndarray:
        """The subtracted means, shape (d,), float64, rounded to the type of the blocks."""
        return self._mean.astype(np.float64)

    def load(self, stored: np.ndarray, shift: np.ndarray, out: np.ndarray) -> None:
        """Standardize rows, see `load_shifted`; `shift` is in units of standard deviations."""
        load_shifted(stored, self._mean, out)
        out *= self._inverse
        if shift.any():
            out -= shift

    def in_units(self, model: Model) -> Model:
        """Set mean and scale of a model of standardized features, in the units of the features."""
        model.mean = self.mean + model.mean * self.scale
        model.scale = self.scale
        return model


def save_moments(path: str | Path, moments: Moments) -> None:
    """Write the moments of one shard."""
    hdf5.save_arrays(path, moments.arrays())


def load_standardizer(paths: Sequence[str | Path], dtype: str) -> Standardizer | None:
    """Merge the moments of all shards in order; return None if `paths` is empty."""
    total: Moments | None = None
    for path in paths:
        moments = Moments.of_arrays(hdf5.load_arrays(path))
        if total is None:
            total = moments
        else:
            total.merge(moments)
    return None if total is None else Standardizer.of_moments(total, dtype)
