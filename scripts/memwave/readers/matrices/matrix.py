"""A matrix as a solver reads it: files and arrays stacked in order, rows by slices, values checked.

Files are opened read-only and read where they lie; nothing is copied on the disk, and no page of
them stays in this process.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import Range, Ranges, count_rows, located, runs, shard_range, spans
from memwave.readers.base import file_of
from memwave.readers.matrices.checks import (
    missing_rows,
    require_different,
    require_finite,
    require_same_names,
)

# Most runs of complete rows of a matrix: all stages have memory for as many.
MOST_RUNS = 20_000

# Values that are copied at once where a block is put together of several pieces.
COPIED = 1 << 19


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


class Matrix:
    """Parts stacked in order, all of one type, in either byte order, and of one width.

    Parameters
    ----------
    parts : sequence of Part
        Open files and arrays; closed with the matrix.

    Attributes
    ----------
    shape : (int, int)
    dtype : numpy.dtype
    grain : int
        The largest of the parts; see `memwave.storage.rows.Rows`.
    names : list of str or None
        Names of the columns, where the first part has them.
    complete : list of (start, stop) or None
        Rows without missing values, once `drop_missing` has looked for them.
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
        self.complete: list[Range] | None = None
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

    def pieces(self, start: int, stop: int) -> "list[Piece]":
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

    @property
    def n_rows(self) -> int:
        """Rows that there are: without those that were dropped."""
        return self.shape[0] if self.complete is None else count_rows(self.complete)

    def drop_missing(self, block_rows: int, progress: Callable[[int], None]) -> None:
        """Look for rows with missing values, which are left out from now on.

        Parameters
        ----------
        block_rows : int
            Rows read at once.
        progress : callable
            Called with the number of rows of each block.

        Raises
        ------
        InvalidMatrix
            If no row is complete, or missing values divide the rows into too many runs.
        """
        whole = RowRange(self, 0, self.shape[0])
        found = complete_rows(whole, block_rows, MOST_RUNS, progress)
        if not found:
            raise InvalidMatrix(
                f"{self.path}: each of {self.shape[0]} rows has a missing value (NaN). Leave out "
                "the columns that have them, or fill them in."
            )
        self.complete = found

    def complete_parts(self) -> Iterator[tuple[int, int, int]]:
        """Runs of rows that there are: number of the part, and rows of it (start, stop)."""
        whole = [(0, self.shape[0])] if self.complete is None else self.complete
        for start, stop in whole:
            for piece in self.pieces(start, stop):
                yield piece.number, piece.start, piece.stop

    def flags(self) -> np.ndarray:
        """Flag the rows that there are: boolean, one a row."""
        found = np.ones(self.shape[0], bool)
        if self.complete is not None:
            found[:] = False
            for start, stop in self.complete:
                found[start:stop] = True
        return found

    def ranges(self, n_shards: int) -> "list[RowRange]":
        """Cut the rows into shards, between rows that are stored together if possible."""
        n_shards = min(n_shards, self.shape[0])
        cuts = (shard_range(self.shape[0], i, n_shards, self.grain) for i in range(n_shards))
        return [RowRange(self, start, stop, self._complete(start, stop)) for start, stop in cuts]

    def _complete(self, start: int, stop: int) -> list[Range] | None:
        """Rows of a range that are complete, counted from its beginning."""
        if self.complete is None:
            return None
        cut = ((max(low, start), min(high, stop)) for low, high in self.complete)
        return [(low - start, high - start) for low, high in cut if low < high]

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.close()

    def __enter__(self) -> "Matrix":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


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


