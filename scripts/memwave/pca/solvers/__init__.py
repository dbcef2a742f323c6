"""PCA solvers: one file each, one protocol for all.

A solver sees blocks of rows as arrays, never a file. The caller drives it::

    solver = make_solver("covariance", n_features, settings, dtype)
    solver.expect(number of all rows)
    while True:
        for each shard, in any order or at the same time:
            summary = solver.start(solver.shift, or a first idea of the mean)
            for each block, in the order of solver.row_order: summary.update(rows - summary.shift)
            summary.finish()
        for each summary, in the order of the shards:
            solver.merge(summary)
        if not solver.next_pass():
            break
    model = solver.finish()

With one pass, `merge` and `finish` are called by one thread. A solver that divides them into units
of work for more (`memwave.core.workers`) has ``SHARES_FINISH = True``.

A solver ``FROM_SIGNAL`` sees no rows of features and is made of a
`memwave.features.spec.FeatureSpec`. With one pass it sees sums over the recordings
(`memwave.pca.lags.lags.LagSums`), and has `merge` and `finish` only. Otherwise it reads the
recordings as often as it needs: it has `fit` only, and `worker_bytes`, the memory of each of its
threads.

A solver that has `fit_columns` reads all rows of some features at once
(`memwave.pca.linalg.train_columns.TrainColumns`), and has no summaries. Its memory depends on the
number of rows.

To add a solver, add a file: it is found by its name. It holds the class `Solver`; `OPTIONS`, the
JSON schema of its options; `LIBRARIES`, modules that only computing needs, and that it reaches
through their package; ``summary_bytes`` and ``fit_bytes``, the memory of a summary and of the fit
beside the block; ``work``, what fitting takes; and ``guarantee``, the options that keep every
eigenvalue within a tolerance, or None.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from memwave.pca.model import Model


class Summary(Protocol):
    """Sufficient statistics of one shard for one pass."""

    #: Vector that the caller subtracts from the rows, shape (d,).
    shift: np.ndarray

    def update(self, block: np.ndarray) -> None:
        """Add a block, shape (n, d), of shifted rows. The caller reuses the array."""

    def finish(self) -> None:
        """End the summary: no more blocks follow. Calling it again changes nothing."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Content of a finished summary, for a file; `PcaSolver.restore` reads it back."""


class PcaSolver(Protocol):
    """The protocol; see the module's docstring for the order of the calls."""

    #: Whether each shard may be a job: the solver needs one pass, and its summaries fit in a file.
    ONE_PASS: ClassVar[bool]

    #: Whether it is fitted to recordings and reads no features.
    FROM_SIGNAL: ClassVar[bool]

    @property
    def shift(self) -> np.ndarray | None:
        """What is best subtracted from the rows, shape (d,), once it is known."""

    def expect(self, n_rows: int) -> None:
        """Say how many rows there are in all, before the first pass. A solver need not be told."""

    def row_order(self, n_rows: int, row_bytes: int, grain: int = 1) -> Iterator[tuple[int, int]]:
        """Order in which a shard's rows are read, as runs (start, stop).

        `grain` rows are stored together: runs of fewer would read some of them twice.
        """

    def start(self, shift: np.ndarray) -> Summary:
        """Return an empty summary; `shift`, shape (d,), is near the mean of its rows."""

    def restore(self, arrays: dict[str, np.ndarray]) -> Summary:
        """Return the summary whose `Summary.arrays` these are."""

    def merge(self, summary: Any) -> None:
        """Add a summary. Summaries are merged in the order of the shards."""

    def next_pass(self) -> bool:
        """Finish a pass; return whether another one is needed."""

    def finish(self) -> Model:
        """Return the model. The solver cannot be used afterwards."""


@dataclass(frozen=True)
class Work:
    """Amount of work of a fit.

    Attributes
    ----------
    reads : int
        How often all features are read.
    products : float
        Floating point operations in matrix products over the rows.
    dense : float
        Operations in decompositions of small matrices, which run at a lower rate.
    """

    reads: int
    products: float
    dense: float


def solver_names() -> list[str]:
    """Names of all solvers, as the configuration spells them."""
    modules = pkgutil.iter_modules(__path__)
    return sorted(m.name.replace("_", "-") for m in modules if not m.name.startswith("_"))


def concrete_solvers() -> list[str]:
    """Names of the solvers that fit models: all but ``auto``."""
    return [name for name in solver_names() if hasattr(solver_module(name), "Solver")]


def feature_solvers() -> list[str]:
    """Names of the solvers that read features."""
    return [name for name in concrete_solvers() if not solver_module(name).Solver.FROM_SIGNAL]


def row_solvers() -> list[str]:
    """Names of the solvers that follow the protocol above: they read features row by row."""
    return [name for name in feature_solvers() if not reads_columns(name)]


def reads_columns(name: str) -> bool:
    """Whether a solver reads features by blocks of columns."""
    return hasattr(solver_module(name).Solver, "fit_columns")


def reads_recordings(name: str) -> bool:
    """Whether a solver reads the recordings, in several passes."""
    solver = solver_module(name).Solver
    return solver.FROM_SIGNAL and not solver.ONE_PASS


def shares_finish(name: str) -> bool:
    """Whether threads share the work of merging summaries and finishing (`core.workers`)."""
    return getattr(solver_module(name).Solver, "SHARES_FINISH", False)


def scales_itself(name: str) -> bool:
    """Whether a solver computes the standard deviations of the features, for `standardize`."""
    return reads_columns(name) or solver_module(name).Solver.FROM_SIGNAL


def solver_module(name: str) -> Any:
    """Import the module of the solver called `name` in the configuration."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def load_libraries(name: str) -> None:
    """Import what a solver computes with, before memory is limited; see `process.stage`."""
    # Only here: Snakemake's own process asks solvers only for sizes, and needs no libraries.
    for library in solver_module(name).LIBRARIES:
        importlib.import_module(library)


def make_solver(name: str, n_features: int, settings: dict, dtype: str) -> PcaSolver:
    """Make a solver.

    Parameters
    ----------
    name : str
        As in the configuration.
    n_features : int
        Length d of a row.
    settings : dict
        Complete entry of ``models`` in the configuration.
    dtype : {"float32", "float64"}
        Type of the blocks and of their products.
    """
    return solver_module(name).Solver(n_features, dtype, settings)
