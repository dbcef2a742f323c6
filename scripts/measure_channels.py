"""Measure the channels of a dataset over the recordings that PCA is fitted on.

The recordings are read stretch by stretch, once for the moments and a few times more for the
quartiles, which are exact. Nothing in memory grows with them.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.ranges import spans
from memwave.features.extraction import check_rows
from memwave.recordings.channel_table import save_channels
from memwave.recordings.channels import ChannelMeasures
from memwave.recordings.prepared import load_reading, open_recording
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged
from memwave.workflow.stage import Progress


def measure_channels(
    *, table: str, recordings: list[dict], channels: list[str], block_rows: int
) -> None:
    """Measure channels.

    Parameters
    ----------
    table : path
        The TSV file to write.
    recordings : list of dict
        Those of split train: recording, path, dtype, rows, and what to do about ``missing`` values,
        which are not measured.
    channels : list of str
        Their names.
    block_rows : int
        Rows read at once.

    Raises
    ------
    MemwaveError
        If a recording has a value that is not finite; names recording, row and channel.
    """
    total = sum(recording["rows"] for recording in recordings)
    measures = ChannelMeasures(channels, dtype_of_all(recordings, channels))
    progress = Progress(total, "measure_channels, this pass:")
    for rows in blocks(recordings, channels, block_rows):
        measures.look(rows)
        progress.add(len(rows))
    for channel in measures.empty:
        raise MemwaveError(
            f"channel {channel} has no value in any recording of split train. Leave it out."
        )
    while measures.wanting:
        progress.restart()
        for rows in blocks(recordings, channels, block_rows):
            measures.rank(rows)
            progress.add(len(rows))
        measures.end_pass()
    progress.close()
    measured = measures.result()
    for channel in (channel for channel in measured if channel.remark):
        stage.warn(f"channel {channel.channel} is {channel.remark}: see {table}.")
    save_channels(table, measured)


def dtype_of_all(recordings: list[dict], channels: list[str]) -> str:
    """float32 if it holds the values of every recording, float64 if not."""
    for piece in recordings:
        with open_recording(piece, channels) as recording:
            if not np.can_cast(recording.dtype, np.float32):
                return "float64"
    return "float32"


def blocks(recordings: list[dict], channels: list[str], block_rows: int) -> Iterator[np.ndarray]:
    """Rows of all recordings, one after the other."""
    for piece in recordings:
        with open_recording(piece, channels) as recording:
            may_miss = piece.get("missing", "error") != "error"
            for start, stop in spans(0, recording.shape[0], block_rows):
                rows = recording.read(start, stop)
                check_rows(rows, start, piece, channels, may_miss=may_miss)
                yield rows


if "snakemake" in globals():
    load_reading(snakemake.params.recordings)
    with (
        stage.stage(
            "measure_channels",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        measure_channels(
            table=snakemake.output.table,
            recordings=snakemake.params.recordings,
            channels=snakemake.params.channels,
            block_rows=snakemake.params.block_rows,
        )
