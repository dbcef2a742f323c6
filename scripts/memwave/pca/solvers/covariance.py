"""Exact PCA: the covariance matrix in one pass, then its leading eigenpairs.

Each block adds ``X' X`` of its rows, shifted by a fixed vector near the mean, in panels of columns:
short products in the type of the computation, sums in float64. `finish` corrects a summary for the
shift. Summaries merge as in Chan, Golub and LeVeque, "Algorithms for computing the sample
variance", The American Statistician 37 (1983), equation 2.1b, written for matrices.
"""

import numpy as np
import scipy

from memwave.core.precision import is_noise, power_of_two, require_no_overflow
from memwave.pca.linalg.eigenpairs import (
    MISSED,
    PROBES,
    eigenpair_bytes,
    lanczos_work,
    other_moments_in_place,
    proven_eigenpairs_in_place,
    with_eigenvalue,
    worth_trying,
)
from memwave.pca.linalg.short_products import (
    add_products,
    additions,
    gamma,
    mean_rounding,
    product_rounding,
    scratch_bytes,
)
from memwave.pca.linalg.triangle import PANEL, Triangle, triangle_size
from memwave.pca.model import Model, from_eigenpairs
from memwave.pca.solvers import Work
from memwave.pca.solvers._merging import Merging

# Roundings in float64 when a matrix is centred, merged, divided and mirrored.
SUMMING = 8 * float(np.finfo(np.float64).eps)

OPTIONS: dict[str, dict] = {}
LIBRARIES = ("scipy.linalg",)