class RowRange:
    """Rows of a matrix, as a shard: `memwave.storage.rows.Rows`.

    Rows that are stored together are read once, as long as they are asked for in order: those of
    the last chunk that was not wanted as a whole are kept.

    Parameters
    ----------
    matrix : Matrix
    start, stop : int
        Rows of the matrix.
    complete : sequence of (start, stop), optional
        Those of the rows, counted from `start`, that there are: the others have missing values.
    """

    def __init__(self, matrix: Matrix, start: int, stop: int, complete: Ranges | None = None):
        self.path = Path(matrix.path)
        self._complete = [(0, stop - start)] if complete is None else complete
        self.shape = count_rows(self._complete), matrix.shape[1]
        self.dtype, self.grain = matrix.dtype, matrix.grain
        self._matrix, self._start = matrix, start
        # Part, first row and columns of the rows that are kept, and these.
        self._kept: tuple[tuple[int, int, Range], np.ndarray] | None = None

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Read rows; raises InvalidMatrix that names row and column of what is not finite."""
        return self.columns(start, stop, 0, self.shape[1])

    def columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Read the columns ``low:high`` of rows, as `rows` does."""
        pieces = self._pieces(start, stop)
        if len(pieces) == 1:
            return self._finite(pieces[0], (low, high))
        values, row = np.empty((stop - start, high - low), self.dtype), 0
        for piece in pieces:
            for part in piece.cut(max(self.grain, COPIED // max(1, high - low))):
                read = self._finite(part, (low, high))
                values[row : row + len(read)] = read
                row += len(read)
        return values

    def missing(self, start: int, stop: int) -> np.ndarray:
        """Flag the rows with a missing value (NaN): boolean, shape (stop - start,)."""
        width = 0, self.shape[1]
        pieces = self._pieces(start, stop)
        return np.concatenate([missing_rows(self._read(piece, width)) for piece in pieces])

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask the system to fetch rows, where it does that."""
        for piece in self._pieces(start, stop):
            self._matrix.part(piece.number).read_ahead(piece.start, piece.stop)

    def _pieces(self, start: int, stop: int) -> list[Piece]:
        places = located((start, stop), self._complete)
        return [
            piece
            for low, high in places
            for piece in self._matrix.pieces(self._start + low, self._start + high)
        ]

    def _finite(self, piece: Piece, columns: Range) -> np.ndarray:
        values, matrix = self._read(piece, columns), self._matrix
        path = matrix.part(piece.number).path
        require_finite(values, path, piece.start, matrix.names, columns[0])
        return values

    def _read(self, piece: Piece, columns: Range) -> np.ndarray:
        part = self._matrix.part(piece.number)
        grain, n_rows = part.grain, part.shape[0]
        start, stop = piece.start, piece.stop
        low, high = -(-start // grain) * grain, stop - stop % grain
        if stop == n_rows:
            high = stop
        if low >= high:  # within one band, or across the border of two
            bands = range(start - start % grain, stop, grain)
            found = [
                self._band(piece.number, b, columns)[max(start - b, 0) : stop - b] for b in bands
            ]
            values = found[0] if len(found) == 1 else np.concatenate(found)
        elif low == start and high == stop:
            values = self._matrix.read(piece.number, start, stop, columns)
        else:
            values = np.empty((stop - start, columns[1] - columns[0]), self.dtype)
            if start < low:
                band = self._band(piece.number, low - grain, columns)
                values[: low - start] = band[start - low :]
            values[low - start : high - start] = self._matrix.read(piece.number, low, high, columns)
            if high < stop:
                values[high - start :] = self._band(piece.number, high, columns)[: stop - high]
        return values

    def _band(self, number: int, first: int, columns: Range) -> np.ndarray:
        """Read the rows that are stored together from row `first` of a part on, or return those."""
        place = number, first, columns
        if self._kept is None or self._kept[0] != place:
            self._kept = None
            part = self._matrix.part(number)
            last = min(first + part.grain, part.shape[0])
            self._kept = place, self._matrix.read(number, first, last, columns)
        return self._kept[1]


def complete_rows(
    rows: RowRange, block_rows: int, most: int, progress: Callable[[int], None]
) -> list[Range]:
    """Find the rows without missing values: ranges, counted from the beginning of `rows`.

    Raises
    ------
    InvalidMatrix
        If there are more than `most` ranges.
    """
    found: list[Range] = []
    for start, stop in spans(0, rows.shape[0], block_rows):
        for low, high in runs(~rows.missing(start, stop)) + start:
            joined = bool(found) and found[-1][1] == low
            found.append((found.pop()[0] if joined else int(low), int(high)))
        if len(found) > most:
            raise InvalidMatrix(
                f"{rows.path}: rows with missing values (NaN) divide {stop} rows into more than "
                f"{most} runs. Write the complete rows into a file of their own."
            )
        progress(stop - start)
    return found


def _names_of(parts: Sequence[Part]) -> list[str] | None:
    names = parts[0].column_names()
    require_different(parts[0].path, names or ())
    for part in parts[1:]:
        require_same_names(part.path, part.column_names(), parts[0].path, names)
    return names
