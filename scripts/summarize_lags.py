"""Sum lagged products of recordings over the windows of a shard, for solvers without features."""

from collections.abc import Iterator, Sequence

import numpy as np

from memwave.core.progress import Progress
from memwave.core.ranges import spans
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lag_file import save_lags
from memwave.pca.lags.lags import LagSums, SignalWindows, chunks_of, sum_lags, windows_of
from memwave.pca.solvers.lag_covariance import BATCH_SEGMENTS, batch_bytes
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import PreparedRecording, load_reading, open_prepared
from memwave.recordings.segments import Segment, count_windows, recordings_of
from memwave.recordings.valid_windows import valid_segments
from memwave.results.extraction import load_scaling
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.model import LagSummary

# Number of places of a segment that are sampled for the shift, and rows read at each.
PLACES, PLACE_ROWS = 16, 64


def summarize_lags(
    request: LagSummary, *, summary: str, channels: str | None = None, valid: str | None = None
) -> None:
    """Compute the lag sums of the windows of one shard.

    Parameters
    ----------
    request : LagSummary
    summary : path
        The HDF5 file to write: the lag sums for the solver to merge.
    channels : path, optional
        Output of `measure_channels`, or a model, if the channels are scaled.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.

    Raises
    ------
    MemwaveError
        If a recording differs from the plan or has a value that is not finite.
    """
    spec, segments = request.spec, valid_segments(request.segments, valid)
    progress = Progress(count_windows(segments), f"summarize_lags {summary}")
    scaling = load_scaling(spec.scale, channels, spec.channels)
    batches = list(spans(0, len(segments), BATCH_SEGMENTS))
    sums = (batch_sums(spec, scaling, segments[start:stop], progress) for start, stop in batches)
    save_lags(summary, sums, len(batches) * batch_bytes(spec))
    progress.close()


def batch_sums(
    spec: FeatureSpec, scaling: Scaling | None, segments: Sequence[Segment], progress: Progress
) -> LagSums:
    """Return the sum of the lag sums of a few segments."""
    windows = windows_of(spec)
    batch = LagSums.none(windows)
    for segment in segments:
        with open_prepared(segment.recording, spec.channels, scaling) as recording:
            shift = sample_mean(recording, *windows.rows(segment.first, segment.count))
            chunks = read_chunks(recording, windows, segment, progress)
            batch.add(sum_lags(windows, chunks, shift))
    return batch


def read_chunks(
    recording: PreparedRecording, windows: SignalWindows, segment: Segment, progress: Progress
) -> Iterator[np.ndarray]:
    """Yield the rows that the windows of a segment cover, in the chunks of `sum_lags`."""
    first = segment.first * windows.step
    for low, high in chunks_of(windows, segment.count):
        yield recording.read(first + low, first + high)
        progress.add(windows.count(high - low))


def sample_mean(recording: PreparedRecording, start: int, stop: int) -> np.ndarray:
    """Return the mean of some of the rows ``start:stop``, float64, shape (n_channels,).

    It is so close to the mean of all rows that sums of squares about it lose no digits.
    """
    length = min(PLACE_ROWS, stop - start)
    last = stop - start - length
    places = sorted({start + last * i // (PLACES - 1) for i in range(PLACES)})
    rows = [recording.read(place, place + length) for place in places]
    return np.concatenate(rows).mean(axis=0, dtype=np.float64)


if "snakemake" in globals():
    run_script(snakemake, summarize_lags, load=lambda r: load_reading(recordings_of(r.segments)))