class Scatter:
    """Count, mean and scatter matrix ``sum (x - mean) (x - mean)'`` of rows.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        Vector that the caller subtracts from the rows before `update`.
    dtype : {"float32", "float64"}
        Type of those rows and of the products.

    Attributes
    ----------
    products : Triangle
        The matrix; about the shift until `center` is called.
    rounding, moved : float
        Bounds of the norms of the errors of the matrix and of the mean, once they are centred.
    """

    def __init__(self, shift: np.ndarray, dtype: str):
        self.shift = shift.astype(dtype)
        self.count = 0
        self.products = Triangle(len(shift))
        self.rounding = self.moved = 0.0
        self._sum = np.zeros(len(shift))
        self._dtype, self._additions = dtype, 0

    def update(self, block: np.ndarray) -> None:
        self.count += len(block)
        self._additions += additions(len(block))
        ones = np.ones((len(block), 1), block.dtype)
        add_products(ones, block, self._sum[None])
        for start, stop, panel in self.products.panels():
            add_products(block[:, start:stop], block[:, start:], panel)

    @property
    def mean(self) -> np.ndarray:
        return self.shift + self._sum / max(self.count, 1)

    def center(self) -> None:
        """Move the scatter from the shift to the mean."""
        if self._additions:
            share, squares = (
                product_rounding(self.count, self._dtype, self._additions),
                self._trace(),
            )
            self.moved = share * float(np.sqrt(squares / self.count))
            offset = float(np.linalg.norm(self._sum / self.count)) + self.moved
            self.rounding += (share + SUMMING) * squares + 2 * self.count * offset * self.moved
            self.products.add_outer(-self.count, self._sum / self.count)
        self.shift, self._sum, self._additions = self.mean, np.zeros(len(self._sum)), 0

    def _trace(self) -> float:
        return float(self.products.diagonal().sum())

    def merge(self, other: "Scatter") -> None:
        """Add another set of rows; both must be centred."""
        if not other.count:
            return
        total = self.count + other.count
        difference = other.shift - self.shift
        weight = self.count * other.count / total
        self.products.add(other.products)
        self.products.add_outer(weight, difference)
        moved = self.moved + other.moved + mean_rounding(self.shift, other.shift)
        apart = float(np.linalg.norm(difference))
        self.rounding += other.rounding + weight * moved * (2 * apart + moved)
        self.rounding += SUMMING * self._trace()
        self.moved = (self.count * self.moved + other.count * other.moved) / total
        self.shift = self.shift + difference * (other.count / total)
        self.count = total

    def finish(self) -> None:
        self.center()

    def arrays(self) -> dict[str, np.ndarray]:
        if self._sum.any():
            raise ValueError("the scatter is not centred: call finish first")
        return {
            "count": np.array(self.count),
            "mean": self.shift,
            "scatter": self.products.values,
            "rounding": np.array([self.rounding, self.moved]),
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Scatter":
        scatter = cls.__new__(cls)
        scatter.count, scatter.shift = int(arrays["count"]), arrays["mean"]
        scatter.products = Triangle(len(scatter.shift), arrays["scatter"])
        scatter.rounding, scatter.moved = map(float, arrays["rounding"])
        scatter._sum, scatter._additions = np.zeros(len(scatter.shift)), 0
        return scatter


class Solver(Merging):
    """Leading eigenpairs of the covariance matrix; exact up to rounding."""

    ONE_PASS = True
    FROM_SIGNAL = False
    SHARES_FINISH = True

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k = settings["n_components"]
        self._dtype = dtype
        self._total: Scatter | None = None

    def start(self, shift: np.ndarray) -> Scatter:
        return Scatter(shift, self._dtype)

    def restore(self, arrays: dict[str, np.ndarray]) -> Scatter:
        return Scatter.of_arrays(arrays)

    def next_pass(self) -> bool:
        return False

    def finish(self) -> Model:
        assert self._total is not None
        return model_of(self._total, self._k, "covariance")


def model_of(scatter: Scatter, k: int, solver: str, scale: np.ndarray | None = None) -> Model:
    """The PCA of a scatter matrix, which is overwritten.

    Parameters
    ----------
    scatter : Scatter
        Centred.
    k : int
        Components wanted.
    solver : str
        Name of the solver, for the model.
    scale : ndarray, shape (d,), optional
        Standard deviations by which the matrix was divided; the mean was not.

    Raises
    ------
    MemwaveError
        If squares of features overflowed.

    Notes
    -----
    The matrix is divided by a power of two near its trace, so that no square of its entries leaves
    the range of float64. One more eigenpair than is wanted gives the distance to the other
    eigenvalues.
    """
    covariance = scatter.products
    covariance.values /= scatter.count - 1
    covariance.mirror()
    total_variance = float(covariance.diagonal().sum())
    require_no_overflow(total_variance)
    rounding = scatter.rounding / (scatter.count - 1)
    rounding += gamma(len(covariance) + 8, "float64") * abs(total_variance)
    if is_noise(total_variance, scatter.mean if scale is None else scatter.mean / scale):
        rounding, total_variance, covariance.values[:] = rounding + abs(total_variance), 0.0, 0.0
    unit = power_of_two(total_variance)
    covariance.values /= unit
    wanted = min(k + 1, len(covariance))
    found = proven_eigenpairs_in_place(covariance, wanted)
    missed = MISSED
    if found is None:
        missed = len(covariance) * SUMMING
        values, vectors = leading_eigenpairs_in_place(covariance.full(), wanted)
        images = covariance @ vectors
        found = values, vectors, images, other_moments_in_place(covariance, values, vectors)
    values, vectors, images, others = found
    if wanted > k:
        others = with_eigenvalue(others, float(values[0]))
    next_value = float(values[0] if wanted > k else 0.0) + 2 * missed * float(values[-1])
    model = from_eigenpairs(
        values[-k:] * unit,
        vectors[:, -k:],
        images[:, -k:] * unit,
        mean=scatter.mean,
        total_variance=total_variance,
        n_samples=scatter.count,
        solver=solver,
        rounding=rounding,
        next_variance=max(0.0, next_value) * unit,
        scale=scale,
        residual_moments=others * unit,
    )
    # By Weyl's inequality, since no eigenpair was missed.
    model.eigenvalue_error_bound = float(model.error_bound.max())
    return model


def leading_eigenpairs_in_place(
    matrix: np.ndarray, k: int, driver: str = "evx"
) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues, ascending, and eigenvectors (d, k); `matrix` is overwritten.

    Only the upper triangle of `matrix`, shape (d, d) and C-ordered, is read; LAPACK works in place
    (the transpose is Fortran-ordered). The driver ``evr`` is faster unless k is small, but its
    vectors are less orthogonal.
    """
    d = len(matrix)
    return scipy.linalg.eigh(
        matrix.T,
        lower=True,
        subset_by_index=[d - k, d - 1],
        overwrite_a=True,
        check_finite=False,
        driver=driver,
    )


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one summary: the triangle, a panel's products, and the outer product at the end."""
    panel = max(scratch_bytes(min(PANEL, d), d, itemsize), 2 * 8 * PANEL * d)
    return 8 * triangle_size(d) + panel + 64 * d


def fit_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of merging two triangles, or of computing the eigenpairs."""
    merging = 2 * 8 * triangle_size(d) + 2 * 8 * PANEL * d
    return max(merging, decomposition_bytes(d, settings["n_components"]))


def decomposition_bytes(d: int, k: int) -> int:
    """Memory of `model_of`: of Lanczos with its proof, or of the whole matrix for LAPACK."""
    k = min(k + 1, d)
    whole = 8 * triangle_size(d) + reduction_bytes(d, k)
    return max(whole, eigenpair_bytes(d, k)) if worth_trying(d, k) else whole


def decomposition_work(d: int, k: int) -> float:
    """Operations of `model_of`: of Lanczos with its proof, or of a reduction by LAPACK."""
    return lanczos_work(d, k) if worth_trying(d, min(k + 1, d)) else 4 / 3 * float(d) ** 3


def reduction_bytes(d: int, k: int) -> int:
    """Memory of `leading_eigenpairs_in_place`, the matrix included."""
    return 8 * d * d + 8 * d * (6 * k + 80 + 4 * min(d, PROBES))


def work(d: int, n_rows: int, settings: dict) -> Work:
    """Half the products of X'X, and the eigenpairs."""
    return Work(
        reads=1,
        products=float(n_rows) * d * d,
        dense=decomposition_work(d, settings["n_components"]),
    )


def guarantee(tolerance: float) -> dict | None:
    """The result is always exact up to rounding."""
    return {}
