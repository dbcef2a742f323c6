"""The low-rank sketch of a scatter matrix that `memwave.pca.solvers.incremental` updates.

The scatter that a truncation drops is positive semidefinite. So the eigenvalues of the sketch are
never too large and, by Weyl's inequality (Horn and Johnson, Matrix Analysis, 2nd ed., theorem
4.3.1), too small by at most the sum of the largest eigenvalues dropped. The rounding of every
truncation is estimated and added to this bound.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.precision import require_no_overflow
from memwave.core.ranges import spans
from memwave.pca.linalg.short_products import mean_rounding
from memwave.pca.linalg.triangle import Triangle
from memwave.pca.solvers.covariance import Scatter, leading_eigenpairs_in_place

# Error of a Gram matrix and its eigenvalues, in units of the last place.
ROUNDING = 4

# Number of random vectors that estimate the rounding of a new basis, and the factor by which the
# estimate is increased. It is then too small less than once in a million truncations, even if all
# of the rounding lies in one direction (a tail of the chi-squared distribution with 10 degrees of
# freedom).
PROBES, PROBED = 10, 5.5
PROBED_ROWS = 128  # rows that are multiplied at once


class Sketch:
    """Rows seen so far, as count, mean and B with B'B nearly their scatter matrix.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        Vector that the caller subtracts from the rows before `update`.
    rank : int
        Most rows of B.
    batch_rows : int
        Rows between two truncations.
    dtype : {"float32", "float64"}
        Type of the rows and of B.

    Attributes
    ----------
    dropped : float
        Sum of the largest eigenvalues dropped and of the rounding: bound of every eigenvalue's
        error.
    dropped_trace : float
        Sum of all eigenvalues dropped.
    """

    def __init__(self, shift: np.ndarray, rank: int, batch_rows: int, dtype: str):
        d = len(shift)
        self.shift = shift.astype(dtype)
        self.count, self.mean = 0, self.shift.astype(np.float64)
        self.dropped = self.dropped_trace = 0.0
        # Small matrices are stored in float64, since they are truncated more often.
        self.basis = np.zeros((0, d), "float64" if tall(d, rank, batch_rows) else dtype)
        self._rank, self._batch_rows, self._dtype = rank, batch_rows, dtype
        self._pending: Scatter | np.ndarray | None = None  # the incomplete batch
        self._waiting = 0  # its rows so far

    def update(self, block: np.ndarray) -> None:
        while len(block):
            if self._pending is None:
                self._pending = self._empty_batch()
            taken = block[: self._batch_rows - self._waiting]
            if isinstance(self._pending, Scatter):
                self._pending.update(taken)
            else:
                start = self._rank + self._waiting
                self._pending[start : start + len(taken)] = taken
            self._waiting += len(taken)
            block = block[len(taken) :]
            if self._waiting == self._batch_rows:
                self.absorb()

    def _empty_batch(self) -> "Scatter | np.ndarray":
        d = len(self.shift)
        if tall(d, self._rank, self._batch_rows):
            return Scatter(self.shift, self._dtype)
        return np.empty((self._rank + self._batch_rows + 1, d), self._dtype)

    def absorb(self) -> None:
        """Add the batch, even if it is incomplete, and truncate."""
        if not self._waiting:
            return
        if isinstance(self._pending, Scatter):
            self._absorb_scatter(self._pending)
            self._pending = None
        elif self._pending is not None:
            batch = self._pending[self._rank : self._rank + self._waiting]
            offset = (np.ones(len(batch), self._dtype) @ batch).astype(np.float64) / len(batch)
            batch -= offset.astype(self._dtype)
            self._absorb_rows(len(batch), self.shift + offset)
        self._waiting = 0

    def _absorb_rows(self, count: int, mean: np.ndarray) -> None:
        """Truncate B, the centred batch and the row for the mean, stacked in the buffer."""
        assert isinstance(self._pending, np.ndarray)
        begin = self._rank - len(self.basis)
        stack = self._pending[begin : self._rank + count + 1]
        stack[: len(self.basis)] = self.basis
        stack[-1] = self._move_mean(count, mean)
        self._truncate(stack)

    def _truncate(self, stack: np.ndarray) -> None:
        gram = stack @ stack.T
        trace, rank = float(np.trace(gram, dtype=np.float64)), min(self._rank, *stack.shape)
        require_no_overflow(trace)
        values, vectors = leading_eigenpairs_in_place(gram, min(rank + 1, len(stack)), driver="evr")
        leading = vectors[:, -rank:]
        # The vectors may be less than orthogonal. The stack is projected onto their span.
        correction = np.linalg.inv(np.linalg.cholesky(leading.T @ leading))
        weights = correction @ leading.T
        self.basis = weights @ stack
        self.dropped += basis_rounding(weights, stack, self.basis, float(values[-1]))
        self._drop(values, rank, trace)

    def _absorb_scatter(self, batch: Scatter) -> None:
        batch.center()
        batch.products.add_outer(1.0, self._move_mean(batch.count, batch.mean))
        for start, stop, panel in batch.products.panels():
            panel += self.basis[:, start:stop].T @ self.basis[:, start:]
        matrix, batch.products = batch.products.full(), Triangle(0)
        trace, rank = float(np.trace(matrix)), min(self._rank, len(matrix))
        require_no_overflow(trace)
        values, vectors = leading_eigenpairs_in_place(matrix, min(rank + 1, len(matrix)))
        scale = np.sqrt(np.maximum(values[-rank:], 0.0))
        self.basis = np.ascontiguousarray((vectors[:, -rank:] * scale).T)
        self.dropped += batch.rounding
        self._drop(values, rank, trace)

    def _move_mean(self, count: int, mean: np.ndarray) -> np.ndarray:
        """Update count and mean; return the row whose outer product is added to the scatter."""
        total = self.count + count
        difference = mean - self.mean
        weight = self.count * count / total
        row = np.sqrt(weight) * difference
        moved = mean_rounding(self.mean, mean)
        self.dropped += weight * moved * (2 * float(np.linalg.norm(difference)) + moved)
        self.mean = self.mean + difference * (count / total)
        self.count = total
        return row

    def _drop(self, values: np.ndarray, rank: int, trace: float) -> None:
        """Add the eigenvalues after the first `rank`, and their rounding, to the bounds."""
        self.dropped += ROUNDING * float(np.finfo(self.basis.dtype).eps) * float(values[-1])
        if len(values) > rank:
            self.dropped += float(max(0.0, values[0]))
            left = float(np.vecdot(self.basis, self.basis).sum(dtype=np.float64))
            self.dropped_trace += max(0.0, trace - left)

    def merge(self, other: "Sketch") -> None:
        """Add the rows of another sketch."""
        self.dropped += other.dropped
        self.dropped_trace += other.dropped_trace
        row = self._move_mean(other.count, other.mean)
        self._truncate(np.vstack([self.basis, other.basis, row.astype(self.basis.dtype)]))

    def finish(self) -> None:
        self.absorb()

    def arrays(self) -> dict[str, np.ndarray]:
        if self._waiting:
            raise ValueError(f"{self._waiting} rows are not added yet: call finish first")
        return {
            "count": np.array(self.count),
            "mean": self.mean,
            "basis": self.basis,
            "dropped": np.array([self.dropped, self.dropped_trace]),
        }


def basis_rounding(
    weights: np.ndarray, stack: np.ndarray, basis: np.ndarray, largest: float
) -> float:
    """Estimate the distance of ``basis' basis`` from a projection of the stack's scatter.

    It is a projection if the rows of the weights are orthonormal and ``basis = weights @ stack``.
    Both errors are computed in float64, that of the product by random vectors (Halko, Martinsson
    and Tropp, Finding structure with randomness, SIAM Review 53 (2011), section 4.3).
    """
    exact = weights.astype(np.float64, copy=False)
    oblique = float(np.linalg.norm(exact @ exact.T - np.eye(len(exact))))
    probes = np.random.default_rng(len(stack)).standard_normal((stack.shape[1], PROBES))
    images = np.vstack([rows.astype(np.float64, copy=False) @ probes for rows in few_rows(stack)])
    difference = np.vstack([rows.astype(np.float64) @ probes for rows in few_rows(basis)])
    difference -= exact @ images
    lost = PROBED * float(np.linalg.norm(difference)) / np.sqrt(PROBES)
    return 2 * oblique * largest + lost * (2 * np.sqrt(max(largest, 0.0)) + lost)


def few_rows(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a few rows at a time, so that a copy of them is small."""
    return (rows[start:stop] for start, stop in spans(0, len(rows), PROBED_ROWS))


def tall(d: int, rank: int, batch_rows: int) -> bool:
    """Whether a batch takes less memory as a d x d matrix than as rows."""
    return rank + batch_rows + 1 > d
