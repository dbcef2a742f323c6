"""Randomized PCA: a block Krylov space of the covariance, one read of the rows per block.

Musco and Musco, "Randomized block Krylov methods for stronger and faster approximate singular value
decomposition", NeurIPS 2015, algorithm 2: Q, CQ, C(CQ), ... span the space, with a random Q. Each
product with the covariance C is one pass over the rows: C Q = sum of X_b' (X_b Q). All products
are stored, and the last one is used too: the eigenpairs are those of the Nystrom approximation
(C V) (V' C V)^-1 (C V)' in the stable form of Tropp, Yurtsever, Udell and Cevher, "Fixed-rank
approximation of a positive-semidefinite matrix from streaming data", NeurIPS 2017, algorithm 3.

If there are many rows, most columns of Q are the leading components of a small sample of them. That
saves a read. The other columns are random, for directions that the sample does not show.

Where a share of the variance is wanted, and not a number of components, blocks are narrow: as wide
as the components of the sample need. Products are added block by block until the Ritz values
explain the share and the residuals of their pairs are small, within the memory of the largest
number of components.
"""

import math
from collections.abc import Iterator

import numpy as np

from memwave.core.precision import is_noise, needed_shift, power_of_two, require_no_overflow
from memwave.core.ranges import spread
from memwave.pca.linalg.covariance_products import CovarianceProducts, products_bytes
from memwave.pca.linalg.krylov.nystrom import PANEL, Krylov
from memwave.pca.linalg.krylov.row_sample import (
    RowSample,
    leading_directions,
    mean_of,
    sample_bytes,
)
from memwave.pca.model import Model, from_eigenpairs, pairs_for
from memwave.pca.solvers import Work
from memwave.pca.solvers._merging import Merging

LIBRARIES = ("scipy.linalg",)

# Usually a fourth read reaches it; see docs/numerics.md.
DEFAULT_TOLERANCE = 2e-4

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
        "default": 6,
        "description": "Largest number of reads of the features. The sample of at most 1/16 of the "
        "rows, which is read before, is not counted. With a share as n_components, blocks are "
        "narrower and may be more, in the same memory.",
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
        "default": DEFAULT_TOLERANCE,
        "description": "Stop once no eigenvalue can be further from a true one than this share of "
        "the largest, by residuals that are known without a read. null: use all passes.",
    },
}

# Rows of the sample for each column of the block, at least and at most, and the largest share of
# all rows. More take longer to decompose than they save.
FEWEST, SAMPLED, SHARE = 2, 8, 16

# One column in so many starts at random.
RANDOM = 6

# Components that the first block is made for, where a share is wanted and there is no sample.
FIRST = 20


