"""Count, mean and sum of squares of the columns of a matrix, computed and merged by blocks."""

import numpy as np


class Moments:
    """Count, mean and ``sum (x - mean)^2`` of every column, without missing values (NaN).

    Each block is summed about its own mean. Blocks are merged as in Chan, Golub and LeVeque,
    "Algorithms for computing the sample variance", The American Statistician 37 (1983), equation
    2.1. If all values of a column are equal, its mean is exactly that value and its squares are 0.

    Parameters
    ----------
    width : int
        Number of columns, d.

    Attributes
    ----------
    count, mean, squares : ndarray, shape (d,), float64
    """

    def __init__(self, width: int):
        self.count, self.mean, self.squares = (np.zeros(width) for _ in range(3))

    def update(self, block: np.ndarray) -> None:
        """Add rows, shape (n, d), float64. Needs memory for a copy and one byte per value."""
        valid = ~np.isnan(block)
        columns = np.arange(block.shape[1])
        anchor = np.nan_to_num(block[valid.argmax(axis=0), columns])
        centred = np.where(valid, block, anchor)
        centred -= anchor
        other = Moments(len(columns))
        other.count = valid.sum(axis=0, dtype=np.float64)
        offset = centred.sum(axis=0) / np.maximum(other.count, 1)
        centred -= offset
        # Missing values were replaced by the anchor. Remove their share of the squares.
        missing = len(block) - other.count
        other.squares = np.einsum("ij,ij->j", centred, centred) - missing * offset**2
        other.mean = anchor + offset
        self.merge(other)

    def merge(self, other: "Moments") -> None:
        """Add the rows that another `Moments` has counted."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        difference = other.mean - self.mean
        self.squares = self.squares + other.squares + self.count * share * difference**2
        self.mean = np.where(self.count == 0, other.mean, self.mean + share * difference)
        self.count = total

    @property
    def std(self) -> np.ndarray:
        """Standard deviations (n - 1 in the denominator), shape (d,); 0 for a single row."""
        return np.sqrt(np.maximum(self.squares, 0.0) / np.maximum(self.count - 1, 1))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the state as arrays, for storage; `of_arrays` restores it."""
        return {"count": self.count, "mean": self.mean, "squares": self.squares}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Moments":
        """Restore the state that `arrays` returned."""
        moments = cls(len(arrays["mean"]))
        moments.count, moments.mean = arrays["count"], arrays["mean"]
        moments.squares = arrays["squares"]
        return moments


def moments_bytes(d: int, block_rows: int) -> int:
    """Memory, in bytes, of `Moments.update`: block, copy, a byte per value, 16 arrays of (d,)."""
    return 17 * block_rows * d + 16 * 8 * d
