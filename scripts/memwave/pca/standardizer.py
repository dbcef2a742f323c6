"""PCA on correlations: features are centred and divided by their standard deviations on loading."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from memwave.core.moments import Moments
from memwave.core.precision import load_shifted
from memwave.pca.model import Model
from memwave.storage import hdf5


class Standardizer:
    """Loads blocks as ``(stored - mean) / scale - shift``, in place of `load_shifted`.

    A solver that is given such blocks works on the correlations, and knows nothing of it.

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
        """Of features with these moments; a constant feature is not divided."""
        scale = np.where(moments.std > 0, moments.std, 1.0)
        return cls(moments.mean, scale, dtype)

    @property
    def mean(self) -> np.ndarray:
        """What is subtracted, shape (d,): the means as they are in the type of the blocks."""
        return self._mean.astype(np.float64)

    def load(self, stored: np.ndarray, shift: np.ndarray, out: np.ndarray) -> None:
        """See `load_shifted`; `shift` is in units of standard deviations."""
        load_shifted(stored, self._mean, out)
        out *= self._inverse
        if shift.any():
            out -= shift

    def in_units(self, model: Model) -> Model:
        """Give a model of standardized features their mean, and say how they are scaled."""
        model.mean = self.mean + model.mean * self.scale
        model.scale = self.scale
        return model


def save_moments(path: str | Path, moments: Moments) -> None:
    """Write the moments of one shard."""
    hdf5.save_arrays(path, moments.arrays())


def load_standardizer(paths: Sequence[str | Path], dtype: str) -> Standardizer | None:
    """Merge the moments of all shards, in their order; None if there are none to merge."""
    total: Moments | None = None
    for path in paths:
        moments = Moments.of_arrays(hdf5.load_arrays(path))
        if total is None:
            total = moments
        else:
            total.merge(moments)
    return None if total is None else Standardizer.of_moments(total, dtype)
