"""A range of rows as a solver reads it: by slices, in blocks of any size, values checked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import Range, Ranges, count_rows, located, runs, spans
from memwave.readers.matrices.checks import missing_rows, require_finite
from memwave.readers.matrices.stack import Piece, Stack

# Values that are copied at once where a block is put together of several pieces.
COPIED = 1 << 19


class RowRange:
    """Rows of a matrix, as a shard: `memwave.storage.rows.Rows`.

    Rows that are stored together are read once, as long as they are asked for in order: those of
    the last chunk that was not wanted as a whole are kept.

    Parameters
    ----------
    matrix : Stack
    start, stop : int
        Rows of the matrix.
    complete : sequence of (start, stop), optional
        Those of the rows, counted from `start`, that there are: the others have missing values.
    """

    def __init__(self, matrix: Stack, start: int, stop: int, complete: Ranges | None = None):
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