def usual_passes(tolerance: float) -> int:
    """Reads that recordings of several kinds took: one for each digit."""
    return max(3, math.ceil(-math.log10(tolerance) - 0.4))


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
        self._width = columns(n_features, settings)
        self._capacity = min(n_features, self._width * self._passes)
        self._found, self._fraction = self._k, None
        if self._tolerance is not None and settings["columns"] is None:
            self._fraction = settings.get("select", {}).get("fraction")
        random = np.random.default_rng(settings["random_state"])
        start = random.standard_normal((n_features, self._width))
        self._next = np.linalg.qr(start)[0].astype(dtype)
        self._krylov: Krylov | None = None
        self._total: CovarianceProducts | None = None
        self._mean: np.ndarray | None = None
        self._unit = 1.0
        self._rows = self._wanted = 0  # in all, and in the sample
        self._sampling, self._samples = False, list[RowSample]()

    def expect(self, n_rows: int) -> None:
        """Say before the first pass how many rows there will be: a sample of them comes first."""
        wanted = min(SAMPLED * self._width, n_rows // SHARE)
        self._sampling = wanted >= FEWEST * self._width
        self._rows, self._wanted = n_rows, wanted if self._sampling else 0
        if not self._sampling:
            self._narrow(FIRST)

    @property
    def shift(self) -> np.ndarray | None:
        """What is to be subtracted from rows, once their mean is known."""
        return None if self._mean is None else needed_shift(self._mean, self._variance)

    def row_order(self, n_rows: int, row_bytes: int, grain: int = 1) -> Iterator[tuple[int, int]]:
        if self._sampling:
            return spread(n_rows, self._wanted * n_rows // self._rows, grain)
        return iter([(0, n_rows)])

    def start(self, shift: np.ndarray) -> CovarianceProducts | RowSample:
        if self._sampling:
            return RowSample(shift, self._dtype)
        return CovarianceProducts(shift, self._next)

    def restore(self, arrays: dict[str, np.ndarray]) -> CovarianceProducts:
        return CovarianceProducts.of_arrays(arrays)

    def merge(self, summary: CovarianceProducts | RowSample) -> None:
        if isinstance(summary, RowSample):
            self._samples.append(summary)
        else:
            super().merge(summary)

    def _end_sample(self) -> None:
        """Replace random columns by the leading directions of the sample."""
        samples, self._samples, self._sampling = self._samples, [], False
        if not any(len(sample.rows) for sample in samples):
            return
        self._mean, self._variance = mean_of(samples)

        def count(values: np.ndarray) -> int:
            if self._fraction is not None:
                self._narrow(pairs_for(values, float(values.sum()), self._fraction, self._k))
            return self._width - max(1, self._width // RANDOM)

        found = leading_directions(samples, count)
        start = self._next.astype(np.float64)
        start[:, : len(found)] = found.T
        self._next = np.linalg.qr(start)[0].astype(self._dtype)

    def _narrow(self, k: int) -> None:
        """Make blocks as wide as k components need, if a share of the variance is wanted."""
        if self._fraction is not None:
            self._width = min(self._width, 2 * k + 20)
            self._next = self._next[:, : self._width]

    def next_pass(self) -> bool:
        if self._sampling:
            self._end_sample()
            return True
        assert self._total is not None
        total, self._total = self._total, None
        if self._krylov is None:
            self._krylov = Krylov(len(self._next), self._capacity, self._dtype)
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
        is_last = self._fraction is None and len(self._krylov.blocks) == self._passes
        if is_last or self._converged():
            return False
        self._next = self._krylov.new_directions(block)
        return self._next.shape[1] > 0

    def _converged(self) -> bool:
        """Whether the Ritz pairs' residuals, known without a further read, are small enough."""
        if self._tolerance is None:
            return False
        assert self._krylov is not None
        values, residuals = self._krylov.ritz_residuals(self._k)
        if self._fraction is not None:
            total = self._variance / self._unit
            self._found = pairs_for(values[::-1], total, self._fraction, self._k)
        enough = len(values) >= self._found
        return bool(enough and residuals[-self._found :].max() <= self._tolerance * values[-1])

    def finish(self) -> Model:
        assert self._krylov is not None
        passes, width = len(self._krylov.blocks), self._krylov.filled
        values, vectors = self._krylov.nystrom(min(self._found, width))
        assert self._mean is not None
        return from_eigenpairs(
            values * self._unit,
            vectors,
            mean=self._mean,
            total_variance=self._variance,
            n_samples=self._count,
            solver="randomized",
            notes={"passes": passes, "columns": width // passes, "sampled_rows": self._wanted},
        )


def fit_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of all blocks and products, and of `Krylov.nystrom`."""
    width = columns(d, settings)
    space = min(d, width * settings["passes"])
    krylov = (itemsize + 8) * d * space + 5 * 8 * space * (space + PANEL)
    return max(krylov, sample_bytes(d, SAMPLED * width, itemsize)) + 7 * 8 * d * width


def summary_bytes(d: int, settings: dict, itemsize: int) -> int:
    """Memory of one summary; each thread has one."""
    return products_bytes(d, columns(d, settings), itemsize)


def work(d: int, n_rows: int, settings: dict) -> Work:
    """Two products in each pass, and the orthogonalisation of all blocks."""
    width, passes = columns(d, settings), settings["passes"]
    if settings["tolerance"] is not None:
        passes = min(passes, usual_passes(settings["tolerance"]))
    space = float(min(d, width * passes))
    return Work(passes, passes * 4.0 * n_rows * d * width, 8.0 * d * space * space)


def guarantee(tolerance: float) -> dict | None:
    """It iterates until the residuals are small enough. Ten passes were enough in all trials."""
    return {"tolerance": tolerance, "passes": 10}
