"""What a solver reads: rows of a matrix, slice by slice."""

from pathlib import Path
from typing import Protocol

import numpy as np


class Rows(Protocol):
    """Rows of a matrix on a disk or in memory, read again as often as they are asked for.

    Attributes
    ----------
    path : path
        What the matrix is called in messages.
    shape : (int, int)
        Rows and columns.
    dtype : numpy.dtype
        Floats of 16, 32 or 64 bits, or integers of 8 to 64 bits.
    grain : int
        Rows that are stored together, as in a chunk: a slice costs least from a multiple of it to
        another one.
    """

    path: Path

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def grain(self) -> int: ...

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows ``start:stop``, all finite; memory and map go when the array goes."""

    def columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Return the columns ``low:high`` of rows ``start:stop``, as `rows` does."""

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask for rows ``start:stop`` to be fetched meanwhile, where that can be."""
