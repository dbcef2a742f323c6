"""Count, mean and sum of squares of the columns of a matrix, block by block, merged exactly."""

import numpy as np


class Moments:
    """Count, mean and ``sum (x - mean)^2`` of every column, missing values (NaN) left out.

    Blocks are summed about their own mean and merged as in Chan, Golub and LeVeque, "Algorithms
    for computing the sample variance", The American Statistician 37 (1983), equation 2.1. A column
    that holds one value only has exactly that mean and no squares.

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
        """Take in rows, shape (n, d), float64. Needs as much memory again, and a byte a value."""
        valid = ~np.isnan(block)
        columns = np.arange(block.shape[1])
        anchor = np.nan_to_num(block[valid.argmax(axis=0), columns])
        centred = np.where(valid, block, anchor)
        centred -= anchor
        other = Moments(len(columns))
        other.count = valid.sum(axis=0, dtype=np.float64)
        offset = centred.sum(axis=0) / np.maximum(other.count, 1)
        centred -= offset
        # What stands for a missing value is not to count: it is the anchor.
        missing = len(block) - other.count
        other.squares = np.einsum("ij,ij->j", centred, centred) - missing * offset**2
        other.mean = anchor + offset
        self.merge(other)

    def merge(self, other: "Moments") -> None:
        """Add the rows of another set."""
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
        """Everything it knows, to be stored and later given to `of_arrays`."""
        return {"count": self.count, "mean": self.mean, "squares": self.squares}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Moments":
        moments = cls(len(arrays["mean"]))
        moments.count, moments.mean = arrays["count"], arrays["mean"]
        moments.squares = arrays["squares"]
        return moments


def moments_bytes(d: int, block_rows: int) -> int:
    """Memory of taking in a block: the block, a copy, a byte a value, and a few of d values."""
    return 17 * block_rows * d + 16 * 8 * d
