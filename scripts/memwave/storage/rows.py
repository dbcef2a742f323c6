"""The interface of the matrices that solvers read: rows by slices."""

from pathlib import Path
from typing import Protocol

import numpy as np


class Rows(Protocol):
    """Rows of a matrix on a disk or in memory. They can be read any number of times.

    Attributes
    ----------
    path : path
        Name of the matrix in messages.
    shape : (int, int)
        Rows and columns.
    dtype : numpy.dtype
        Floats of 16, 32 or 64 bits, or integers of 8 to 64 bits.
    grain : int
        Number of rows that are stored together, as in a chunk. A slice is read fastest if it begins
        and ends at multiples of it.
    """

    path: Path

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def grain(self) -> int: ...

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows ``start:stop``, all finite; memory and map are freed with the array."""

    def columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Return the columns ``low:high`` of rows ``start:stop``, as `rows` does."""

    def read_ahead(self, start: int, stop: int) -> None:
        """Start reading rows ``start:stop`` in the background, if the system can do that."""
