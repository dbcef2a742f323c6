"""Randomized PCA: a block Krylov space of the covariance, one read of the rows per block.

Musco and Musco, "Randomized block Krylov methods for stronger and faster approximate singular value
decomposition", NeurIPS 2015, algorithm 2: the space is spanned by Q, CQ, C(CQ), ... with a random
Q, every product with the covariance C being one pass over the rows: C Q = sum of X_b' (X_b Q).
All products are kept, so the last of them serves as well: the eigenpairs are those of the
Nystrom approximation (C V) (V' C V)^-1 (C V)' in the stable form of Tropp, Yurtsever, Udell and
Cevher, "Fixed-rank approximation of a positive-semidefinite matrix from streaming data", NeurIPS
2017, algorithm 3.
"""

from collections.abc import Iterator

import numpy as np

from memwave.model import Model, from_eigenpairs
from memwave.precision import needed_shift
from memwave.products import Products, products_bytes
from memwave.solvers import Work

OPTIONS: dict[str, dict] = {
    "random_state": {
        "type": "integer",
        "minimum": 0,
        "default": 0,
        "description": "Seed of the random start.",
    },
    "passes": {
        "type": "integer",
        "minimum": 1,
        "default": 5,
        "description": "How often the features are read, at most.",
    },
    "columns": {
        "type": ["integer", "null"],
        "minimum": 1,
        "default": None,
        "description": "Width of the block, at least n_components. More columns converge in fewer "
        "passes. null: twice n_components and 20 more.",
    },
    "tolerance": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "default": None,
        "description": "Stop before the last pass once no eigenvalue can be further from a true "
        "one than this share of the largest. null: use all passes.",
    },
}

# With a tolerance, up to 1e-6, recordings of several kinds took 2 to 6 passes.
USUAL_PASSES = 5


def columns(d: int, settings: dict) -> int:
    """Width of the block."""
    k = settings["n_components"]
    return min(d, max(k, settings["columns"] or 2 * k + 20))


class Solver:
    """Leading eigenpairs in a few reads of the rows and memory for a few times k vectors."""

    ONE_PASS = False

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k = settings["n_components"]
        self._dtype = dtype
        self._passes = settings["passes"]
        self._tolerance = settings["tolerance"]
        random = np.random.default_rng(settings["random_state"])
        start = random.standard_normal((n_features, columns(n_features, settings)))
        self._spanned: list[np.ndarray] = []  # blocks Q of the Krylov space
        self._products: list[np.ndarray] = []  # C Q of each
        self._next = np.linalg.qr(start)[0].astype(dtype)
        self._total: Products | None = None
        self._mean: np.ndarray | None = None
        self._residuals = np.full(self._k, np.inf)

    def row_order(self, n_rows: int, row_bytes: int) -> Iterator[tuple[int, int]]:
        yield 0, n_rows

    def start(self, shift: np.ndarray) -> Products:
        if self._mean is not None:
            shift = needed_shift(self._mean, self._variance)
        return Products(shift, self._next)

    def restore(self, arrays: dict[str, np.ndarray]) -> Products:
        return Products.of_arrays(arrays)

    def merge(self, part: Products) -> None:
        part.centre()
        if self._total is None:
            self._total = part
        else:
            self._total.merge(part)

    def next_pass(self) -> bool:
        assert self._total is not None
        total, self._total = self._total, None
        self._mean, self._count = total.mean, total.count
        self._variance = total.squares / (total.count - 1)
        self._spanned.append(self._next.astype(np.float64))
        self._products.append(total.product / (total.count - 1))
        if len(self._spanned) == self._passes or self._converged():
            return False
        self._next = self._new_directions(self._products[-1])
        return self._next.shape[1] > 0

    def _new_directions(self, block: np.ndarray) -> np.ndarray:
        """What `block` adds to the space: orthonormal, possibly fewer columns or none."""
        scale = np.linalg.norm(block)
        for _ in range(2):  # twice is enough (Giraud, Langou and Rozloznik, 2005)
            for known in self._spanned:
                block = block - known @ (known.T @ block)
        q, r = np.linalg.qr(block)
        # Directions that rounding alone made are no directions.
        real = np.abs(np.diag(r)) > 10 * np.finfo(self._dtype).eps * scale / np.sqrt(len(block))
        room = len(block) - sum(known.shape[1] for known in self._spanned)
        return q[:, real][:, :room].astype(self._dtype)

    def _converged(self) -> bool:
        """Whether the Ritz pairs' residuals, known without a further read, are small enough."""
        if self._tolerance is None:
            return False
        space, image = np.hstack(self._spanned), np.hstack(self._products)
        inner = space.T @ image
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        values, vectors = values[-self._k :], vectors[:, -self._k :]
        residuals = np.linalg.norm(image @ vectors - (space @ vectors) * values, axis=0)
        return bool(len(values) == self._k and residuals.max() <= self._tolerance * values[-1])

    def finish(self) -> Model:
        space, image = np.hstack(self._spanned), np.hstack(self._products)
        passes = len(self._spanned)
        self._spanned, self._products = [], []
        values, vectors = nystrom(space, image, self._k, float(np.finfo(self._dtype).eps))
        assert self._mean is not None
        return from_eigenpairs(
            values,
            vectors,
            mean=self._mean,
            total_variance=self._variance,
            n_samples=self._count,
            solver="randomized",
            notes={"passes": passes, "columns": space.shape[1] // passes},
        )


def nystrom(
    space: np.ndarray, image: np.ndarray, k: int, rounding: float
) -> tuple[np.ndarray, np.ndarray]:
    """Leading eigenpairs of the Nystrom approximation of a positive semidefinite matrix C.

    Parameters
    ----------
    space : ndarray, shape (d, m)
        Nearly orthonormal columns V.
    image : ndarray, shape (d, m)
        C V.
    k : int
        Pairs wanted, at most m.
    rounding : float
        Relative error of `image`.

    Returns
    -------
    values : ndarray, shape (k,)
    vectors : ndarray, shape (d, k)
        Orthonormal columns.
    """
    nudge = rounding * np.sqrt(len(space)) * np.linalg.norm(image)
    if nudge == 0.0:
        return np.zeros(k), np.linalg.qr(space[:, :k])[0]
    image = image + nudge * space
    inner = space.T @ image
    factor = np.linalg.cholesky((inner + inner.T) / 2)
    root = np.linalg.solve(factor, image.T).T
    values, vectors = np.linalg.eigh(root.T @ root)
    values, vectors = values[-k:], vectors[:, -k:]
    q, _ = np.linalg.qr(root @ vectors[:, ::-1])
    return np.maximum(values - nudge, 0.0)[::-1], q


def fit_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of all blocks and products with what the finish makes of them."""
    width = columns(d, settings)
    space = min(d, width * settings["passes"])
    return 8 * (5 * d * space + 4 * space * space) + 4 * 8 * d * width


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one part, as each thread has one."""
    return products_bytes(d, columns(d, settings), itemsize)


def work(d: int, n_rows: int, settings: dict) -> Work:
    """Two products a pass, and orthogonalisation of all blocks."""
    width, passes = columns(d, settings), settings["passes"]
    if settings["tolerance"] is not None:
        passes = min(passes, USUAL_PASSES)
    space = float(min(d, width * passes))
    return Work(passes, passes * 4.0 * n_rows * d * width, 8.0 * d * space * space)


def promise(tolerance: float) -> dict | None:
    """It goes on until the residuals are small enough; ten reads have sufficed wherever tried."""
    return {"tolerance": tolerance, "passes": 10}
