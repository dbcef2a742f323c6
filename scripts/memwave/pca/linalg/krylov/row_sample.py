"""A few rows of many, whose leading directions are a good start for those of all."""

from collections.abc import Callable, Sequence

import numpy as np


class RowSample:
    """Rows of a shard, kept as they come.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        What is subtracted from the rows that `update` gets.
    dtype : {"float32", "float64"}
        Type of the rows.
    """

    def __init__(self, shift: np.ndarray, dtype: str):
        self.shift = shift.astype(dtype)
        self._pieces: list[np.ndarray] = []

    def update(self, block: np.ndarray) -> None:
        self._pieces.append(block.copy())

    def finish(self) -> None:
        """Rows need nothing further."""

    @property
    def rows(self) -> np.ndarray:
        """All rows so far, less the shift, shape (n, d)."""
        nothing = np.empty((0, len(self.shift)), self.shift.dtype)
        return np.concatenate(self._pieces or [nothing])

    def arrays(self) -> dict[str, np.ndarray]:
        return {"shift": self.shift, "rows": self.rows}


def mean_of(samples: Sequence[RowSample]) -> tuple[np.ndarray, float]:
    """Mean of all rows, shape (d,), and their mean squared distance from it; float64."""
    count, total = 0, np.zeros(len(samples[0].shift))
    for sample in samples:
        rows = sample.rows
        total += rows.sum(axis=0, dtype=np.float64) + len(rows) * sample.shift.astype(np.float64)
        count += len(rows)
    mean, squares = total / count, 0.0
    for sample in samples:
        for row in sample.rows:
            apart = row.astype(np.float64) + (sample.shift - mean)
            squares += float(apart @ apart)
    return mean, squares / count


def leading_directions(
    samples: Sequence[RowSample], count: int | Callable[[np.ndarray], int]
) -> np.ndarray:
    """Leading directions of the rows about their mean, of length one; shape (at most count, d).

    By the Gram matrix of the rows (Sirovich 1987), in the type of the rows: a start need not be
    exact. There are fewer where rows are fewer, or have no more directions than rounding makes.
    `count` may be a function of the eigenvalues of the Gram matrix, descending.
    """
    mean = mean_of(samples)[0]
    pieces = [sample.rows + (sample.shift - mean).astype(sample.shift.dtype) for sample in samples]
    rows = np.concatenate(pieces)
    del pieces
    largest = float(np.abs(rows).max(initial=0.0))
    if count == 0 or not 0 < largest < np.inf:
        return np.empty((0, len(mean)))
    rows /= largest
    values, turn = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    wanted = count(np.maximum(values[::-1], 0.0)) if callable(count) else count
    if wanted == 0:
        return np.empty((0, len(mean)))
    values, turn = values[::-1][:wanted], turn[:, ::-1][:, :wanted]
    real = values > 10 * len(rows) * np.finfo(rows.dtype).eps * values[0]
    scaled = (turn[:, real] / np.sqrt(values[real])).astype(rows.dtype)
    return scaled.T @ rows


def sample_bytes(d: int, n_rows: int, itemsize: int) -> int:
    """Memory of a sample of so many rows, and of its leading directions."""
    return 3 * itemsize * n_rows * d + 5 * 8 * n_rows * n_rows + 8 * 4 * d
