"""Incremental PCA: a low-rank sketch of the scatter matrix, updated batch by batch.

The method is that of Ross, Lim, Lin and Yang, "Incremental learning for robust visual tracking",
Int. J. Computer Vision 77 (2008), section 3.2: the scatter of all rows so far is stored as B'B with
few rows in B. A batch is stacked under B with one more row for the shift of the mean, and the stack
is truncated to its leading singular vectors. Instead of an SVD of the tall stack, its small Gram
matrix is decomposed (or its scatter matrix, if a batch has more rows than features).
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.ranges import interleave
from memwave.pca.linalg.short_products import gamma
from memwave.pca.linalg.triangle import triangle_size
from memwave.pca.model import Model, from_eigenpairs
from memwave.pca.solvers import Work
from memwave.pca.solvers._sketch import PROBED_ROWS, PROBES, Sketch, tall
from memwave.pca.solvers.covariance import leading_eigenpairs_in_place, reduction_bytes

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

# Bytes that a batch reads at one place. Small enough for a batch to sample the whole shard, large
# enough for a disk.
RUN_BYTES = 65_536

# Least ratio of batch rows to rank. Smaller batches cost more time than they save.
ROWS_PER_RANK = 4


def inner_rank(d: int, settings: dict) -> int:
    """Number of rows of B."""
    k = settings["n_components"]
    return min(d, max(k, settings["inner_rank"] or 6 * k))


def batch_rows(d: int, settings: dict) -> int:
    """Rows between two truncations."""
    return max(settings["batch_rows"], ROWS_PER_RANK * inner_rank(d, settings))


class Solver:
    """PCA in one pass and little memory, with a bound on its error."""

    ONE_PASS = True
    FROM_SIGNAL = False
    shift = None

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k = settings["n_components"]
        self._rank = inner_rank(n_features, settings)
        self._batch_rows = batch_rows(n_features, settings)
        self._dtype = dtype
        self._total: Sketch | None = None

    def expect(self, n_rows: int) -> None:
        """One pass is the same, however many rows there are."""

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

    @property
    def total(self) -> Sketch | None:
        """All summaries that were merged, as one."""
        return self._total

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


def orthonormal(rows: np.ndarray, k: int) -> np.ndarray:
    """Orthonormal rows, shape (k, d), in the order of `rows`, (m <= k, d): ascending importance.

    Rows for directions without variance are added, always the same ones.
    """
    missing = k - len(rows)
    pool = np.vstack([rows[::-1], np.eye(missing, rows.shape[1])])
    q, r = np.linalg.qr(pool.T)
    return (q * np.where(np.diag(r) < 0, -1.0, 1.0)).T[::-1]


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one summary: the stacked batch with its Gram matrix, or a scatter matrix."""
    rank, batch = inner_rank(d, settings), batch_rows(d, settings)
    basis = 2 * rank * d * itemsize + 8 * d * (PROBES + PROBED_ROWS)
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
    """Memory of a stack of rows, its Gram matrix twice, its eigenvectors and LAPACK's workspace."""
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
    """Its error is known only after the fit."""
    return None
