"""The three ways in which a file is read: by slices, from end to end, as a table."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from memwave.readers.base import PASSED_ON, FileSource, reason_of

Block = tuple[slice, slice, np.ndarray]

Item = TypeVar("Item")

# Indices, -1 where there is none, and the texts they mean.
Texts = tuple[np.ndarray, list[str]]


class ArraySource(FileSource):
    """An array that is read piece by piece, any piece at any time; a reader implements `_read`.

    Attributes
    ----------
    grain : int
        Rows that are stored together and read as a whole, as in a chunk.
    """

    grain = 1

    def column_names(self) -> list[str] | None:
        """Return the names of the columns, where the file has them."""
        return None

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask for rows to be fetched meanwhile, where the system does that."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``.

        Returns
        -------
        ndarray, shape (stop - start,) or (stop - start, channels)
            A fresh array in the stored dtype. It is all the memory that is needed.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or changed since it was opened.
        """
        if not 0 <= start <= stop <= self.shape[0]:
            raise IndexError(f"{self.path}: rows {start}:{stop} of {self.shape[0]}")
        return self._checked(start, stop, self.shape[1:], lambda: self._read(start, stop))

    def read_columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Read the columns ``low:high`` of the rows ``start:stop`` of a matrix; see `read`."""
        if not (0 <= start <= stop <= self.shape[0] and 0 <= low <= high <= self.shape[1]):
            raise IndexError(f"{self.path}: {start}:{stop}, {low}:{high} of {self.shape}")
        return self._checked(
            start, stop, (high - low,), lambda: self._slice(start, stop, low, high)
        )

    def _checked(
        self, start: int, stop: int, columns: tuple[int, ...], read: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """Return what is read, if it is what was asked for and the file has not changed."""
        try:
            piece = read()
        except PASSED_ON:
            raise
        except Exception as error:  # libraries raise nearly any
            self._require_unchanged()
            raise self.error(
                f"rows {start} to {stop - 1} cannot be read ({reason_of(error)}). Copy it again, "
                "or repair it"
            ) from error
        self._require_unchanged()
        if piece.shape != (stop - start, *columns):
            raise self.error(
                f"rows {start} to {stop - 1} were read as shape {piece.shape}. The file is "
                "shorter than its header says; copy it again"
            )
        return piece

    def _slice(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Read columns of rows; a format that need not read the other columns overrides it."""
        return self._read(start, stop)[:, low:high]

    @abstractmethod
    def _read(self, start: int, stop: int) -> np.ndarray:
        """Read rows; raise any exception if they are not there."""


class StreamSource(FileSource):
    """An array that is read once, from end to end; `convert_recording` makes it an `ArraySource`.

    A reader implements `_blocks`.
    """

    def blocks(self) -> Iterator[Block]:
        """Read everything.

        Yields
        ------
        (rows, columns, values) : slice, slice, ndarray
            Where the values go in the array; together they fill it.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or changed since it was opened.
        """
        yield from self._guarded(self._blocks())
        self._require_unchanged()

    def _guarded(self, items: Iterator[Item]) -> Iterator[Item]:
        """Pass on what a library reads; make an error of the file of whatever it raises."""
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
            Of the next rows, index into `texts`, -1 where the cell is empty.
        """
        yield from self._guarded(self._texts())
        self._require_unchanged()

    @abstractmethod
    def _texts(self) -> Iterator[Texts]:
        """Read the only chosen column; raise MemwaveError if it cannot be read."""
