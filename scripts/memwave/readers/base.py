"""The protocol of all readers, and the watch over the file that is read.

A format is one module. Its suffixes stand in the table in `memwave.readers.suffixes`. It has

- ``NEEDS_DTYPE``, whether the sheet has to name the dtype;
- ``LIBRARIES``, the modules that it imports beside those that memwave always needs;
- ``LIBRARY_MB``, the memory that these need, to be there and to read;
- ``Source``, made as ``Source(path, options)`` with `Options`: an `ArraySource` if any piece of a
  file can be read, a `StreamSource` if a file is read from end to end and converted first.

Where an array is in other files than its path names, there is also

- ``files(path)``, which lists them, and, where a file stands for many,
- ``contents(path)``, which lists all.

A format whose library loads a file as a whole has ``file_bytes(path)``, the memory that this
needs. One that keeps annotations has ``annotations(path)``; see
`memwave.recordings.labels.intervals`.

Its libraries are imported by `memwave.readers.shared.libraries.library` when a file is opened.
"""

import logging
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed, printable, shown

# Bytes of a chunk of a compressed format, which is unpacked whole whatever piece is asked for.
LARGEST_CHUNK = 8_000_000

log = logging.getLogger("memwave")

# Names of channels that an error lists.
MOST_LISTED = 60

# Errors that say all that there is to say, and lack of memory, which `process.stage` explains.
PASSED_ON = (MemwaveError, MemoryError)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a file is read. What a format has no use for, it ignores.

    Attributes
    ----------
    dtype : str or None
        Type of the values, for files that do not tell it themselves.
    channels : sequence of str or None
        Channels to read, in this order, from files that name theirs; files that do not have as
        many columns. Without them, all columns.
    texts : bool
        Whether the only channel, a column of a table, is read as texts.
    values : {"physical", "stored"}
        Whether scale, offset and markers of missing values in attributes of a file are applied.
    skip_lines : int
        Lines of a text above its header, or above its first row.
    header : "names", "none" or sequence of str
        Whether a text has a line with the names of its columns, or else these names.
    decimal : {".", ","}
        The decimal sign of a text.
    comment : str or None
        What lines of a text begin with that are left out.
    sampling_rate : float or None
        Rows a second that are wanted, for files that can be read at several rates.
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


# Nothing special about a file.
DEFAULTS = Options()


class FileSource(ABC):
    """An array in a file, which is never written to.

    A reader calls ``super().__init__(path)`` before it opens the file and `_describe` as soon as
    it knows the array, and implements `close`.

    Attributes
    ----------
    path : str
        As in the sheet.
    file : str
        The file in it.
    shape : tuple of int
        (rows, channels), or (rows,).
    dtype : numpy.dtype
        Integers or floats of at most 64 bits, in the stored byte order.
    sampling_rate : float or None
        Rows a second, if the file tells it.
    channel_names : list of str or None
        Names of the channels that are read, if the file names them.
    units : mapping of str to str
        Units of channels, by name, as far as the file tells them.
    notes : list of str
        What is odd about the file, or was done to its values; sentences without a full stop.

    Parameters
    ----------
    path : str
        As in the sheet.
    first_file : str, optional
        The file to look at, where the path names a folder.

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def watched(self) -> list[str]:
        """Return all files that the array is in."""
        return list(self._states)

    def error(self, what: str) -> MemwaveError:
        """Return an error about this file."""
        return MemwaveError(f"{self.path}: {what}.")

    def note(self, what: str) -> None:
        """Keep a remark about the file, and log it."""
        self.notes.append(what)
        log.info("%s: %s", self.path, what)

    def _watch(self, file: str) -> int:
        """Note the state of a file, which must not change; return its size."""
        try:
            status = os.stat(file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            missing = "" if file == self.file else f" ({file})"
            raise self.error(
                f"{reason}{missing}. Expected a file; relative paths start in {os.getcwd()}"
            ) from error
        if not stat.S_ISREG(status.st_mode):
            raise self.error("is not a regular file. Expected a file that can be read twice")
        self._states[file] = _state(status)
        return status.st_size

    def _choose(self, names: Sequence[str], wanted: Sequence[str] | None) -> list[int]:
        """Return where the wanted channels are, in their order; all, if none are named."""
        self.channel_names = list(names if wanted is None else wanted)
        if wanted is None:
            return list(range(len(names)))
        for name in wanted:
            if name not in names:
                raise self.error(
                    f"has no channel {shown(name)}.{did_you_mean(name, names)} It has "
                    f"{listed(map(shown, names[:MOST_LISTED]))}"
                    f"{' ...' if len(names) > MOST_LISTED else ''}. "
                    "Name those you want in the channels of the dataset"
                )
            if names.count(name) > 1:
                raise self.error(
                    f"has {names.count(name)} channels called {shown(name)}, expected one. "
                    "Rename them in the file"
                )
        return [names.index(name) for name in wanted]

    def _describe(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        """Set shape and dtype, if they are those of a recording or of labels."""
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

    def _require_unchanged(self) -> None:
        try:
            unchanged = all(_state(os.stat(file)) == was for file, was in self._states.items())
        except OSError:
            unchanged = False
        if not unchanged:
            raise self.error(
                "changed while it was read. Nothing may write to it during a run; start again"
            )


def reason_of(error: Exception) -> str:
    """Return what an exception of a library says; its kind, if it says nothing."""
    return printable(error) or type(error).__name__


def file_of(path: str) -> str:
    """Return the file in a path: ``x.h5`` for ``x.h5::/path/to/dataset``."""
    return path.split("::", 1)[0]


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
