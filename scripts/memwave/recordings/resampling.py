"""Rows of a recording at another sampling rate, a stretch at a time.

Planned row m lies at row m * down / up of the recording as it is stored. Every number is the one
that ``scipy.signal.resample_poly`` gives for the whole recording, in whatever chunks it is read.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from memwave.core.ranges import MEGABYTE, spans

# Planned rows for stored ones: up for down.
Ratio = tuple[int, int]

# The filter has 20 times as many coefficients as the larger number of a ratio.
LARGEST = 1_000

# Rates in files are decimals, which a ratio may not miss by more: a row in 10**9.
RATIO_TOLERANCE = Fraction(1, 10**9)

# Stored rows, as float64, that are filtered at once.
PIECE_BYTES = 8 * MEGABYTE

# What scipy.signal takes, 31 MB, and its filter of at most 20,001 coefficients.
LIBRARY_BYTES = 40 * MEGABYTE

# Stored labels that are read at once: with their places they take less than `labels.labels_bytes`.
LABEL_ROWS = 65_536


def ratio_of(rate: float, wanted: float) -> Ratio | None:
    """How many rows there are for how many at the wanted rate, in lowest terms.

    Returns
    -------
    (up, down) : tuple of int
        At most `LARGEST`; None if there are no such numbers.
    """
    exact = Fraction(str(wanted)) / Fraction(str(rate))
    near = exact.limit_denominator(LARGEST)
    if near.numerator > LARGEST or abs(near - exact) > RATIO_TOLERANCE * exact:
        return None
    return near.numerator, near.denominator


def resampled_rows(rows: int, ratio: Ratio | None) -> int:
    """Length of a recording of so many stored rows, resampled."""
    up, down = ratio or (1, 1)
    return -(-rows * up // down)


def nearest_rows(start: int, stop: int, ratio: Ratio, rows: int) -> np.ndarray:
    """Stored rows, of `rows`, nearest to the planned rows ``start:stop``; the later of two."""
    up, down = ratio
    return np.minimum((2 * np.arange(start, stop) * down + up) // (2 * up), rows - 1)


def load_library() -> None:
    """Import what resampling needs, before memory is limited; see `process.stage`."""
    # Only here, since those that resample nothing have no room for it.
    import scipy.signal  # noqa: F401


class Resampled:
    """A recording at another rate.

    Parameters
    ----------
    source : ArraySource
        The recording as it is stored.
    ratio : (up, down)
    check : callable
        ``check(rows, start)`` refuses stored rows with values that cannot be filtered.

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
        # The filter of resample_poly, made once.
        self._filter = firwin(2 * _half(ratio) + 1, 1 / max(ratio), window=("kaiser", 5.0))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``, float64, shape (stop - start, n_channels).

        Beside them, needs what `resampling_bytes` says.
        """
        rows = np.empty((stop - start, self.shape[1]))
        for low, high in spans(start, stop, _piece_rows(self._ratio, self.shape[1])):
            rows[low - start : high - start] = self._resample(low, high)
        return rows

    def _resample(self, start: int, stop: int) -> np.ndarray:
        from scipy.signal import resample_poly

        (up, down), half = self._ratio, _half(self._ratio)
        # Where a multiple of down begins, the filter is in the phase it has at the very first row.
        low = max(0, (start * down - half) // up) // down * down
        high = min(self._source.shape[0], ((stop - 1) * down + half) // up + 1)
        stored = self._source.read(low, high)
        self._check(stored, low)
        resampled = resample_poly(stored.astype(np.float64), up, down, window=self._filter)
        first = low * up // down
        return resampled[start - first : stop - first]


class Nearest:
    """Labels of rows at another rate: each row has that of the stored row nearest to it.

    Parameters
    ----------
    source : ArraySource
        A label for each stored row.
    ratio : (up, down)
    """

    def __init__(self, source, ratio: Ratio):
        self._source, self._ratio = source, ratio
        self.shape = (resampled_rows(source.shape[0], ratio), *source.shape[1:])
        self.dtype = source.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the labels of the rows ``start:stop``; beside them, needs `LABEL_ROWS` twice."""
        up, down = self._ratio
        labels = np.empty(stop - start, self.dtype)
        for low, high in spans(start, stop, max(1, LABEL_ROWS * up // max(up, down))):
            rows = nearest_rows(low, high, self._ratio, self._source.shape[0])
            stored = self._source.read(int(rows[0]), int(rows[-1]) + 1)
            labels[low - start : high - start] = stored[rows - rows[0]]
        return labels


def resampling_bytes(ratios: Iterable[Ratio | None], n_channels: int) -> int:
    """Memory of resampling by any of some ratios, beside the rows that come out."""
    return max((_piece_bytes(ratio, n_channels) for ratio in ratios if ratio), default=0)


def _piece_bytes(ratio: Ratio, n_channels: int) -> int:
    (up, down), planned = ratio, _piece_rows(ratio, n_channels)
    # The filter reaches beyond both ends; a multiple of down begins up to down rows earlier.
    stored = -(-planned * down // up) + 2 * _half(ratio) // up + down + 2
    resampled = resampled_rows(stored, ratio) + 2 * _half(ratio) // down + 2
    # Stored rows as read, as float64 and copied to be filtered, with a flag each; what comes out.
    return LIBRARY_BYTES + n_channels * (25 * stored + 16 * resampled)


def _half(ratio: Ratio) -> int:
    """Coefficients of the filter on either side of its middle, as in resample_poly."""
    return 10 * max(ratio)


def _piece_rows(ratio: Ratio, n_channels: int) -> int:
    """Planned rows that are computed at once."""
    return ratio[0] * max(1, PIECE_BYTES // (8 * n_channels * max(ratio)))
