"""Readers of recordings, labels and matrices: one module a format, one protocol for all.

- `memwave.readers.suffixes`: the table of suffixes, from which a file's module follows. A module is
  imported only when a file of its format is opened.
- `memwave.readers.base` and `memwave.readers.sources`: the protocol.
- `memwave.readers.formats`: one file or folder a format.
- `memwave.readers.shared`: the code that several formats share.
- `memwave.readers.matrices`: files and arrays stacked to a matrix.

May import `core` and `storage`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.readers.base import (
    DEFAULTS,
    LARGEST_CHUNK,
    PASSED_ON,
    FileSource,
    Options,
    file_of,
    reason_of,
)
from memwave.readers.shared.flat import FlatSource
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource, StreamSource, TableSource
from memwave.readers.suffixes import ANNOTATED, FORMATS, format_of, options_of, reader_of, readers

__all__ = [
    "DEFAULTS",
    "FORMATS",
    "ArraySource",
    "FileSource",
    "Options",
    "StreamSource",
    "TableSource",
    "annotations_of",
    "channel_rates",
    "contents_of",
    "file_of",
    "files_of",
    "holds_labels",
    "holds_texts",
    "is_converted",
    "keeps_annotations",
    "library_bytes",
    "load_libraries",
    "open_array",
    "open_source",
    "open_texts",
    "options_of",
    "own_annotations",
    "reader_of",
    "readers",
    "scratch_bytes",
]

# Memory of a reader beside the rows that it returns: for chunks that are decompressed as a whole.
SCRATCH_BYTES = 3 * LARGEST_CHUNK


def open_source(
    path: str,
    dtype: str | None = None,
    channels: Sequence[str] | None = None,
    options: Options = DEFAULTS,
    **changes: Any,
) -> FileSource:
    """Open a recording or labels.

    Parameters
    ----------
    path : str
        A file, or ``file::/path/to/dataset`` for formats that hold several arrays.
    dtype : str, optional
        Type of the values, for files without a header.
    channels : sequence of str, optional
        Channels to read, in this order. A file without names of channels must have as many
        columns. By default all columns are read.
    options : Options
        Other options.
    **changes
        Changes to them.

    Returns
    -------
    FileSource
        An open file, of which only the header has been read.

    Raises
    ------
    MemwaveError
        If the file is missing, damaged, lacks a channel, holds anything but a 1-D or 2-D array of
        real numbers, or if the library that reads it is not installed.
    """
    reader = reader_of(path)
    with _explained(path):
        source = reader.Source(path, replace(options, dtype=dtype, channels=channels, **changes))
    rate = source.sampling_rate
    if rate is not None and not 0 < rate < math.inf:
        source.note(f"it states a sampling rate of {rate:g}, which is none and is ignored")
        source.sampling_rate = None
    return source


def open_array(
    path: str,
    dtype: str | None = None,
    channels: Sequence[str] | None = None,
    options: Options = DEFAULTS,
    **changes: Any,
) -> ArraySource:
    """Open a recording or labels whose rows can be read by slices; see `open_source`."""
    source = open_source(path, dtype, channels, options, **changes)
    if not isinstance(source, ArraySource):
        source.close()
        raise source.error("cannot be read by slices of rows. Convert it, for example to .npy")
    return source


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Convert any exception of a library to an error that names the file."""
    try:
        yield
    except PASSED_ON:
        raise
    except Exception as error:  # libraries raise nearly any
        suffix = PurePath(file_of(path)).suffix
        raise MemwaveError(
            f"{path}: cannot be opened as a {suffix} file: {reason_of(error)} "
            f"({type(error).__name__}). Copy or save it again, or convert it to .npy."
        ) from error


def holds_labels(path: str) -> bool:
    """Whether a path may name an array of labels."""
    reader = reader_of(path)
    return not (is_converted(path) or reader.NEEDS_DTYPE or reader.LIBRARIES)


def open_texts(path: str, options: Options = DEFAULTS) -> TableSource:
    """Open a column of a table, ``file.csv::column``, as texts."""
    file = file_of(path)
    reader, column = reader_of(path), path[len(file) + 2 :]
    with _explained(path):
        return reader.Source(file, replace(options, channels=[column], texts=True))


def holds_texts(path: str) -> bool:
    """Whether a path names a column of a table."""
    return "::" in path and issubclass(reader_of(path).Source, TableSource)


def keeps_annotations(path: str) -> bool:
    """Whether a file has a format with annotations, by its suffix."""
    try:
        return format_of(path) in ANNOTATED
    except MemwaveError:
        return False


def channel_rates(path: str, channels: Sequence[str]) -> list[float] | None:
    """Return the sampling rate of each channel; None if all channels have the same.

    Raises
    ------
    MemwaveError
        If the file cannot be opened, or lacks a channel.
    """
    reader = reader_of(path)
    if not hasattr(reader, "channel_rates"):
        return None
    with _explained(path):
        return reader.channel_rates(path, channels)


def own_annotations(path: str) -> str:
    """Return the path of a recording's annotations; those of a WFDB record are in another file."""
    if path and "::" not in path and keeps_annotations(path) and format_of(path) == "wfdb":
        return f"{path}::atr"
    return path


def annotations_of(path: str) -> Iterator[tuple[float, float, str]]:
    """Read annotations: onset and duration in seconds from the first row, and text.

    Raises
    ------
    MemwaveError
        If the file has none, or they cannot be read.
    """
    with _explained(path):
        yield from reader_of(path).annotations(path)


def files_of(path: str) -> list[str]:
    """Return the files to watch for changes of an array."""
    reader = reader_of(path)
    if not hasattr(reader, "files"):
        return [file_of(path)]
    with _explained(path):
        return reader.files(path)


def contents_of(path: str) -> list[str]:
    """Return all files that have values of an array."""
    reader = reader_of(path)
    if not hasattr(reader, "contents"):
        return files_of(path)
    with _explained(path):
        return reader.contents(path)


def is_converted(path: str) -> bool:
    """Whether a file must be converted before its rows can be read by slices."""
    return issubclass(reader_of(path).Source, StreamSource)


def load_libraries(paths: Iterable[str]) -> None:
    """Import the libraries that read these files, before memory is limited; see `process.stage`."""
    for path in paths:
        for name in reader_of(path).LIBRARIES:
            library(name, path)


def scratch_bytes(paths: Iterable[str]) -> int:
    """Memory, in bytes, that reading blocks of rows of these files needs beside the rows.

    Nothing if rows are stored as they are; else for chunks that are unpacked as a whole.
    """
    return 0 if all(issubclass(reader_of(p).Source, FlatSource) for p in paths) else SCRATCH_BYTES


def library_bytes(paths: Iterable[str]) -> int:
    """Memory of all libraries that read these files.

    What libraries load as a whole is added, for the file with most of it.
    """
    found = [(reader_of(path), path) for path in paths]
    files = [reader.file_bytes(path) for reader, path in found if hasattr(reader, "file_bytes")]
    needed = {reader for reader, _ in found}
    return sum(reader.LIBRARY_MB for reader in needed) * 1_000_000 + max(files, default=0)
