"""Exact quantiles of a stream that is read several times, in constant memory.

The bits of floats, with the sign handled (`sortable`), have the same order as the floats. The value
of a given rank is found digit by digit, the leading digit first, as in a radix sort: each pass
counts how often each next digit follows the digits known so far (Knuth, The Art of Computer
Programming 3, 2nd ed., section 5.2.5). The counts are integers, so the result is exact and does not
depend on the order of reading.
"""

from collections.abc import Sequence

import numpy as np

# Bits found in one pass.
DIGIT = 11


class Quantiles:
    """Quantiles of one column, interpolated between neighbouring values as NumPy does by default.

    ::

        while quantiles.needs_pass:
            for each chunk of the column: quantiles.update(chunk)
            quantiles.end_pass()
        quantiles.values()

    float32 takes 3 passes, float64 takes 6.

    Parameters
    ----------
    count : int
        Number of values, at least 1.
    shares : sequence of float
        The quantiles to compute, each from 0 to 1.
    dtype : {"float32", "float64"}
        Type of the values.
    """

    def __init__(self, count: int, shares: Sequence[float], dtype: str):
        self._dtype = np.dtype(dtype)
        self._positions = [share * (count - 1) for share in shares]
        lower = [int(position) for position in self._positions]
        ranks = {rank for low in lower for rank in (low, min(low + 1, count - 1))}
        # For each rank: the bits known so far, and the rank among the values with these bits.
        self._found = {rank: (0, rank) for rank in sorted(ranks)}
        self._unknown = 8 * self._dtype.itemsize
        self._begin_pass()

    @property
    def needs_pass(self) -> bool:
        """Whether another pass is needed."""
        return self._unknown > 0

    def _begin_pass(self) -> None:
        self._digit = min(DIGIT, self._unknown)
        known = {bits for bits, _ in self._found.values()}
        self._counts = {bits: np.zeros(2**self._digit, np.int64) for bits in sorted(known)}

    def update(self, values: np.ndarray) -> None:
        """Count values, shape (n,), without NaN. Needs up to `COPIES` times their memory."""
        keys = sortable(values.astype(self._dtype))
        keys >>= keys.dtype.type(self._unknown - self._digit)
        for bits, counts in self._counts.items():
            digits = keys - keys.dtype.type(bits << self._digit)
            digits = digits[digits < len(counts)]  # others wrap around to large numbers
            counts += np.bincount(digits.astype(np.intp), minlength=len(counts))

    def end_pass(self) -> None:
        """Find the next digit of every rank."""
        for rank, (bits, place) in self._found.items():
            cumulative = np.cumsum(self._counts[bits])
            digit = int(np.searchsorted(cumulative, place, side="right"))
            before = int(cumulative[digit - 1]) if digit else 0
            self._found[rank] = (bits << self._digit) + digit, place - before
        self._unknown -= self._digit
        self._begin_pass()

    def values(self) -> np.ndarray:
        """Return the quantiles, shape (shares,), float64."""
        keys = np.array([bits for bits, _ in self._found.values()], f"u{self._dtype.itemsize}")
        floats = unsorted(keys).astype(np.float64)
        by_rank = dict(zip(self._found, floats, strict=True))
        last = max(by_rank)
        return np.array(
            [
                by_rank[int(p)] + (p % 1) * (by_rank[min(int(p) + 1, last)] - by_rank[int(p)])
                for p in self._positions
            ]
        )


# Number of temporary arrays, of 8 bytes per value, that `Quantiles.update` makes of a chunk.
COPIES = 5


def quantile_bytes(shares: int) -> int:
    """Memory, in bytes, of the counts of one column: two ranks for each share."""
    return 2 * shares * 8 * 2**DIGIT


def sortable(values: np.ndarray) -> np.ndarray:
    """Return unsigned integers in the order of the floats; 0 and -0 give the same integer."""
    bits = (values + values.dtype.type(0)).view(f"u{values.itemsize}")
    top = bits.dtype.type(1 << (8 * values.itemsize - 1))
    return np.where(bits & top, ~bits, bits | top)


def unsorted(keys: np.ndarray) -> np.ndarray:
    """Return the floats of the integers that `sortable` returned."""
    top = keys.dtype.type(1 << (8 * keys.itemsize - 1))
    return np.where(keys & top, keys ^ top, ~keys).view(f"f{keys.itemsize}")
