"""Moments of the features of each shard on disk, and what they standardize to together."""

from collections.abc import Sequence
from pathlib import Path

from memwave.core.moments import Moments
from memwave.pca.standardizer import Standardizer
from memwave.storage import hdf5


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
