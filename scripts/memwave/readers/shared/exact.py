"""Integers that float64 represents: files of 64 bit integers are read as float64."""

import numpy as np

from memwave.readers.base import FileSource

# float64 represents all integers up to this one.
MOST_INTEGER = 2**53


def require_exact(source: FileSource, values: np.ndarray, first_row: int) -> None:
    """Raise MemwaveError that names the first row with an integer that float64 would round.

    Parameters
    ----------
    source : FileSource
    values : ndarray, shape (n,) or (n, columns)
        Of any type; only integers of 64 bits can be too large.
    first_row : int
        Row of the first value in the file.
    """
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return
    too_large = (values > MOST_INTEGER) | (values < -MOST_INTEGER)
    if too_large.any():
        place = np.unravel_index(int(np.argmax(too_large)), values.shape)
        raise source.error(
            f"has the integer {values[place]:,} in row {first_row + place[0]}, expected at most "
            f"{MOST_INTEGER:,} (2**53), since float64 rounds larger ones. Subtract an offset from "
            "the column, or leave it out"
        )
