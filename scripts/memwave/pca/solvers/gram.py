"""Exact PCA for fewer rows than features: by the Gram matrix of the rows.

With the centred rows as the matrix X, n x d, ``X X'`` has the eigenvalues of ``X' X``. Its
eigenvectors u give the components ``X' u``, up to their length ("method of snapshots": Sirovich,
Quarterly of Applied Mathematics 45 (1987), part I). The Gram matrix is n x n. It is summed over
blocks of columns. A block has all rows of its columns, so each column is centred about its exact
mean. A second read gives the components and their products with the covariance.
"""

from collections.abc import Callable

import numpy as np

from memwave.core.precision import lengths, require_no_overflow
from memwave.core.ranges import spans
from memwave.core.workers import share, working
from memwave.pca.linalg.eigenpairs import (
    MISSED,
    other_moments_in_place,
    proven_eigenpairs_in_place,
)
from memwave.pca.linalg.krylov.orthonormal import ROUNDS, orthonormalise, project_out, turned
from memwave.pca.linalg.short_products import gamma
from memwave.pca.linalg.train_columns import TrainColumns, column_bytes
from memwave.pca.linalg.triangle import CHUNK, PANEL, Part, Triangle, triangle_size
from memwave.pca.model import Model, from_eigenpairs
from memwave.pca.solvers import Work
from memwave.pca.solvers.covariance import (
    SUMMING,
    decomposition_bytes,
    decomposition_work,
    leading_eigenpairs_in_place,
)

OPTIONS: dict[str, dict] = {}
LIBRARIES = ("scipy.linalg",)

# Columns of a block that are a unit of work for a thread.
COLUMNS = 256

# Variances below this share of the largest, for each row, are rounding of the Gram matrix.
NOTHING = 1e-15


