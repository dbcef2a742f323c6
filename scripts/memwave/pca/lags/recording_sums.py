"""Lag sums of recordings, for solvers that need no features."""

from collections.abc import Iterator, Sequence

import numpy as np

from memwave.core.progress import Progress
from memwave.core.ranges import spans
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import LagSums, SignalWindows, chunks_of, sum_lags, windows_of
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import PreparedRecording, open_prepared
from memwave.recordings.segments import Segment

# Number of places of a segment that are sampled for the shift, and rows read at each.
PLACES, PLACE_ROWS = 16, 64


def sums_of_segments(
    spec: FeatureSpec,
    scaling: Scaling | None,
    segments: Sequence[Segment],
    at_once: int,
    progress: Progress,
) -> Iterator[LagSums]:
    """Yield the lag sums of segments, `at_once` of them together.

    Raises
    ------
    MemwaveError
        If a recording differs from the plan or has a value that is not finite.
    """
    for start, stop in spans(0, len(segments), at_once):
        yield _batch_sums(spec, scaling, segments[start:stop], progress)


def _batch_sums(
    spec: FeatureSpec, scaling: Scaling | None, segments: Sequence[Segment], progress: Progress
) -> LagSums:
    """Return the sum of the lag sums of a few segments."""
    windows = windows_of(spec)
    batch = LagSums.none(windows)
    for segment in segments:
        with open_prepared(segment.recording, spec.channels, scaling) as recording:
            shift = _sample_mean(recording, *windows.rows(segment.first, segment.count))
            chunks = _read_chunks(recording, windows, segment, progress)
            batch.add(sum_lags(windows, chunks, shift))
    return batch


def _read_chunks(
    recording: PreparedRecording, windows: SignalWindows, segment: Segment, progress: Progress
) -> Iterator[np.ndarray]:
    """Yield the rows that the windows of a segment cover, in the chunks of `sum_lags`."""
    first = segment.first * windows.step
    for low, high in chunks_of(windows, segment.count):
        yield recording.read(first + low, first + high)
        progress.add(windows.count(high - low))


def _sample_mean(recording: PreparedRecording, start: int, stop: int) -> np.ndarray:
    """Return the mean of some of the rows ``start:stop``, float64, shape (n_channels,).

    It is so close to the mean of all rows that sums of squares about it lose no digits.
    """
    length = min(PLACE_ROWS, stop - start)
    last = stop - start - length
    places = sorted({start + last * i // (PLACES - 1) for i in range(PLACES)})
    rows = [recording.read(place, place + length) for place in places]
    return np.concatenate(rows).mean(axis=0, dtype=np.float64)
