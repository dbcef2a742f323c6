"""Long series in few bins: the range of values and the most frequent class in each bin."""

import numpy as np

BINS = 400


class Timeline:
    """Ranges of series of values, filled block by block. Rows may be missing.

    Parameters
    ----------
    n_rows : int
        Number of rows, including missing ones.
    n_series, n_classes : int
        Number of values per row, and of classes.

    Attributes
    ----------
    low, high : ndarray, shape (bins, n_series)
        Smallest and largest value in each bin; inf and -inf in bins without rows.
    edges : ndarray, shape (bins + 1,)
        First row of each bin, and at the end the number of rows.
    """

    def __init__(self, n_rows: int, n_series: int, n_classes: int):
        bins = min(BINS, n_rows)
        self._n_rows = n_rows
        self.edges = -(-np.arange(bins + 1) * n_rows // bins)
        self.low = np.full((bins, n_series), np.inf)
        self.high = np.full((bins, n_series), -np.inf)
        self._counts = np.zeros((bins, n_classes), dtype=np.int64)

    def add(self, rows: np.ndarray, values: np.ndarray, classes: np.ndarray) -> None:
        """Add rows, given by their numbers; shapes (n,), (n, n_series) and (n,)."""
        bins = rows * len(self.low) // self._n_rows
        np.minimum.at(self.low, bins, values)
        np.maximum.at(self.high, bins, values)
        np.add.at(self._counts, (bins, classes), 1)

    @property
    def classes(self) -> np.ndarray:
        """Most frequent class in each bin; -1 in bins without rows."""
        return np.where(self._counts.any(axis=1), self._counts.argmax(axis=1), -1)


def timeline_bytes(n_series: int, n_classes: int, block_rows: int) -> int:
    """Memory, in bytes, of filling a timeline."""
    return 8 * BINS * (2 * n_series + n_classes + 1) + block_rows * (16 * n_series + 40)
