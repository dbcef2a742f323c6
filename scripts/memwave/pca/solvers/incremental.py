"""Incremental PCA: a low-rank sketch of the scatter matrix, updated batch by batch.

The method is that of Ross, Lim, Lin and Yang, "Incremental learning for robust visual tracking",
Int. J. Computer Vision 77 (2008), section 3.2: the scatter of all rows so far is kept as B'B with
few rows in B; a batch is stacked under B with one more row for the shift of the mean, and the stack
is cut back to its leading singular vectors. Instead of an SVD of the tall stack, its small Gram
matrix is decomposed (or, where a batch has more rows than features, its scatter matrix).

What each cut drops is positive semidefinite, so the eigenvalues of the sketch are never too large,
and, by Weyl's inequality (Horn and Johnson, Matrix Analysis, 2nd ed., theorem 4.3.1), never too
small by more than the sum of the largest eigenvalues dropped. What every cut rounds is estimated
and added to that.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.precision import require_no_overflow
from memwave.core.ranges import interleave, spans
from memwave.pca.linalg.short_products import gamma, mean_rounding
from memwave.pca.linalg.triangle import Triangle, triangle_size
from memwave.pca.model import Model, from_eigenpairs
from memwave.pca.solvers import Work
from memwave.pca.solvers.covariance import Scatter, leading_eigenpairs_in_place, reduction_bytes

LIBRARIES = ("scipy.linalg",)
OPTIONS: dict[str, dict] = {
    "batch_rows": {
        "type": "integer",
        "minimum": 1,
        "default": 1024,
        "description": "Rows of a batch, after which the basis is truncated; at least four times "
        "inner_rank. A batch is a sample of the whole shard.",
    },
    "inner_rank": {
        "type": ["integer", "null"],
        "minimum": 1,
        "default": None,
        "description": "Rank of the basis between batches; at least n_components. A larger rank "
        "needs more time and memory and makes the result more exact. null: six times "
        "n_components.",
    },
}

# Bytes read in one place before a batch moves on: small enough for a batch to sample the whole
# shard, large enough for a disk.
RUN_BYTES = 65_536

# Truncating every few rows loses more than it saves: the batch is at least so many times the rank.
ROWS_PER_RANK = 4

# A Gram matrix and its eigenvalues are off by about this many units of the last place.
ROUNDING = 4

# Random vectors that the rounding of a new basis is measured with, and by how much the estimate may
# be too small: less once in a million cuts, even if all of it lies in one direction (a tail of the
# chi-squared distribution with 10 degrees of freedom).
PROBES, PROBED = 10, 5.5
PIECE = 128


def inner_rank(d: int, settings: dict) -> int:
    """Rows that the sketch keeps."""
    k = settings["n_components"]
    return min(d, max(k, settings["inner_rank"] or 6 * k))


def batch_rows(d: int, settings: dict) -> int:
    """Rows between two truncations."""
    return max(settings["batch_rows"], ROWS_PER_RANK * inner_rank(d, settings))


class Sketch:
    """Rows seen so far, as count, mean and B with B'B nearly their scatter matrix.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        What is subtracted from the rows that `update` gets.
    rank : int
        Rows kept in B.
    batch_rows : int
        Rows between two truncations.
    dtype : {"float32", "float64"}
        Type of the rows and of B.

    Attributes
    ----------
    dropped : float
        Sum of the largest eigenvalues dropped, and of what was rounded: bound of every
        eigenvalue's error.
    dropped_trace : float
        Sum of all eigenvalues dropped.
    """

    def __init__(self, shift: np.ndarray, rank: int, batch_rows: int, dtype: str):
        d = len(shift)
        self.shift = shift.astype(dtype)
        self.count, self.mean = 0, self.shift.astype(np.float64)
        self.dropped = self.dropped_trace = 0.0
        # Small matrices are kept in float64: they are cut the more often, the smaller they are.
        self.basis = np.zeros((0, d), "float64" if tall(d, rank, batch_rows) else dtype)
        self._rank, self._batch_rows, self._dtype = rank, batch_rows, dtype
        self._pending: Scatter | np.ndarray | None = None  # the batch under way
        self._waiting = 0  # its rows so far

    def update(self, block: np.ndarray) -> None:
        while len(block):
            if self._pending is None:
                self._pending = self._room_for_a_batch()
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

    def _room_for_a_batch(self) -> "Scatter | np.ndarray":
        d = len(self.shift)
        if tall(d, self._rank, self._batch_rows):
            return Scatter(self.shift, self._dtype)
        return np.empty((self._rank + self._batch_rows + 1, d), self._dtype)

    def absorb(self) -> None:
        """Take the batch in, however few rows it has, and truncate."""
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
        trace, kept = float(np.trace(gram, dtype=np.float64)), min(self._rank, *stack.shape)
        require_no_overflow(trace)
        values, vectors = leading_eigenpairs_in_place(gram, min(kept + 1, len(stack)), driver="evr")
        leading = vectors[:, -kept:]
        # However orthogonal the vectors are, the stack is projected onto what they span.
        correction = np.linalg.inv(np.linalg.cholesky(leading.T @ leading))
        weights = correction @ leading.T
        self.basis = weights @ stack
        self.dropped += basis_rounding(weights, stack, self.basis, float(values[-1]))
        self._drop(values, kept, trace)

    def _absorb_scatter(self, batch: Scatter) -> None:
        batch.center()
        batch.products.add_outer(1.0, self._move_mean(batch.count, batch.mean))
        for start, stop, panel in batch.products.panels():
            panel += self.basis[:, start:stop].T @ self.basis[:, start:]
        matrix, batch.products = batch.products.full(), Triangle(0)
        trace, kept = float(np.trace(matrix)), min(self._rank, len(matrix))
        require_no_overflow(trace)
        values, vectors = leading_eigenpairs_in_place(matrix, min(kept + 1, len(matrix)))
        scale = np.sqrt(np.maximum(values[-kept:], 0.0))
        self.basis = np.ascontiguousarray((vectors[:, -kept:] * scale).T)
        self.dropped += batch.rounding
        self._drop(values, kept, trace)

    def _move_mean(self, count: int, mean: np.ndarray) -> np.ndarray:
        """Count rows in; return the row whose outer product is their share of the scatter."""
        total = self.count + count
        difference = mean - self.mean
        weight = self.count * count / total
        row = np.sqrt(weight) * difference
        moved = mean_rounding(self.mean, mean)
        self.dropped += weight * moved * (2 * float(np.linalg.norm(difference)) + moved)
        self.mean = self.mean + difference * (count / total)
        self.count = total
        return row

    def _drop(self, values: np.ndarray, kept: int, trace: float) -> None:
        self.dropped += ROUNDING * float(np.finfo(self.basis.dtype).eps) * float(values[-1])
        if len(values) > kept:
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
            raise ValueError(f"{self._waiting} rows are not taken in: call finish first")
        return {
            "count": np.array(self.count),
            "mean": self.mean,
            "basis": self.basis,
            "dropped": np.array([self.dropped, self.dropped_trace]),
        }


class Solver:
    """PCA in one pass and little memory, with a bound of its error."""

    ONE_PASS = True
    FROM_SIGNAL = False

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k = settings["n_components"]
        self._rank = inner_rank(n_features, settings)
        self._batch_rows = batch_rows(n_features, settings)
        self._dtype = dtype
        self._total: Sketch | None = None

    def row_order(self, n_rows: int, row_bytes: int, grain: int = 1) -> Iterator[tuple[int, int]]:
        run = max(1, min(RUN_BYTES // row_bytes, self._batch_rows))
        run = -(-run // grain) * grain
        return interleave(n_rows, run, max(1, n_rows // self._batch_rows))

    def start(self, shift: np.ndarray) -> Sketch:
        return Sketch(shift, self._rank, self._batch_rows, self._dtype)

    def restore(self, arrays: dict[str, np.ndarray]) -> Sketch:
        sketch = Sketch(arrays["mean"], self._rank, self._batch_rows, self._dtype)
        sketch.count, sketch.mean = int(arrays["count"]), arrays["mean"]
        sketch.basis = arrays["basis"]
        sketch.dropped, sketch.dropped_trace = map(float, arrays["dropped"])
        return sketch

    def merge(self, summary: Sketch) -> None:
        summary.absorb()
        if self._total is None:
            self._total = summary
        elif summary.count:
            self._total.merge(summary)

    def next_pass(self) -> bool:
        return False

    def finish(self) -> Model:
        assert self._total is not None
        total = self._total
        basis = total.basis.astype(np.float64)
        values, vectors = leading_eigenpairs_in_place(basis @ basis.T, min(self._k, len(basis)))
        components = orthonormal(vectors.T @ basis, self._k)
        scatter_trace = float(np.einsum("ij,ij->", basis, basis)) + total.dropped_trace
        rounding = gamma(2 * len(basis) + basis.shape[1], "float64") * scatter_trace
        return from_eigenpairs(
            np.pad(np.maximum(values, 0.0), (self._k - len(values), 0)) / (total.count - 1),
            components.T,
            mean=total.mean,
            total_variance=scatter_trace / (total.count - 1),
            n_samples=total.count,
            solver="incremental",
            eigenvalue_error_bound=(total.dropped + rounding) / (total.count - 1),
            notes={"inner_rank": self._rank, "batch_rows": self._batch_rows},
        )


def basis_rounding(
    weights: np.ndarray, stack: np.ndarray, basis: np.ndarray, largest: float
) -> float:
    """Estimate how far ``basis' basis`` is from a projection of the stack's scatter.

    It is one where the rows of the weights are orthonormal, and ``basis = weights @ stack``. How
    far they are from that is computed in float64, the latter on random vectors (Halko, Martinsson
    and Tropp, Finding structure with randomness, SIAM Review 53 (2011), section 4.3).
    """
    exact = weights.astype(np.float64, copy=False)
    oblique = float(np.linalg.norm(exact @ exact.T - np.eye(len(exact))))
    probes = np.random.default_rng(len(stack)).standard_normal((stack.shape[1], PROBES))
    images = np.vstack([piece.astype(np.float64, copy=False) @ probes for piece in pieces(stack)])
    difference = np.vstack([piece.astype(np.float64) @ probes for piece in pieces(basis)])
    difference -= exact @ images
    lost = PROBED * float(np.linalg.norm(difference)) / np.sqrt(PROBES)
    return 2 * oblique * largest + lost * (2 * np.sqrt(max(largest, 0.0)) + lost)


def pieces(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows at a time: a copy of them is small."""
    return (rows[start:stop] for start, stop in spans(0, len(rows), PIECE))


