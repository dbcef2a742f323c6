"""Randomized PCA: a block Krylov space of the covariance, one read of the rows per block.

Musco and Musco, "Randomized block Krylov methods for stronger and faster approximate singular value
decomposition", NeurIPS 2015, algorithm 2: Q, CQ, C(CQ), ... span the space, with a random Q. Each
product with the covariance C is one pass over the rows: C Q = sum of X_b' (X_b Q). All products
are stored, and the last one is used too: the eigenpairs are those of the Nystrom approximation
(C V) (V' C V)^-1 (C V)' in the stable form of Tropp, Yurtsever, Udell and Cevher, "Fixed-rank
approximation of a positive-semidefinite matrix from streaming data", NeurIPS 2017, algorithm 3.
"""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.precision import is_noise, needed_shift, power_of_two, require_no_overflow
from memwave.core.ranges import spans
from memwave.pca.linalg.covariance_products import CovarianceProducts, products_bytes
from memwave.pca.model import Model, from_eigenpairs
from memwave.pca.solvers import Work
from memwave.pca.solvers._merging import Merging

LIBRARIES: tuple[str, ...] = ()
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
        "description": "Largest number of reads of the features.",
    },
    "columns": {
        "type": ["integer", "null"],
        "minimum": 1,
        "default": None,
        "description": "Columns of the block, at least n_components. With more columns, fewer "
        "passes are needed. null: 2 n_components + 20.",
    },
    "tolerance": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "default": None,
        "description": "Stop before the last pass once no eigenvalue can be further from a true "
        "one than this share of the largest. null: use all passes.",
    },
}

# Columns of the final linear system that are solved at once.
PANEL = 512

# Recordings of several kinds took 2 to 6 passes to a tolerance of 1e-6.
USUAL_PASSES = 5


def columns(d: int, settings: dict) -> int:
    """Width of the block."""
    k = settings["n_components"]
    return min(d, max(k, settings["columns"] or 2 * k + 20))


