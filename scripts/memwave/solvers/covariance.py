"""Exact PCA: the covariance matrix in one pass, then its leading eigenpairs.

Each block adds ``X' X`` of its rows, shifted by a fixed vector near the mean, in panels of columns:
products in the dtype that is computed in, sums in float64. A part ends with the shift corrected;
parts merge as in Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The
American Statistician 37 (1983), equation 2.1b, written for matrices.
"""

from collections.abc import Callable, Iterator

from memwave.model import Model, from_eigenpairs
from memwave.plan import spans
from memwave.solvers import Work

import numpy as np
from scipy.linalg import eigh

OPTIONS: dict[str, dict] = {}

# Columns of a panel: the product of a panel stays in the second-level cache while it is added up.
PANEL = 256


class Scatter:
    """Count, mean and scatter matrix ``sum (x - mean) (x - mean)'`` of rows.

    Of the symmetric matrix the upper triangle is kept, in panels of `PANEL` rows: half the memory.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        What is subtracted from the rows that `update` gets.
    dtype : {"float32", "float64"}
        Type of those rows, and of the products.
    """

    def __init__(self, shift: np.ndarray, dtype: str):
        d = len(shift)
        self.shift = shift.astype(dtype)
        self.count = 0
        self._sum = np.zeros(d)
        self._triangle = np.zeros(triangle_size(d))
        self._dtype = dtype

    def update(self, block: np.ndarray) -> None:
        self.count += len(block)
        self._sum += np.ones(len(block), block.dtype) @ block
        scratch = np.empty(PANEL * block.shape[1], block.dtype)
        for start, stop, panel in self.panels():
            product = scratch[: panel.size].reshape(panel.shape)
            np.matmul(block[:, start:stop].T, block[:, start:], out=product)
            panel += product

    def panels(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Rows ``start:stop`` of the matrix from column `start` on, as views."""
        d, used = len(self._sum), 0
        for start, stop in spans(0, d, PANEL):
            size = (stop - start) * (d - start)
            yield start, stop, self._triangle[used : used + size].reshape(stop - start, d - start)
            used += size

    @property
    def mean(self) -> np.ndarray:
        return self.shift + self._sum / max(self.count, 1)

    def centre(self) -> None:
        """Refer the scatter to the mean instead of the shift."""
        if self.count:
            self.add_outer(-self.count, self._sum / self.count)
        self.shift, self._sum = self.mean, np.zeros(len(self._sum))

    def merge(self, other: "Scatter") -> None:
        """Add another set of rows; both must be centred."""
        if not other.count:
            return
        total = self.count + other.count
        difference = other.shift - self.shift
        self._triangle += other._triangle
        self.add_outer(self.count * other.count / total, difference)
        self.shift = self.shift + difference * (other.count / total)
        self.count = total

    def add_outer(self, weight: float, vector: np.ndarray) -> None:
        """Add ``weight * vector vector'``."""
        for start, stop, panel in self.panels():
            panel += np.multiply.outer(weight * vector[start:stop], vector[start:])

    def divide(self, scale: np.ndarray) -> None:
        """Make it the scatter of rows divided by `scale`, shape (d,); the mean stays as it is."""
        for start, stop, panel in self.panels():
            panel /= np.multiply.outer(scale[start:stop], scale[start:])

    def full(self) -> np.ndarray:
        """The matrix, shape (d, d); the scatter is spent."""
        d = len(self._sum)
        matrix = np.empty((d, d))
        for start, stop, panel in self.panels():
            matrix[start:stop, start:] = panel
            matrix[start:, start:stop] = panel.T
        self._triangle = np.empty(0)
        return matrix

    def arrays(self) -> dict[str, np.ndarray]:
        self.centre()
        return {"count": np.array(self.count), "mean": self.shift, "scatter": self._triangle}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Scatter":
        scatter = cls.__new__(cls)
        scatter.count = int(arrays["count"])
        scatter.shift, scatter._triangle = arrays["mean"], arrays["scatter"]
        scatter._sum, scatter._dtype = np.zeros(len(scatter.shift)), "float64"
        return scatter


def triangle_size(d: int) -> int:
    """Values that the panels of a d x d matrix hold."""
    return sum((stop - start) * (d - start) for start, stop in spans(0, d, PANEL))


class Solver:
    """Leading eigenpairs of the covariance matrix; exact up to rounding."""

    ONE_PASS = True
    FROM_SIGNAL = False

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k = settings["n_components"]
        self._dtype = dtype
        self._total: Scatter | None = None

    def row_order(self, n_rows: int, row_bytes: int) -> Iterator[tuple[int, int]]:
        yield 0, n_rows

    def start(self, shift: np.ndarray) -> Scatter:
        return Scatter(shift, self._dtype)

    def restore(self, arrays: dict[str, np.ndarray]) -> Scatter:
        return Scatter.of_arrays(arrays)

    def merge(self, part: Scatter) -> None:
        part.centre()
        if self._total is None:
            self._total = part
        else:
            self._total.merge(part)

    def next_pass(self) -> bool:
        return False

    def finish(self) -> Model:
        assert self._total is not None
        return model_of(self._total, self._k, "covariance")


def model_of(
    scatter: Scatter,
    k: int,
    solver: str,
    eigenpairs: Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray] | None] | None = None,
) -> Model:
    """The PCA of a scatter matrix, which is spent.

    Parameters
    ----------
    scatter : Scatter
        Centred.
    k : int
        Components wanted.
    solver : str
        Its name, for the model.
    eigenpairs : callable, optional
        Tried before `leading_eigenpairs`: takes the covariance and k, leaves the covariance as it
        is, returns the leading eigenpairs or None.
    """
    count, mean = scatter.count, scatter.mean
    covariance = scatter.full()
    covariance /= count - 1
    diagonal = covariance.diagonal().copy()
    pairs = None if eigenpairs is None else eigenpairs(covariance, k)
    values, vectors = leading_eigenpairs(covariance, k) if pairs is None else pairs
    model = from_eigenpairs(
        values,
        vectors,
        mean=mean,
        total_variance=float(diagonal.sum()),
        n_samples=count,
        solver=solver,
    )
    image = symmetric_product(covariance, diagonal, model.components.T)
    model.residual = np.linalg.norm(image - model.components.T * model.explained_variance, axis=0)
    return model


