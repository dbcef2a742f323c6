"""Convert recordings whose format cannot be read by slices to plain .npy files, once.

A job converts a batch of recordings, one after another. Each is read once from start to end, chunk
by chunk, into a memory-mapped file, and has a receipt of its own. Recordings that are converted
already are left as they are.
"""

from collections.abc import Sequence

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress
from memwave.readers import StreamSource, load_libraries, open_source
from memwave.recordings.segments import PlannedRecording
from memwave.storage.shards import create_unordered
from memwave.workflow.process.batch import run_batch
from memwave.workflow.process.current import Ticket
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.recordings import Conversion, RecordingConversion


def convert_recordings(request: Sequence[Conversion], *, ticket: Ticket | None = None) -> None:
    """Convert the recordings of a batch.

    Parameters
    ----------
    request : sequence of Conversion
        Of a `RecordingConversion` each.
    ticket : Ticket, optional
        With a part for each recording.

    Raises
    ------
    MemwaveError
        After the others were converted, if some could not be.
    """
    run_batch(request, ticket, lambda part: convert_recording(part.request, converted=part.path))


def convert_recording(request: RecordingConversion, *, converted: str) -> None:
    """Convert a recording.

    Parameters
    ----------
    request : RecordingConversion
    converted : path
        The .npy file to write: rows x channels, channels in the order of the configuration.

    Raises
    ------
    MemwaveError
        If it cannot be read, or differs from the plan.
    """
    recording, channels = request.recording, request.channels
    with open_source(recording.path, None, channels or None, recording.options) as source:
        assert isinstance(source, StreamSource)
        shape = recording.rows, len(channels) or source.shape[1]
        if source.shape != shape:
            raise changed(recording, source.shape[0])
        progress = Progress(source.shape[0], f"convert_recordings {recording.name}")
        filled = 0
        with create_unordered(converted, shape, source.dtype) as target:
            for rows, columns, values in source.blocks():
                if rows.stop > shape[0]:
                    raise changed(recording, rows.stop)
                target.rows(rows.start, rows.stop)[:, columns] = values
                filled += values.size
                progress.add(len(values) * len(range(*columns.indices(shape[1]))) // shape[1])
            if filled != shape[0] * shape[1]:
                raise changed(recording, filled // shape[1])
        progress.close()


def changed(recording: PlannedRecording, rows: int) -> MemwaveError:
    """Return the error for a recording whose number of rows differs from the plan."""
    return MemwaveError(
        f"recording {recording.name!r}: {recording.path} has {rows} rows now, and had "
        f"{recording.rows} when the run was planned. Start again."
    )


def load_reading(request: Sequence[Conversion]) -> None:
    """Import the libraries that read the recordings."""
    load_libraries([part.request.recording.path for part in request])


if "snakemake" in globals():
    run_script(snakemake, convert_recordings, load=load_reading)