class Solver:
    """Leading eigenpairs of the covariance of few rows; exact up to rounding, in float64."""

    ONE_PASS = False
    FROM_SIGNAL = False

    def __init__(self, n_features: int, dtype: str, settings: dict):
        self._k, self._standardize = settings["n_components"], settings["standardize"]
        self._mean, self._scale = np.empty(n_features), np.ones(n_features)
        self._off_center, self._terms = 0.0, 16

    def fit_columns(
        self,
        columns: TrainColumns,
        threads: int,
        progress: Callable[[int], None] = lambda rows: None,
    ) -> Model:
        """Fit rows that are read by blocks of columns, twice.

        Parameters
        ----------
        columns : TrainColumns
        threads : int
            Number of threads; the result does not depend on it, to the bit.
        progress : callable
            Called with the number of columns done.

        Raises
        ------
        MemwaveError
            If squares of features overflowed.
        """
        with working(threads):
            return self._fit(columns, progress)

    def _fit(self, columns: TrainColumns, progress: Callable[[int], None]) -> Model:
        gram = self._gram(columns, progress)
        total_variance = float(gram.diagonal().sum())
        require_no_overflow(total_variance)
        values, vectors, images, others, missed = self._eigenpairs(gram)
        del gram
        # By Weyl's inequality, of the values in their places.
        bound = self._rounding(columns.n_rows, total_variance) + 2 * missed * float(values[0])
        bound += float(lengths(images - vectors * values).sum())
        count = columns.n_rows
        real = values > NOTHING * count * max(values[0], 0.0)
        # Lengths of X' u, by which the components are divided.
        norms = np.sqrt((count - 1) * np.where(real, values, 1.0))
        weights, weighted = vectors / norms, images / norms
        rows, products = self._second_read(columns, weights, weighted, real, progress)
        found = self._ritz_pairs(rows, products, real)
        moved = float(np.abs(np.sort(found[0])[::-1] - values).max())
        return from_eigenpairs(
            *found,
            mean=self._mean,
            total_variance=total_variance,
            n_samples=count,
            solver="gram",
            eigenvalue_error_bound=bound + moved,
            scale=self._scale if self._standardize else None,
            residual_moments=others,
        )

    def _gram(self, columns: TrainColumns, progress: Callable[[int], None]) -> Triangle:
        """The products of all rows with each other, divided by n - 1."""
        gram = Triangle(columns.n_rows)
        for place, block in columns.blocks():
            self._mean[place], rest = self._center(block)
            self._terms = max(self._terms, 16 + block.shape[1])
            if self._standardize:
                self._scale[place] = self._standard_deviations(block)
                block /= self._scale[place]
            self._off_center += float(np.sum((rest / self._scale[place]) ** 2))
            self._terms += 1

            def add(part: Part, block: np.ndarray = block) -> None:
                start, stop, low, high, values = part
                values += block[start:stop] @ block[low:high].T

            share(add, gram.parts())
            progress(block.shape[1])
        gram.values /= columns.n_rows - 1
        gram.mirror()
        return gram

    @staticmethod
    def _center(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Subtract the means of the columns, twice because of rounding.

        Returns
        -------
        mean, rest : ndarray
            The means, and the part of them that the second subtraction removed.
        """

        def center(place: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
            own = block[:, slice(*place)]
            mean = own.mean(axis=0)
            own -= mean
            rest = own.mean(axis=0)
            own -= rest
            return mean + rest, rest

        found = share(center, spans(0, block.shape[1], COLUMNS))
        means, rests = zip(*found, strict=True)
        return np.concatenate(means), np.concatenate(rests)

    @staticmethod
    def _standard_deviations(block: np.ndarray) -> np.ndarray:
        """Standard deviations of centred columns; 1 where they are constant."""
        found = np.sqrt(np.einsum("ij,ij->j", block, block) / (len(block) - 1))
        return np.where(found > 0, found, 1.0)

    def _rounding(self, n: int, variance: float) -> float:
        """Bound of the norm of the error of the Gram matrix.

        An entry is a sum in float64, and its error at most gamma times the norms of its two rows
        (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.5). The error of
        a mean is the rest after the second centring.
        """
        standardizing = 2 * gamma(n + 8, "float64") if self._standardize else 0.0
        products = (gamma(self._terms, "float64") + standardizing) * variance
        off = gamma(n + 2, "float64") * float(np.sqrt(variance + self._off_center))
        share = n / (n - 1)
        return 1.01 * (products + share * off * (2 * float(np.sqrt(variance)) + off))

    def _eigenpairs(
        self, gram: Triangle
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
        """Leading eigenpairs of the matrix, descending, and its products with the vectors.

        Then the moments of all other eigenvalues. The last value bounds the eigenvalues that were
        missed, as a share of the largest one.
        """
        missed = MISSED
        found = proven_eigenpairs_in_place(gram, self._k)
        if found is None:
            missed = len(gram) * SUMMING
            values, vectors = leading_eigenpairs_in_place(gram.full(), self._k)
            images = gram @ vectors
            found = values, vectors, images, other_moments_in_place(gram, values, vectors)
        values, vectors, images, others = found
        return values[::-1], vectors[:, ::-1], images[:, ::-1], others, missed

    def _second_read(
        self,
        columns: TrainColumns,
        weights: np.ndarray,
        weighted: np.ndarray,
        real: np.ndarray,
        progress: Callable[[int], None],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Components with a positive variance, and their products with the covariance; (k, d)."""
        rows = np.zeros((self._k, columns.n_features))
        products = np.zeros_like(rows)
        for place, block in columns.blocks():
            self._center(block)

            def multiply(
                part: tuple[int, int], block: np.ndarray = block, first: int = place.start
            ) -> None:
                values, there = block[:, slice(*part)], slice(first + part[0], first + part[1])
                values /= self._scale[there]
                rows[real, there] = weights[:, real].T @ values
                products[real, there] = weighted[:, real].T @ values

            share(multiply, spans(0, block.shape[1], COLUMNS))
            progress(block.shape[1])
        return rows, products

    def _ritz_pairs(
        self, rows: np.ndarray, products: np.ndarray, real: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenpairs for `from_eigenpairs`; random directions complete those without variance."""
        count, random = int(real.sum()), np.random.default_rng(0)
        # The rows are orthonormal up to rounding. The correction applies to rows and products.
        squares, turn = np.linalg.eigh(rows[:count] @ rows[:count].T)
        nearly = (turn / np.sqrt(squares)) @ turn.T
        for vectors in (rows[:count], products[:count]):
            turned(vectors, nearly)
        inner = rows[:count] @ products[:count].T
        values, turn = np.linalg.eigh((inner + inner.T) / 2)
        for vectors in (rows[:count], products[:count]):
            turned(vectors, turn)
        rest = rows[count:]
        for _ in range(ROUNDS if len(rest) else 0):
            project_out(rest, rows[:count])
            orthonormalise(rest, len(rest), 1.0, random)
        return np.concatenate([values, np.zeros(len(rest))]), rows.T, products.T


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Shards have no summaries."""
    return 0


def fit_bytes(d: int, settings: dict, n_rows: int, block_rows: int, workers: int) -> int:
    """Memory of the Gram matrix and its eigenpairs, then of the components."""
    k = settings["n_components"]
    block = column_bytes(n_rows, d, block_rows)
    summing = 8 * triangle_size(n_rows) + block + workers * 8 * PANEL * CHUNK
    solving = decomposition_bytes(n_rows, k)
    finishing = block + 8 * 6 * k * d
    return max(summing, solving, finishing) + 8 * 4 * (d + k * n_rows)


def work(d: int, n_rows: int, settings: dict) -> Work:
    """Half the products of X X' in double precision, eigenpairs, and a second read."""
    k = settings["n_components"]
    # Products in double precision run at least at twice the rate of decompositions.
    products = (float(n_rows) ** 2 * d + 4.0 * n_rows * d * k) / 2
    return Work(reads=3, products=0.0, dense=products + decomposition_work(n_rows, k))


def guarantee(tolerance: float) -> dict | None:
    """The result is always exact up to rounding."""
    return {}
