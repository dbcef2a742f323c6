"""Measure the channels of a dataset over the recordings that PCA is fitted on.

The recordings are read in chunks, once for the moments and a few times more for the quartiles,
which are exact. Nothing in memory grows with them.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress
from memwave.core.ranges import spans
from memwave.recordings.channels import ChannelMeasures, save_channels
from memwave.recordings.prepared import check_rows, load_reading, open_recording
from memwave.workflow.process.stage import run_script, warn
from memwave.workflow.requests import ChannelMeasurement


def measure_channels(request: ChannelMeasurement, *, table: str) -> None:
    """Measure channels.

    Parameters
    ----------
    request : ChannelMeasurement
    table : path
        The TSV file to write.

    Raises
    ------
    MemwaveError
        If a recording has a value that is not finite; names recording, row and channel.
    """
    total = sum(recording.rows for recording in request.recordings)
    measures = ChannelMeasures(request.channels, dtype_of_all(request))
    progress = Progress(total, "measure_channels, this pass:")
    for rows in blocks(request):
        measures.scan(rows)
        progress.add(len(rows))
    for channel in measures.empty:
        raise MemwaveError(
            f"channel {channel} has no value in any recording of split train. Leave it out."
        )
    while measures.needs_pass:
        progress.restart()
        for rows in blocks(request):
            measures.rank(rows)
            progress.add(len(rows))
        measures.end_pass()
    progress.close()
    measured = measures.result()
    for channel in (channel for channel in measured if channel.remark):
        warn(f"channel {channel.channel} is {channel.remark}: see {table}.")
    save_channels(table, measured)


def dtype_of_all(request: ChannelMeasurement) -> str:
    """float32 if it holds the values of every recording, float64 if not."""
    for recording in request.recordings:
        with open_recording(recording, request.channels) as source:
            if not np.can_cast(source.dtype, np.float32):
                return "float64"
    return "float32"


def blocks(request: ChannelMeasurement) -> Iterator[np.ndarray]:
    """Rows of all recordings, one after the other."""
    for recording in request.recordings:
        with open_recording(recording, request.channels) as source:
            may_miss = recording.missing != "error"
            for start, stop in spans(0, source.shape[0], request.block_rows):
                rows = source.read(start, stop)
                check_rows(rows, start, recording, request.channels, may_miss=may_miss)
                yield rows


if "snakemake" in globals():
    run_script(snakemake, measure_channels, load=lambda r: load_reading(r.recordings))
