"""Base classes of readers: of rows by slices, of a stream from start to end, and of a table."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from memwave.readers.base import PASSED_ON, FileSource, reason_of
from memwave.readers.shared.exact import require_exact

# Rows and columns of some values, and the values.
Block = tuple[slice, slice, np.ndarray]

Item = TypeVar("Item")

# Indices of texts, -1 for an empty cell, and the texts.
Texts = tuple[np.ndarray, list[str]]


class ArraySource(FileSource):
    """An array whose rows are read by slices, in any order; a reader implements `_read`.

    Attributes
    ----------
    grain : int
        Number of rows that are stored together and read as a whole, as in a chunk.
    """

    grain = 1

    def column_names(self) -> list[str] | None:
        """Return the names of the columns, if the file has them."""
        return None

    def read_ahead(self, start: int, stop: int) -> None:
        """Start reading rows in the background, if the system can do that."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``.

        Returns
        -------
        ndarray, shape (stop - start,) or (stop - start, channels)
            A new array in the stored dtype. Reading needs no other memory that grows with the rows.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or changed since it was opened, or if an integer has more
            digits than float64. Labels, of one dimension, are not computed with and may have any.
        """
        if not 0 <= start <= stop <= self.shape[0]:
            raise IndexError(f"{self.path}: rows {start}:{stop} of {self.shape[0]}")
        rows = self._checked(start, stop, self.shape[1:], lambda: self._read(start, stop))
        self._require_exact(rows, start, 0)
        return rows

    def read_columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Read the columns ``low:high`` of the rows ``start:stop`` of a matrix; see `read`."""
        if not (0 <= start <= stop <= self.shape[0] and 0 <= low <= high <= self.shape[1]):
            raise IndexError(f"{self.path}: {start}:{stop}, {low}:{high} of {self.shape}")
        rows = self._checked(
            start, stop, (high - low,), lambda: self._slice(start, stop, low, high)
        )
        self._require_exact(rows, start, low)
        return rows

    def _checked(
        self, start: int, stop: int, columns: tuple[int, ...], read: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """Return what is read, if it is what was asked for and the file has not changed."""
        try:
            rows = read()
        except PASSED_ON:
            raise
        except Exception as error:  # libraries raise nearly any
            self._require_unchanged()
            raise self.error(
                f"rows {start} to {stop - 1} cannot be read ({reason_of(error)}). Copy it again, "
                "or repair it"
            ) from error
        self._require_unchanged()
        if rows.shape != (stop - start, *columns):
            raise self.error(
                f"rows {start} to {stop - 1} were read as shape {rows.shape}. The file is "
                "shorter than its header says; copy it again"
            )
        return rows

    def _require_exact(self, rows: np.ndarray, start: int, low: int) -> None:
        """Require integers that float64 represents, of a recording or matrix, from a place on."""
        if rows.ndim == 2:
            require_exact(self, rows, range(start, start + len(rows)), self._channel_labels()[low:])

    def _slice(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Read columns of rows; a format that need not read the other columns overrides it."""
        return self._read(start, stop)[:, low:high]

    @abstractmethod
    def _read(self, start: int, stop: int) -> np.ndarray:
        """Read rows; raise any exception if they cannot be read."""


class StreamSource(FileSource):
    """An array that is read once, from start to end, by `convert_recordings`.

    A reader implements `_blocks`.
    """

    def blocks(self) -> Iterator[Block]:
        """Read everything.

        Yields
        ------
        (rows, columns, values) : slice, slice, ndarray
            Place of the values in the array. All blocks together fill the array.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or changed since it was opened, or if an integer has more
            digits than float64.
        """
        for rows, columns, values in self._guarded(self._blocks()):
            require_exact(
                self, values, range(rows.start, rows.stop), self._channel_labels()[columns]
            )
            yield rows, columns, values
        self._require_unchanged()

    def _guarded(self, items: Iterator[Item]) -> Iterator[Item]:
        """Yield the items; convert any exception of a library to an error that names the file."""
        try:
            yield from items
        except PASSED_ON:
            raise
        except Exception as error:  # libraries raise nearly any
            self._require_unchanged()
            raise self.error(
                f"cannot be read to its end ({reason_of(error)}). Copy it again, or repair it"
            ) from error

    @abstractmethod
    def _blocks(self) -> Iterator[Block]:
        """Read everything; raise MemwaveError if it cannot be read."""


class TableSource(StreamSource):
    """A table in a file; a reader implements `_texts` beside `_blocks`."""

    def __init__(self, path: str):
        super().__init__(path)
        if self.file != path:
            raise self.error("holds one table, expected no '::' after it")

    def texts(self) -> Iterator[Texts]:
        """Read the only chosen column as texts, if the table was opened for that.

        Yields
        ------
        (codes, texts) : ndarray of int, list of str
            For each of the next rows, the index of its text in `texts`, or -1 for an empty cell.
        """
        yield from self._guarded(self._texts())
        self._require_unchanged()

    @abstractmethod
    def _texts(self) -> Iterator[Texts]:
        """Read the only chosen column; raise MemwaveError if it cannot be read."""
