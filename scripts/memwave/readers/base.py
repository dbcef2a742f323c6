"""The protocol of all readers: options, and the base class of open files.

A format is one module. Its suffixes are in the table in `memwave.readers.suffixes`. It has

- ``NEEDS_DTYPE``, whether the sheet has to name the dtype;
- ``LIBRARIES``, the optional modules that it imports;
- ``LIBRARY_MB``, the memory of these modules, including their buffers;
- ``Source``, called as ``Source(path, options)`` with `Options`: an `ArraySource` if any slice of
  rows can be read, a `StreamSource` if a file is read from start to end and converted first.

If an array is in other files than its path names, the module also has

- ``files(path)``, which lists the files to watch, and, if these are not all,
- ``contents(path)``, which lists all.

A format whose library loads a file, or a part that grows with it, as a whole has
``file_bytes(path)``, the memory for that. A format with annotations has ``annotations(path)``;
see `memwave.recordings.labels.intervals`.

Its libraries are imported by `memwave.readers.shared.libraries.library` when a file is opened.
"""

import logging
import os
import re
import stat
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed, path_hint, printable, shown

# Largest chunk of a compressed format, in bytes. A chunk is decompressed as a whole.
LARGEST_CHUNK = 8_000_000

# Bytes of a file that is nothing but a header.
LARGEST_HEADER = 20_000_000

log = logging.getLogger("memwave")

# The end of a traceback in a message, up to the message of its exception.
TRACEBACK = re.compile(r"^ *File .*\n(?:.*\n)*?[\w.]+(?:Error|Exception|Warning): ", re.MULTILINE)

# Most names of channels in an error.
MOST_LISTED = 60