class Solver(Merging):
    """Leading eigenpairs in a few reads of the rows and memory for a few times k vectors."""

    ONE_PASS = False
    FROM_SIGNAL = False

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k = settings["n_components"]
        self._dtype = dtype
        self._passes = settings["passes"]
        self._tolerance = settings["tolerance"]
        width = columns(n_features, settings)
        self._krylov = Krylov(n_features, min(n_features, width * self._passes), dtype)
        random = np.random.default_rng(settings["random_state"])
        start = random.standard_normal((n_features, width))
        self._next = np.linalg.qr(start)[0].astype(dtype)
        self._total: CovarianceProducts | None = None
        self._mean: np.ndarray | None = None
        self._unit = 1.0

    def start(self, shift: np.ndarray) -> CovarianceProducts:
        if self._mean is not None:
            shift = needed_shift(self._mean, self._variance)
        return CovarianceProducts(shift, self._next)

    def restore(self, arrays: dict[str, np.ndarray]) -> CovarianceProducts:
        return CovarianceProducts.of_arrays(arrays)

    def next_pass(self) -> bool:
        assert self._total is not None
        total, self._total = self._total, None
        self._mean, self._count = total.mean, total.count
        self._variance = total.squares / (total.count - 1)
        block = total.product / (total.count - 1)
        require_no_overflow(self._variance, block)
        # For rows that are all equal, rounding usually leaves a hundredth of the worst case.
        if is_noise(self._variance, self._mean) or total.squares <= total.rounding / 100:
            self._variance, block = 0.0, np.zeros_like(block)
        if not self._krylov.blocks:
            self._unit = power_of_two(self._variance)
        block /= self._unit  # so that squares of its entries stay in the range of float64
        self._krylov.append(self._next, block)
        if len(self._krylov.blocks) == self._passes or self._converged():
            return False
        self._next = self._krylov.new_directions(block)
        return self._next.shape[1] > 0

    def _converged(self) -> bool:
        """Whether the Ritz pairs' residuals, known without a further read, are small enough."""
        if self._tolerance is None:
            return False
        values, residuals = self._krylov.ritz_residuals(self._k)
        enough = len(values) == self._k
        return bool(enough and residuals.max() <= self._tolerance * values[-1])

    def finish(self) -> Model:
        passes, width = len(self._krylov.blocks), self._krylov.filled
        values, vectors = self._krylov.nystrom(self._k)
        assert self._mean is not None
        return from_eigenpairs(
            values * self._unit,
            vectors,
            mean=self._mean,
            total_variance=self._variance,
            n_samples=self._count,
            solver="randomized",
            notes={"passes": passes, "columns": width // passes},
        )


class Krylov:
    """Orthonormal vectors V, in blocks, and C V for a positive semidefinite matrix C.

    Parameters
    ----------
    d : int
        Length of the vectors.
    capacity : int
        Most vectors.
    dtype : {"float32", "float64"}
        Type of the vectors; their products are stored in float64.
    """

    def __init__(self, d: int, capacity: int, dtype: str):
        self._space = np.empty((capacity, d), dtype)  # V', a vector a row
        self._image = np.empty((capacity, d))  # (C V)'
        self.blocks: list[slice] = []

    @property
    def filled(self) -> int:
        """How many vectors there are."""
        return self.blocks[-1].stop if self.blocks else 0

    def append(self, vectors: np.ndarray, image: np.ndarray) -> None:
        """Add a block of vectors, shape (d, l), and its product with C."""
        block = slice(self.filled, self.filled + vectors.shape[1])
        self._space[block], self._image[block] = vectors.T, image.T
        self.blocks.append(block)

    def new_directions(self, block: np.ndarray) -> np.ndarray:
        """Orthonormal basis of what `block` adds to the space; it may have fewer columns."""
        scale = np.linalg.norm(block)
        for _ in range(2):  # twice is enough (Giraud, Langou and Rozloznik, 2005)
            for known in self._vectors():
                block = block - known.T @ (known @ block)
        q, r = np.linalg.qr(block)
        # Directions that consist of rounding are dropped.
        eps = np.finfo(self._space.dtype).eps
        real = np.abs(np.diag(r)) > 10 * eps * scale / np.sqrt(len(block))
        free = len(self._space) - self.filled
        return q[:, real][:, :free].astype(self._space.dtype)

    def _vectors(self) -> Iterator[np.ndarray]:
        """The vectors of every block, in float64: rows."""
        for block in self.blocks:
            yield self._space[block].astype(np.float64, copy=False)

    def ritz_residuals(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The largest Ritz values, ascending, and the residuals of their pairs."""
        inner = self._inner()
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        values, vectors = values[-k:], vectors[:, -k:]
        difference = vectors.T @ self._image[: self.filled]
        for block, known in zip(self.blocks, self._vectors(), strict=True):
            difference -= (vectors[block] * values).T @ known
        return values, np.linalg.norm(difference, axis=1)

    def _inner(self) -> np.ndarray:
        """V' C V, symmetric up to rounding."""
        image = self._image[: self.filled]
        return np.vstack([known @ image.T for known in self._vectors()])

    def nystrom(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Leading eigenpairs of the Nystrom approximation of C; overwrites the stored products.

        Returns
        -------
        values : ndarray, shape (k,)
            Descending.
        vectors : ndarray, shape (d, k)
            Orthonormal columns.
        """
        image = self._image[: self.filled]
        d = image.shape[1]
        nudge = float(np.finfo(self._space.dtype).eps) * np.sqrt(d) * np.linalg.norm(image)
        if nudge == 0.0:
            return np.zeros(k), np.linalg.qr(self._space[:k].T.astype(np.float64))[0]
        for block, known in zip(self.blocks, self._vectors(), strict=True):
            image[block] += nudge * known
        inner = self._inner()
        try:
            factor = np.linalg.cholesky((inner + inner.T) / 2)
        except np.linalg.LinAlgError as error:
            raise MemwaveError(
                "features vary so little that solver randomized computes only rounding errors. Set "
                "compute_dtype: float64 in the model, or use solver covariance."
            ) from error
        for start, stop in spans(0, d, PANEL):
            image[:, start:stop] = np.linalg.solve(factor, image[:, start:stop])
        values, vectors = np.linalg.eigh(image @ image.T)
        values, vectors = values[-k:], vectors[:, -k:]
        q, _ = np.linalg.qr(image.T @ vectors[:, ::-1])
        return np.maximum(values - nudge, 0.0)[::-1], q


def fit_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of all blocks and products, and of `Krylov.nystrom`."""
    width = columns(d, settings)
    space = min(d, width * settings["passes"])
    return (itemsize + 8) * d * space + 5 * 8 * space * (space + PANEL) + 6 * 8 * d * width


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one summary; each thread has one."""
    return products_bytes(d, columns(d, settings), itemsize)


def work(d: int, n_rows: int, settings: dict) -> Work:
    """Two products in each pass, and the orthogonalisation of all blocks."""
    width, passes = columns(d, settings), settings["passes"]
    if settings["tolerance"] is not None:
        passes = min(passes, USUAL_PASSES)
    space = float(min(d, width * passes))
    return Work(passes, passes * 4.0 * n_rows * d * width, 8.0 * d * space * space)


def guarantee(tolerance: float) -> dict | None:
    """It iterates until the residuals are small enough. Ten passes were enough in all trials."""
    return {"tolerance": tolerance, "passes": 10}
