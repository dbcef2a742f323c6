"""Features of a few windows of a projection, read where they are: shards, a matrix, recordings."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.ranges import count_rows
from memwave.features import sliding
from memwave.features.checks import check_features
from memwave.features.columns import MatrixSpec, RowSources
from memwave.features.sliding import FeatureBlocks
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import open_prepared
from memwave.recordings.segments import PlannedRecording
from memwave.recordings.valid_windows import load_valid
from memwave.storage.rows import Rows
from memwave.storage.shards import Shard


@dataclass(frozen=True)
class Places:
    """Where windows are.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Rows of the projection, ascending.
    recordings, start_rows : ndarray, shape (n,)
        Index of the recording of each window, and its first row there.
    """

    rows: np.ndarray
    recordings: np.ndarray
    start_rows: np.ndarray


def read_rows(
    sources: RowSources,
    places: Places,
    shards: Sequence[str | Path] = (),
    valid: Sequence[str | Path] = (),
    scaling: Scaling | None = None,
    *,
    rounded: bool = True,
) -> Iterator[np.ndarray]:
    """Read the features of windows, one window at a time.

    Parameters
    ----------
    sources : RowSources
    places : Places
    shards : sequence of path
        Files of features; none if the features are not stored, or are those of a matrix.
    valid : sequence of path
        Outputs of `find_gaps` for all shards, if windows are dropped.
    scaling : Scaling, optional
        Of the channels, if features are not stored.
    rounded : bool
        Whether features that are not stored are rounded to the type of the feature set.

    Yields
    ------
    ndarray, shape (d,), float64

    Raises
    ------
    MemwaveError
        If a shard has another number of rows than planned, or a recording cannot be read.
    """
    if not shards and not sources.matrix:
        assert isinstance(sources.spec, FeatureSpec)
        spec = sources.spec if rounded else replace(sources.spec, dtype="float64")
        yield from _of_recordings(spec, sources.recordings, places, scaling)
        return
    kept = [load_valid(path) for path in valid]
    lengths = np.array([count_rows(ranges) for ranges in kept] or sources.lengths)
    ends = np.cumsum(lengths)
    found = np.searchsorted(ends, places.rows, side="right")
    for i in np.unique(found).tolist():
        opened: AbstractContextManager[Rows] = (
            sources.matrix[i].open(kept[i] if kept else None)
            if sources.matrix
            else Shard(shards[i])
        )
        with opened as stored:
            if stored.shape[0] != lengths[i]:
                raise MemwaveError(
                    f"{stored.path}: has {stored.shape[0]} rows, expected {lengths[i]} as planned. "
                    "Delete it and run again, if it is a result."
                )
            for row in (places.rows[found == i] - (ends[i] - lengths[i])).tolist():
                yield stored.rows(row, row + 1)[0].astype(np.float64)


def _of_recordings(
    spec: FeatureSpec,
    recordings: Sequence[PlannedRecording],
    places: Places,
    scaling: Scaling | None,
) -> Iterator[np.ndarray]:
    """Compute the features of windows from their recordings."""
    for i in np.unique(places.recordings).tolist():
        with open_prepared(recordings[i], spec.channels, scaling) as prepared:
            for start in places.start_rows[places.recordings == i].tolist():
                window = start // spec.step
                features = np.empty((1, spec.n_features), spec.dtype)
                rows = prepared.read_windows(spec.windows, window, 1)
                if not FeatureBlocks(spec).fill(rows, features):
                    check_features(features, window, recordings[i], spec)
                yield features[0].astype(np.float64)


def single_row_bytes(spec: FeatureSpec | MatrixSpec) -> int:
    """Memory of reading the features of one window, without that of the libraries that read it."""
    row = 4 * 8 * spec.n_features
    if isinstance(spec, MatrixSpec):
        return row + spec.reading_bytes(1)
    return row + sliding.working_bytes(spec, 1) + 4 * 8 * spec.window * spec.n_channels