# Errors that readers do not convert: those of memwave, and lack of memory, which `process.stage`
# explains.
PASSED_ON = (MemwaveError, MemoryError)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of reading a file. A format ignores those that do not apply to it.

    Attributes
    ----------
    dtype : str or None
        Type of the values, for files without a header.
    channels : sequence of str or None
        Channels to read, in this order. A file without names of channels must have as many
        columns. None: all columns.
    texts : bool
        Whether the only channel, a column of a table, is read as texts.
    values : {"physical", "stored"}
        Whether scale, offset and markers of missing values in attributes of a file are applied.
    skip_lines : int
        Lines of a text file before its header, or before its first row.
    header : "names", "none" or sequence of str
        Whether a text file has a line with the names of its columns; or the names.
    decimal : {".", ","}
        The decimal sign of a text file.
    comment : str or None
        Prefix of the lines of a text file that are skipped.
    sampling_rate : float or None
        Requested rows a second, for files that can be read at several rates.
    """

    dtype: str | None = None
    channels: Sequence[str] | None = None
    texts: bool = False
    values: str = "physical"
    skip_lines: int = 0
    header: str | Sequence[str] = "names"
    decimal: str = "."
    comment: str | None = None
    sampling_rate: float | None = None


# The default options.
DEFAULTS = Options()


class FileSource(ABC):
    """An array in a file, which is never written to.

    A reader calls ``super().__init__(path)`` before it opens the file and `_describe` as soon as
    it knows the array, and implements `close`.

    Attributes
    ----------
    path : str
        Path as in the sheet.
    file : str
        The path without ``::`` and what follows.
    shape : tuple of int
        (rows, channels), or (rows,).
    dtype : numpy.dtype
        Integers or floats of at most 64 bits, in the stored byte order.
    sampling_rate : float or None
        Rows a second, if the file states it.
    channel_names : list of str or None
        Names of the channels that are read, if the file names them.
    units : mapping of str to str
        Units of channels, by name, as far as the file states them.
    notes : list of str
        Remarks on oddities of the file and on changes of its values; sentences without a full stop.

    Parameters
    ----------
    path : str
        Path as in the sheet.
    first_file : str, optional
        The file to watch if the path names a folder.

    Raises
    ------
    MemwaveError
        If there is no such regular file.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    sampling_rate: float | None = None
    channel_names: list[str] | None = None
    units: Mapping[str, str] = MappingProxyType({})

    def __init__(self, path: str, first_file: str | None = None):
        self.path = path
        self.file = file_of(path)
        self.notes: list[str] = []
        self._states: dict[str, tuple[int, int, int]] = {}
        self.file_size = self._watch(first_file or self.file)

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def require_numbers(self) -> None:  # noqa: B027 - most files state their types
        """Raise MemwaveError if the beginning of the file shows that a channel has no numbers.

        A reader implements it that cannot know the types of the channels from a header.
        """

    def text_channels(self) -> Collection[str]:
        """Return the channels that hold texts, as far as the beginning of the file shows."""
        return ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def watched(self) -> list[str]:
        """Return all files that are watched for changes."""
        return list(self._states)

    def error(self, what: str) -> MemwaveError:
        """Return an error about this file."""
        return MemwaveError(f"{self.path}: {what}.")

    def note(self, what: str) -> None:
        """Store a remark about the file, and log it."""
        self.notes.append(what)
        log.info("%s: %s", self.path, what)

    def _watch(self, file: str) -> int:
        """Store the state of a file, which must not change; return its size."""
        try:
            status = os.stat(file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            missing = "" if file == self.file else f" ({file})"
            raise MemwaveError(
                f"{self.path}: {reason}{missing}. Expected a file; relative paths start in "
                f"{os.getcwd()}.{path_hint(self.path)}"
            ) from error
        if not stat.S_ISREG(status.st_mode):
            raise self.error("is not a regular file. Expected a file that can be read twice")
        self._states[file] = _state(status)
        return status.st_size

    def _choose(
        self, names: Sequence[str], wanted: Sequence[str] | None, *, texts: bool = False
    ) -> list[int]:
        """Return the indices of the wanted channels, in their order; of all for None.

        Spaces around names do not count. `texts` is whether they are labels, which no channels of
        a dataset name.
        """
        names = [name.strip() for name in names]
        wanted = None if wanted is None else [name.strip() for name in wanted]
        what, remedy = "channel", "Name those you want in the channels of the dataset"
        if texts:
            what, remedy = "column", "Correct its name in the labels of the sheet"
        self.channel_names = list(names if wanted is None else wanted)
        if wanted is None:
            return list(range(len(names)))
        counts = Counter(names)
        for name in wanted:
            if not counts[name]:
                raise self.error(
                    f"has no {what} {shown(name)}.{did_you_mean(name, names)} It has "
                    f"{listed(map(shown, names[:MOST_LISTED]))}"
                    f"{' ...' if len(names) > MOST_LISTED else ''}. "
                    f"{remedy}"
                )
            if counts[name] > 1:
                raise self.error(
                    f"has {counts[name]} channels called {shown(name)}, expected one. "
                    "Rename them in the file"
                )
        places = {name: i for i, name in enumerate(names)}
        return [places[name] for name in wanted]

    def _describe(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        """Set shape and dtype; require those of a recording or of labels."""
        if dtype.kind in "SU":
            raise self.error(
                f"holds texts ({dtype}), expected integers or floats of at most 64 bits. Save "
                "numbers; labels may be texts in a column of a table, x.csv::column"
            )
        if dtype.kind not in "iuf" or dtype.itemsize > 8:
            held = "Python objects (pickles are never opened)" if dtype.hasobject else dtype
            raise self.error(
                f"holds values of type {held}, expected integers or floats of at most 64 bits. "
                "Convert it, for example with array.astype('float32')"
            )
        if len(shape) not in (1, 2):
            raise self.error(
                f"has {len(shape)} dimensions, expected 2 (a recording: rows x channels) "
                "or 1 (labels)"
            )
        if min(shape) < 1:
            raise self.error(f"has shape {shape}, expected at least one row and one column")
        self.shape, self.dtype = tuple(shape), dtype

    def _channel_labels(self) -> Sequence[str | int]:
        """Names of the channels, or their numbers from 0, for messages."""
        return self.channel_names or range(self.shape[1])

    def _require_unchanged(self) -> None:
        try:
            unchanged = all(_state(os.stat(file)) == was for file, was in self._states.items())
        except OSError:
            unchanged = False
        if not unchanged:
            raise self.error(
                "changed while it was read. Nothing may write to it during a run; start again"
            )


def require_short(path: str, header: str) -> None:
    """Raise MemwaveError if a header, which a library reads as a whole, is too large for one."""
    size = os.path.getsize(header) if os.path.exists(header) else 0
    if size > LARGEST_HEADER:
        raise MemwaveError(
            f"{path}: the header {header} has {size:,} bytes, expected at most "
            f"{LARGEST_HEADER:,}. It is damaged; copy it again."
        )


def reason_of(error: Exception) -> str:
    """Return the message of an exception of a library, or its type if the message is empty.

    Some messages contain the traceback of another exception; then only the message of that.
    """
    message = TRACEBACK.split(str(error))[-1]
    return printable(message) or type(error).__name__


def file_of(path: str) -> str:
    """Return the file of a path: ``x.h5`` for ``x.h5::/path/to/dataset``."""
    return path.split("::", 1)[0]


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
