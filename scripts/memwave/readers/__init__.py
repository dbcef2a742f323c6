"""Readers of recordings and labels: one module a format, one protocol for all.

`memwave.readers.base` has the protocol, `memwave.readers.formats` the table of suffixes. A module
is imported only when a file asks for it.

May import `core` and `storage`.
"""

from collections.abc import Iterable, Sequence

from memwave.readers.base import (
    LARGEST_CHUNK,
    ArraySource,
    FileSource,
    StreamSource,
    TableSource,
    file_of,
)
from memwave.readers.formats import FORMATS, reader_of, readers
from memwave.readers.libraries import library

__all__ = [
    "FORMATS",
    "ArraySource",
    "FileSource",
    "StreamSource",
    "TableSource",
    "contents_of",
    "file_of",
    "files_of",
    "holds_labels",
    "holds_texts",
    "is_converted",
    "library_bytes",
    "load_libraries",
    "open_array",
    "open_source",
    "open_texts",
    "reader_of",
    "readers",
]

# What a reader may need beside the piece it returns: chunks that are unpacked as a whole.
SCRATCH_BYTES = 3 * LARGEST_CHUNK


def open_source(
    path: str, dtype: str | None = None, channels: Sequence[str] | None = None
) -> FileSource:
    """Open a recording or labels.

    Parameters
    ----------
    path : str
        A file, or ``file::/path/to/dataset`` for formats that hold several arrays.
    dtype : str, optional
        Type of the values, for files that do not tell it themselves.
    channels : sequence of str, optional
        Channels to read, in this order, from files that name theirs; files that do not have as
        many columns. Without them, all columns.

    Returns
    -------
    FileSource
        Open. Nothing but the header has been read.

    Raises
    ------
    MemwaveError
        If the file is missing, damaged, lacks a channel, holds anything but a 1-D or 2-D array of
        real numbers, or if the library that reads it is not installed.
    """
    return reader_of(path).Source(path, dtype, channels)


def open_array(
    path: str, dtype: str | None = None, channels: Sequence[str] | None = None
) -> ArraySource:
    """Open a recording or labels to read pieces of rows; see `open_source`."""
    source = open_source(path, dtype, channels)
    if not isinstance(source, ArraySource):
        source.close()
        raise source.error("cannot be read piece by piece. Convert it, for example to .npy")
    return source


def holds_labels(path: str) -> bool:
    """Whether a path may name an array of labels."""
    reader = reader_of(path)
    return not (is_converted(path) or reader.NEEDS_DTYPE or reader.LIBRARIES)


def open_texts(path: str) -> TableSource:
    """Open a column of a table, ``file.csv::column``, to read it as texts."""
    file = file_of(path)
    return reader_of(path).Source(file, None, [path[len(file) + 2 :]], texts=True)


def holds_texts(path: str) -> bool:
    """Whether a path names a column of a table."""
    return "::" in path and issubclass(reader_of(path).Source, TableSource)


def files_of(path: str) -> list[str]:
    """Return the files that an array is in."""
    reader = reader_of(path)
    return reader.files(path) if hasattr(reader, "files") else [file_of(path)]


def contents_of(path: str) -> list[str]:
    """Return the files that an array is in, down to its last value."""
    reader = reader_of(path)
    return reader.contents(path) if hasattr(reader, "contents") else files_of(path)


def is_converted(path: str) -> bool:
    """Whether a file is converted before it is read by pieces."""
    return issubclass(reader_of(path).Source, StreamSource)


def load_libraries(paths: Iterable[str]) -> None:
    """Import what reading these files needs, before memory is limited; see `process.stage`."""
    for path in paths:
        for name in reader_of(path).LIBRARIES:
            library(name, path)


def library_bytes(paths: Iterable[str]) -> int:
    """Memory that the libraries of all readers of these files need together."""
    needed = {reader_of(path) for path in paths}
    return sum(reader.LIBRARY_MB for reader in needed) * 1_000_000