def leading_eigenpairs(
    matrix: np.ndarray, k: int, driver: str = "evx"
) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues, ascending, and eigenvectors (d, k); `matrix` is overwritten.

    Only the upper triangle of `matrix`, shape (d, d) and C-ordered, is read; it and the diagonal
    are lost, the strict lower triangle stays. LAPACK works in place (the transpose is
    Fortran-ordered). Its driver ``evr`` is faster where k is not small, and less orthogonal.
    """
    d = len(matrix)
    return eigh(
        matrix.T,
        lower=True,
        subset_by_index=[d - k, d - 1],
        overwrite_a=True,
        check_finite=False,
        driver=driver,
    )


def symmetric_product(lower: np.ndarray, diagonal: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Multiply a symmetric matrix, of which the strict lower triangle is left, with vectors.

    Parameters
    ----------
    lower : ndarray, shape (d, d)
        Only its strict lower triangle is read.
    diagonal : ndarray, shape (d,)
    vectors : ndarray, shape (d, k)

    Returns
    -------
    ndarray, shape (d, k)
    """
    product = diagonal[:, None] * vectors
    for start, stop in spans(0, len(lower), PANEL):
        corner = np.tril(lower[start:stop, start:stop], -1)
        below = lower[stop:, start:stop]
        product[start:stop] += (corner + corner.T) @ vectors[start:stop] + below.T @ vectors[stop:]
        product[stop:] += below @ vectors[start:stop]
    return product


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one part: the triangle, a panel's product, and the outer product at the end."""
    return 8 * triangle_size(d) + 2 * 8 * PANEL * d + 64 * d


def fit_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of merging two triangles, then of the matrix with LAPACK's work space."""
    k = settings["n_components"]
    merging = 2 * 8 * triangle_size(d) + 2 * 8 * PANEL * d
    solving = 8 * triangle_size(d) + 8 * d * d
    eigenpairs = 8 * d * d + 8 * d * (6 * k + 80) + 4 * 8 * PANEL * PANEL
    return max(merging, solving, eigenpairs)


def work(d: int, n_rows: int, settings: dict) -> Work:
    """Half the products of X'X, and a reduction to tridiagonal form."""
    return Work(reads=1, products=float(n_rows) * d * d, dense=4 / 3 * float(d) ** 3)


def promise(tolerance: float) -> dict | None:
    """It is always as exact as rounding allows."""
    return {}