def orthonormal(rows: np.ndarray, k: int) -> np.ndarray:
    """Orthonormal rows, shape (k, d), ascending in importance as `rows`, (m <= k, d).

    Directions without variance, which have no row of their own, are completed to an orthonormal
    set, deterministically.
    """
    missing = k - len(rows)
    pool = np.vstack([rows[::-1], np.eye(missing, rows.shape[1])])
    q, r = np.linalg.qr(pool.T)
    return (q * np.where(np.diag(r) < 0, -1.0, 1.0)).T[::-1]


def tall(d: int, rank: int, batch_rows: int) -> bool:
    """Whether a batch is better held as a d x d matrix than as rows."""
    return rank + batch_rows + 1 > d


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one summary: the stacked batch with its Gram matrix, or a scatter matrix."""
    rank, batch = inner_rank(d, settings), batch_rows(d, settings)
    basis = 2 * rank * d * itemsize + 8 * d * (PROBES + PIECE)
    if tall(d, rank, batch):
        basis += 2 * 8 * rank * d
        matrices = 8 * triangle_size(d) + 8 * d * d
        return basis + max(matrices, reduction_bytes(d, rank + 1)) + 64 * d
    return basis + _stack_bytes(rank + batch + 1, rank, d, itemsize)


def fit_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of merging two sketches."""
    rank = inner_rank(d, settings)
    return 4 * rank * d * 8 + _stack_bytes(2 * rank + 1, rank, d, itemsize)


def _stack_bytes(rows: int, rank: int, d: int, itemsize: int) -> int:
    """A stack of rows, its Gram matrix twice, its eigenvectors and LAPACK's work space."""
    probing = 8 * (2 * rows * rank + 2 * rank * rank + 2 * rows * PROBES)
    return (
        probing
        + rows * d * itemsize
        + rows * rows * (itemsize + 8)
        + 8 * rows * (3 * rank + 80)
        + 80 * d
    )


def work(d: int, n_rows: int, settings: dict) -> Work:
    """For every batch a Gram matrix, its leading eigenvectors, and a new basis."""
    rank, batch = inner_rank(d, settings), batch_rows(d, settings)
    rows, cuts = rank + batch + 1, n_rows / batch
    if tall(d, rank, batch):
        return Work(1, float(n_rows) * d * d, cuts * 4 / 3 * float(d) ** 3)
    products = cuts * (float(rows) * rows * d + 2.0 * rank * rows * d)
    return Work(1, products, cuts * 4 / 3 * float(rows) ** 3)


def guarantee(tolerance: float) -> dict | None:
    """It only tells its error afterwards."""
    return None
