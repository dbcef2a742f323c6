"""Files and arrays stacked in order: which rows of which part a range of rows is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import Range
from memwave.readers.base import file_of
from memwave.readers.matrices.checks import require_same_names


class Part(Protocol):
    """What a matrix is made of: a file (`ArraySource`) or an array (`objects.ArrayPart`)."""

    path: str
    grain: int

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def read(self, start: int, stop: int) -> np.ndarray: ...

    def read_columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray: ...

    def read_ahead(self, start: int, stop: int) -> None: ...

    def column_names(self) -> list[str] | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Piece:
    """Rows ``start:stop`` of part `number`, which begins with row `first` of the matrix."""

    number: int
    start: int
    stop: int
    first: int

    def cut(self, size: int) -> "Iterator[Piece]":
        """Cut it after every `size` rows of the part."""
        low = self.start
        while low < self.stop:
            high = min(low - low % size + size, self.stop)
            yield replace(self, start=low, stop=high)
            low = high


class Stack:
    """Parts stacked in order, all of one type, in either byte order, and of one width.

    Parameters
    ----------
    parts : sequence of Part
        Open files and arrays; closed with the stack.

    Attributes
    ----------
    shape : (int, int)
    dtype : numpy.dtype
    grain : int
        The largest of the parts; see `memwave.storage.rows.Rows`.
    names : list of str or None
        Names of the columns, where the first part has them.
    """

    def __init__(self, parts: Sequence[Part]):
        self._parts, first = list(parts), parts[0]
        for part in parts[1:]:
            if part.shape[1] != first.shape[1]:
                raise InvalidMatrix(
                    f"{part.path}: has {part.shape[1]} columns, expected {first.shape[1]} as "
                    f"{first.path} has. Parts are stacked one below the other."
                )
            if part.dtype.newbyteorder("=") != first.dtype.newbyteorder("="):
                raise InvalidMatrix(
                    f"{part.path}: holds {part.dtype}, expected {first.dtype} as {first.path} "
                    "does. Convert one of them."
                )
        is_one = all(part.dtype == first.dtype for part in parts)
        self.dtype = first.dtype if is_one else first.dtype.newbyteorder("=")
        self.shape = (sum(part.shape[0] for part in parts), first.shape[1])
        self.grain = max(part.grain for part in parts)
        self.names = _names_of(self._parts)
        self._locks = [Lock() for _ in parts]

    @property
    def path(self) -> str:
        """What the matrix is called in messages."""
        rest = len(self._parts) - 1
        return f"{self._parts[0].path}" + (f" and {rest} more" if rest else "")

    @property
    def band_bytes(self) -> int:
        """Memory of the rows that are stored together, where that is more than one row."""
        return self.grain * self.shape[1] * self.dtype.itemsize if self.grain > 1 else 0

    def pieces(self, start: int, stop: int) -> list[Piece]:
        """Return which rows of which parts the rows ``start:stop`` are."""
        found, first = [], 0
        for number, part in enumerate(self._parts):
            low, high = max(start - first, 0), min(stop - first, part.shape[0])
            if low < high:
                found.append(Piece(number, low, high, first))
            first += part.shape[0]
        return found

    def files(self) -> list[str]:
        """Return the paths of the parts that are files of a reader."""
        return [p.path for p in self._parts if file_of(p.path) == getattr(p, "file", None)]

    def parts(self) -> list[tuple[str, int]]:
        """Return path and number of rows of each part."""
        return [(str(part.path), part.shape[0]) for part in self._parts]

    def part(self, number: int) -> Part:
        """Return one of the parts."""
        return self._parts[number]

    def read(self, number: int, start: int, stop: int, columns: Range) -> np.ndarray:
        """Read rows of a part, unchecked; one thread at a time, as a file has one position."""
        with self._locks[number]:
            if columns == (0, self.shape[1]):
                return self._parts[number].read(start, stop)
            return self._parts[number].read_columns(start, stop, *columns)

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.close()


def _names_of(parts: Sequence[Part]) -> list[str] | None:
    names = parts[0].column_names()
    for part in parts[1:]:
        require_same_names(part.path, part.column_names(), parts[0].path, names)
    return names
