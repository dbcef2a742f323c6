"""Find the windows of a shard that touch no missing value.

The recordings are read stretch by stretch; nothing in memory grows with them but the gaps.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.ranges import spans
from memwave.features.extraction import check_rows, require_shape
from memwave.features.spec import FeatureSpec
from memwave.readers import load_libraries, open_array
from memwave.recordings.gap_file import save_kept
from memwave.recordings.gaps import Range, gaps, whole_windows
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged
from memwave.workflow.stage import Progress


def find_gaps(
    *, kept: str, features: dict, windows: list[dict], block_rows: int, most_runs: int
) -> None:
    """Find whole windows.

    Parameters
    ----------
    kept : path
        The HDF5 file to write: ranges of the shard's planned rows whose windows are whole.
    features : dict
        A feature set and the names of the channels; see `FeatureSpec`.
    windows : list of dict
        What the shard was planned to hold, recording after recording: name, path, dtype, rows,
        first window, count.
    block_rows : int
        Rows of recordings read at once.
    most_runs : int
        Ranges that there may be.

    Raises
    ------
    MemwaveError
        If no window is whole, there are more ranges, a recording is not what was planned, or has
        an infinite value.
    """
    spec = FeatureSpec.from_settings(features, features["channels"])
    planned = sum(piece["count"] for piece in windows)
    progress = Progress(sum(stretch(piece, spec)[1] for piece in windows), f"find_gaps {kept}")
    found: list[Range] = []
    row = 0
    for piece in windows:
        missing = gaps(blocks(piece, spec, block_rows, progress), stretch(piece, spec)[0])
        first, count = piece["first"], piece["count"]
        for start, stop in whole_windows(first, count, spec.window, spec.step, missing):
            found.append((row + start - first, row + stop - first))
            if len(found) > most_runs:
                raise MemwaveError(
                    f"recording {piece['recording']!r} ({piece['path']}): missing values cut the "
                    f"windows of one shard into more than {most_runs} runs. Use missing: "
                    "interpolate, or fewer shards."
                )
        row += count
    progress.close()
    kept_rows = sum(stop - start for start, stop in found)
    names = ", ".join(piece["recording"] for piece in windows)
    if not kept_rows:
        raise MemwaveError(
            f"all {planned} windows of a shard (of {names}) touch a missing value. Use fewer "
            "shards, a shorter window, missing: interpolate, or leave the recording out."
        )
    stage.log.info("%d of %d windows are left out", planned - kept_rows, planned)
    save_kept(kept, found)


def stretch(piece: dict, spec: FeatureSpec) -> Range:
    """The first row of the recording that a piece's windows cover, and the number of rows."""
    return piece["first"] * spec.step, (piece["count"] - 1) * spec.step + spec.window


def blocks(
    piece: dict, spec: FeatureSpec, block_rows: int, progress: Progress
) -> Iterator[np.ndarray]:
    """Rows that a piece's windows cover, one stretch after the other."""
    begin, length = stretch(piece, spec)
    with open_array(piece["path"], piece["dtype"], spec.channels) as recording:
        require_shape(recording.shape, piece, spec.n_channels)
        for start, stop in spans(begin, begin + length, block_rows):
            rows = recording.read(start, stop)
            check_rows(rows, start, piece, spec.channels, may_miss=True)
            yield rows
            progress.add(stop - start)


if "snakemake" in globals():
    load_libraries(piece["path"] for piece in snakemake.params.windows)
    with (
        stage.stage(
            "find_gaps",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        find_gaps(
            kept=snakemake.output.kept,
            features=snakemake.params.features,
            windows=snakemake.params.windows,
            block_rows=snakemake.params.block_rows,
            most_runs=snakemake.params.most_runs,
        )
