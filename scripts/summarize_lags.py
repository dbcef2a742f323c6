"""Sum over the recordings what a solver that needs no features has to know of a shard's windows."""

from collections.abc import Iterator

import numpy as np

from memwave.core.ranges import spans
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lag_file import save_lags
from memwave.pca.lags.lags import LagSums, Windows, stretches_of, sum_lags, windows_of
from memwave.pca.solvers.lag_covariance import PIECES, piece_bytes
from memwave.recordings.channel_table import load_scaling
from memwave.recordings.channels import Scaling
from memwave.recordings.gap_file import pieces_left
from memwave.recordings.prepared import PreparedRecording, load_reading, open_prepared
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged
from memwave.workflow.stage import Progress

# Places of a piece that the shift is taken from, and rows of each.
PLACES, PLACE_ROWS = 16, 64


def summarize_lags(
    *,
    summary: str,
    features: dict,
    windows: list[dict],
    channel_table: str | None = None,
    kept: str | None = None,
) -> None:
    """Sum over the windows of one shard.

    Parameters
    ----------
    summary : path
        The HDF5 file to write; it holds what the solver will merge.
    features : dict
        A feature set and the names of the channels; see `FeatureSpec`.
    windows : list of dict
        The windows that PCA is fitted on, recording after recording: name, path, dtype, rows,
        first window, count.
    channel_table : path, optional
        What `measure_channels` wrote, where the channels are scaled.
    kept : path, optional
        What `find_gaps` wrote, where windows are left out.

    Raises
    ------
    MemwaveError
        If a recording is not what was planned or has a value that is not finite.
    """
    spec = FeatureSpec.from_settings(features, features["channels"])
    windows = pieces_left(windows, kept)
    progress = Progress(sum(piece["count"] for piece in windows), f"summarize_lags {summary}")
    scaling = load_scaling(spec.scale, channel_table)
    batches = list(spans(0, len(windows), PIECES))
    sums = (batch_sums(spec, scaling, windows[start:stop], progress) for start, stop in batches)
    save_lags(summary, sums, len(batches) * piece_bytes(spec))
    progress.close()


def batch_sums(
    spec: FeatureSpec, scaling: Scaling | None, windows: list[dict], progress: Progress
) -> LagSums:
    """Lag sums of a few pieces together."""
    lie = windows_of(spec)
    batch = LagSums.none(lie)
    for piece in windows:
        with open_prepared(piece, spec, scaling) as recording:
            start = piece["first"] * spec.step
            shift = sample_mean(recording, start, start + lie.n_rows(piece["count"]))
            stretches = read_stretches(recording, lie, piece, progress)
            batch.add(sum_lags(lie, stretches, shift))
    return batch


def read_stretches(
    recording: PreparedRecording, lie: Windows, piece: dict, progress: Progress
) -> Iterator[np.ndarray]:
    """The rows that a piece's windows cover, as `sum_lags` wants them."""
    first = piece["first"] * lie.step
    for low, high in stretches_of(lie, piece["count"]):
        yield recording.read(first + low, first + high)
        progress.add((high - low - lie.window) // lie.step + 1)


def sample_mean(recording: PreparedRecording, start: int, stop: int) -> np.ndarray:
    """Mean of rows from a few places of a stretch, float64, shape (n_channels,).

    Not the mean of all, but near enough to it that sums of squares about it lose nothing.
    """
    length = min(PLACE_ROWS, stop - start)
    last = stop - start - length
    places = sorted({start + last * i // (PLACES - 1) for i in range(PLACES)})
    rows = [recording.read(place, place + length) for place in places]
    return np.concatenate(rows).mean(axis=0, dtype=np.float64)


if "snakemake" in globals():
    load_reading(snakemake.params.windows)
    with (
        stage.stage(
            "summarize_lags",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        summarize_lags(
            summary=snakemake.output.summary,
            features=snakemake.params.features,
            windows=snakemake.params.windows,
            channel_table=next(iter(snakemake.input.channels), None),
            kept=next(iter(snakemake.input.kept), None),
        )
