"""Integers that float64 represents: all values become float64 before they are computed with."""

from collections.abc import Sequence

import numpy as np

from memwave.core.messages import shown
from memwave.readers.base import FileSource

# float64 represents all integers up to this one.
MOST_INTEGER = 2**53


def require_exact(
    source: FileSource,
    values: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    columns: Sequence[str | int] | None = None,
) -> None:
    """Raise MemwaveError that names the first integer that float64 would round.

    See `rounded_integer` for the parameters.
    """
    what = rounded_integer(values, rows, columns)
    if what is not None:
        raise source.error(what)


def rounded_integer(
    values: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    columns: Sequence[str | int] | None = None,
) -> str | None:
    """Say where the first integer is that float64 would round, and what to do.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, columns)
        Of any type; only integers of 64 bits can be too large. If all of them are at most
        `MOST_INTEGER`, only the largest and the smallest are looked for.
    rows : sequence of int
        Rows of the values in the file.
    columns : sequence of str or int, optional
        Names or numbers of the columns.

    Returns
    -------
    str or None
        The text of an error without a full stop; None if float64 represents all values.
    """
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8 or not values.size:
        return None
    if values.max() <= MOST_INTEGER and values.min() >= -MOST_INTEGER:
        return None
    size = values.astype(values.dtype.newbyteorder("="))
    if size.dtype.kind == "i":
        size = np.abs(size).view(np.uint64)  # also that of -2**63
    # float64 has 53 bits, from the highest one that is set to the lowest one.
    lowest = np.maximum(size & (~size + np.uint64(1)), np.uint64(1))
    inexact = size // lowest > MOST_INTEGER
    if not inexact.any():
        return None
    place = np.unravel_index(int(np.argmax(inexact)), values.shape)
    column = None if columns is None else columns[int(place[1]) if len(place) > 1 else 0]
    return too_large(int(values[place]), int(rows[int(place[0])]), column)


def too_large(value: int, row: int, column: str | int | None) -> str:
    """Say that float64 would round an integer, and what to do."""
    named = "" if column is None else f", column {shown(column)}"
    return (
        f"has the integer {value:,} in row {row}{named}, expected at most {MOST_INTEGER:,} (2**53),"
        " since float64 rounds larger ones. Subtract an offset from the column, or leave it out"
    )
