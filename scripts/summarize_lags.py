"""Sum lagged products of recordings over the windows of a shard, for solvers without features."""

from memwave.core.progress import Progress
from memwave.pca.lags.lag_file import save_lags
from memwave.pca.lags.lags import BATCH_SEGMENTS
from memwave.pca.lags.recording_sums import sums_of_segments
from memwave.pca.solvers.lag_covariance import batch_bytes
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import count_windows, recordings_of
from memwave.recordings.valid_windows import valid_segments
from memwave.results.extraction import load_scaling
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.model import LagSummary


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
    sums = sums_of_segments(spec, scaling, segments, BATCH_SEGMENTS, progress)
    save_lags(summary, sums, -(-len(segments) // BATCH_SEGMENTS) * batch_bytes(spec))
    progress.close()


if "snakemake" in globals():
    run_script(snakemake, summarize_lags, load=lambda r: load_reading(recordings_of(r.segments)))
