"""Resampling of a recording, chunk by chunk.

Resampled row m lies at row m * down / up of the stored recording. The values are those of
``scipy.signal.resample_poly`` for the whole recording; they do not depend on the chunks.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from memwave.core.ranges import MEGABYTE, spans

# (up, down): `up` resampled rows for every `down` stored rows.
Ratio = tuple[int, int]

# Largest number in a ratio. The filter has 20 times as many coefficients as the larger number.
LARGEST = 1_000

# Rates in files are rounded decimals. A ratio may differ from them by one row in 10**9.
RATIO_TOLERANCE = Fraction(1, 10**9)

# Bytes of a chunk: stored rows, as float64, that are filtered at once.
BLOCK_BYTES = 8 * MEGABYTE

# Memory of scipy.signal, 31 MB, and of a filter of at most 20,001 coefficients.
LIBRARY_BYTES = 40 * MEGABYTE

# Stored labels read at once. With their row numbers they need less than `coding.labels_bytes`.
LABEL_ROWS = 65_536


def ratio_of(rate: float, wanted: float) -> Ratio | None:
    """Return ``wanted / rate`` as a ratio of integers in lowest terms.

    Parameters
    ----------
    rate, wanted : float
        Stored and resampled rate, in Hz.

    Returns
    -------
    (up, down) : tuple of int
        Both at most `LARGEST`; None if no such ratio is within `RATIO_TOLERANCE`.
    """
    exact = Fraction(str(wanted)) / Fraction(str(rate))
    near = exact.limit_denominator(LARGEST)
    if near.numerator > LARGEST or abs(near - exact) > RATIO_TOLERANCE * exact:
        return None
    return near.numerator, near.denominator


def resampled_rows(rows: int, ratio: Ratio | None) -> int:
    """Return the number of rows of a recording after resampling; `rows` is the stored number."""
    up, down = ratio or (1, 1)
    return -(-rows * up // down)


def nearest_rows(start: int, stop: int, ratio: Ratio, rows: int) -> np.ndarray:
    """Return the stored row nearest to each of the resampled rows ``start:stop``.

    The recording has `rows` stored rows. Of two equally near rows, the later one is taken.
    """
    up, down = ratio
    return np.minimum((2 * np.arange(start, stop) * down + up) // (2 * up), rows - 1)


def load_library() -> None:
    """Import the library that resampling needs, before memory is limited; see `process.stage`."""
    # Imported here only: stages that do not resample have no memory for it.
    import scipy.signal  # noqa: F401


class Resampled:
    """A resampled recording.

    Parameters
    ----------
    source : ArraySource
        The stored recording.
    ratio : (up, down)
    check : callable
        ``check(rows, start)`` raises MemwaveError if stored rows have values that cannot be
        filtered.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        float64.
    """

    def __init__(self, source, ratio: Ratio, check: Callable[[np.ndarray, int], None]):
        from scipy.signal import firwin

        self._source, self._ratio, self._check = source, ratio, check
        self.shape = resampled_rows(source.shape[0], ratio), source.shape[1]
        self.dtype = np.dtype(np.float64)
        # The default filter of resample_poly, computed once.
        self._filter = firwin(2 * _half(ratio) + 1, 1 / max(ratio), window=("kaiser", 5.0))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``, float64, shape (stop - start, n_channels).

        Needs the memory of the rows and `resampling_bytes`.
        """
        rows = np.empty((stop - start, self.shape[1]))
        for low, high in spans(start, stop, _piece_rows(self._ratio, self.shape[1])):
            rows[low - start : high - start] = self._resample(low, high)
        return rows

    def _resample(self, start: int, stop: int) -> np.ndarray:
        from scipy.signal import resample_poly

        (up, down), half = self._ratio, _half(self._ratio)
        # At a multiple of `down` the filter has the same phase as at row 0.
        low = max(0, (start * down - half) // up) // down * down
        high = min(self._source.shape[0], ((stop - 1) * down + half) // up + 1)
        stored = self._source.read(low, high)
        self._check(stored, low)
        resampled = resample_poly(stored.astype(np.float64), up, down, window=self._filter)
        first = low * up // down
        return resampled[start - first : stop - first]


class Nearest:
    """Resampled labels of rows: each row has the label of the nearest stored row.

    Parameters
    ----------
    source : ArraySource
        One label per stored row.
    ratio : (up, down)
    """

    def __init__(self, source, ratio: Ratio):
        self._source, self._ratio = source, ratio
        self.shape = (resampled_rows(source.shape[0], ratio), *source.shape[1:])
        self.dtype = source.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the labels of the rows ``start:stop``. Needs memory for 2 * `LABEL_ROWS` more."""
        up, down = self._ratio
        labels = np.empty(stop - start, self.dtype)
        for low, high in spans(start, stop, max(1, LABEL_ROWS * up // max(up, down))):
            rows = nearest_rows(low, high, self._ratio, self._source.shape[0])
            stored = self._source.read(int(rows[0]), int(rows[-1]) + 1)
            labels[low - start : high - start] = stored[rows - rows[0]]
        return labels


def resampling_bytes(ratios: Iterable[Ratio | None], n_channels: int) -> int:
    """Memory, in bytes, of resampling by the most demanding ratio, without the resulting rows."""
    return max((_piece_bytes(ratio, n_channels) for ratio in ratios if ratio), default=0)


def _piece_bytes(ratio: Ratio, n_channels: int) -> int:
    (up, down), planned = ratio, _piece_rows(ratio, n_channels)
    # The filter needs rows beyond both ends, and reading starts at a multiple of `down`.
    stored = -(-planned * down // up) + 2 * _half(ratio) // up + down + 2
    resampled = resampled_rows(stored, ratio) + 2 * _half(ratio) // down + 2
    # Stored rows: as read, as float64, a copy to filter, one flag each. Resampled rows: two copies.
    return LIBRARY_BYTES + n_channels * (25 * stored + 16 * resampled)


def _half(ratio: Ratio) -> int:
    """Return the number of filter coefficients on each side of its center, as in resample_poly."""
    return 10 * max(ratio)


def _piece_rows(ratio: Ratio, n_channels: int) -> int:
    """Return the number of resampled rows that are computed at once."""
    return ratio[0] * max(1, BLOCK_BYTES // (8 * n_channels * max(ratio)))
