"""Measure the channels of a dataset over its train recordings.

The recordings are read in chunks: once for the moments, and several times for the exact quartiles.
Memory does not depend on their length.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress
from memwave.core.ranges import spans
from memwave.recordings.channels import ChannelMeasures, save_channels
from memwave.recordings.prepared import check_rows, load_reading, open_recording
from memwave.workflow.process.stage import run_script, warn
from memwave.workflow.requests.recordings import ChannelMeasurement


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
        If a recording has a value that is not finite; the message names recording, row and channel.
        If a channel has no value.
    """
    total = sum(recording.rows for recording in request.recordings)
    measures = ChannelMeasures(request.channels, dtype_of_all(request))
    progress = Progress(total, "measure_channels, this pass:")
    for rows in blocks(request):
        measures.scan(rows)
        progress.add(len(rows))
    for channel in measures.empty:
        raise MemwaveError(
            f"channel {channel} has no value in any recording of split train. Remove the channel."
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
    """Return float32 if it represents all values of every recording, else float64."""
    for recording in request.recordings:
        with open_recording(recording, request.channels) as source:
            if not np.can_cast(source.dtype, np.float32):
                return "float64"
    return "float32"


def blocks(request: ChannelMeasurement) -> Iterator[np.ndarray]:
    """Yield the rows of all recordings, in order, block by block."""
    for recording in request.recordings:
        with open_recording(recording, request.channels) as source:
            may_miss = recording.missing != "error"
            for start, stop in spans(0, source.shape[0], request.block_rows):
                rows = source.read(start, stop)
                check_rows(rows, start, recording, request.channels, may_miss=may_miss)
                yield rows


if "snakemake" in globals():
    run_script(snakemake, measure_channels, load=lambda r: load_reading(r.recordings))
