"""Convert labels that are texts, of intervals or rows, to integer codes, once.

A job converts the labels of a batch of recordings; see `convert_recordings`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.readers import Options, load_libraries, open_texts
from memwave.recordings.labels.file import LabelWriter, create_labels
from memwave.recordings.labels.intervals import are_intervals, need_a_library, read_intervals
from memwave.workflow.process.batch import run_batch
from memwave.workflow.process.current import Ticket
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.recordings import Conversion, LabelConversion


def convert_labels(request: Sequence[Conversion], *, ticket: Ticket | None = None) -> None:
    """Convert the labels of a batch of recordings.

    Parameters
    ----------
    request : sequence of Conversion
        Of a `LabelConversion` each.
    ticket : Ticket, optional
        With a part for each.

    Raises
    ------
    MemwaveError
        After the others were converted, if some could not be.
    """
    run_batch(request, ticket, lambda part: convert_labels_of_rows(part.request, labels=part.path))


def convert_labels_of_rows(request: LabelConversion, *, labels: str) -> None:
    """Convert the labels of a recording.

    Parameters
    ----------
    request : LabelConversion
    labels : path
        The HDF5 file to write.

    Raises
    ------
    MemwaveError
        If they cannot be read, or differ from the plan.
    """
    path, rows = request.path, request.rows
    with create_labels(labels, rows) as writer:
        if are_intervals(path):
            intervals = read_intervals(path, rows, request.sampling_rate)
            with about(path):
                writer.fill_intervals(intervals)
        else:
            fill_column(writer, path, rows, request.options)


@contextmanager
def about(path: str) -> Iterator[None]:
    """Let errors about labels name their file."""
    try:
        yield
    except MemwaveError as error:
        raise MemwaveError(f"{path}: {error}") from error


def fill_column(writer: LabelWriter, path: str, rows: int, options: Options) -> None:
    """Convert a column of a table."""
    row = 0
    with open_texts(path, options) as table:
        for codes, texts in table.texts():
            if row + len(codes) > rows:
                break
            # An empty cell has index -1, which selects the last entry.
            with about(path):
                numbers = np.array([*map(writer.number, texts), -1], np.int32)
            writer.fill(row, numbers[codes])
            row += len(codes)
        if table.shape[0] != rows or row != rows:
            raise MemwaveError(
                f"{path} has {table.shape[0]} rows now, and had {rows} when the run was planned. "
                "Start again."
            )


def load_reading(request: Sequence[Conversion]) -> None:
    """Import the libraries that read the labels."""
    load_libraries([p.request.path for p in request if need_a_library(p.request.path)])


if "snakemake" in globals():
    run_script(snakemake, convert_labels, load=load_reading)
