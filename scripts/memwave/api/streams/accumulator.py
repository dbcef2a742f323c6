"""Fitting a stream of blocks of rows, each of which is read once."""

import copy
import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from memwave.api.planning import (
    FitPlan,
    InvalidParameter,
    components_of,
    entry,
    most_components,
    require_memory,
)
from memwave.api.streams.one_pass import require_one_pass
from memwave.core.errors import InvalidMatrix, MemwaveError
from memwave.core.precision import compute_dtype, load_shifted, needed_shift
from memwave.core.ranges import rows_per_block, spans
from memwave.features.columns import MatrixSpec
from memwave.pca.model import Model
from memwave.pca.solvers import (
    PcaSolver,
    Summary,
    make_solver,
    solver_module,
)
from memwave.pca.streaming import SAMPLE, sample_shift
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.objects import has
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.matrix import predict


class Accumulator:
    """Accumulates blocks of rows; returns the model of all rows so far at any time.

    Parameters
    ----------
    plan : FitPlan
        Plan of a fit with a solver that reads the rows once.
    n_features : int
    """

    def __init__(self, plan: FitPlan, n_features: int):
        self.plan, self.n_features, self.n_rows = plan, n_features, 0
        self._solver = make_solver(plan.model["solver"], n_features, plan.model, plan.dtype)
        self._summary: Summary | None = None
        self._is_whole = True

    def check(self, block: Matrix) -> None:
        """Read a block, so that nothing of one with a bad value is added."""
        (rows,) = block.ranges(1)
        for start, stop in spans(0, rows.shape[0], self.plan.block_rows):
            rows.rows(start, stop)

    def add(self, block: Matrix, progress: Callable[[int], None] | None = None) -> None:
        """Add a block, with the checks of files; `progress` is called with numbers of rows.

        A shift near the mean is subtracted from the rows. If the mean of a later block is far from
        it, a new summary begins, so that no digits are lost.
        """
        self._require_whole()
        if not block.n_rows:  # all were dropped
            return
        for rows in block.ranges(1):
            whole = [(0, rows.shape[0])]
            shift = sample_shift(rows, whole, self.plan.dtype)
            self._is_whole = False
            if self._summary is None:
                self._summary = self._solver.start(shift)
            elif self._is_far(shift, rows.rows(0, min(SAMPLE, rows.shape[0]))):
                self._solver.merge(self._summary)
                self._summary = self._solver.start(shift)
            for start, stop in spans(0, rows.shape[0], self.plan.block_rows):
                stored = rows.rows(start, stop)
                shifted = np.empty(stored.shape, self.plan.dtype)
                load_shifted(stored, self._summary.shift.astype(self.plan.dtype), shifted)
                self._summary.update(shifted)
                if progress is not None:
                    progress(stop - start)
            self.n_rows += rows.shape[0]
            self._is_whole = True

    def _require_whole(self) -> None:
        if not self._is_whole:
            raise MemwaveError(
                "a block of rows was added in part: it was interrupted, or could not be read to "
                "its end. Begin anew with a new PCA, or load the model that was saved last."
            )

    def merge(self, other: "Accumulator") -> None:
        """Add all rows of another one, which stays as it is."""
        self._solver.merge(other.total())
        self.n_rows += other.n_rows

    def total(self) -> Any:
        """Return one summary of all rows so far; a copy."""
        return self._merged()[1]

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Begin with the rows of a summary, as its arrays."""
        self._solver.merge(self._solver.restore(arrays))
        self.n_rows = int(arrays["count"])

    def _merged(self) -> tuple[PcaSolver, Any]:
        self._require_whole()
        solver: Any = copy.deepcopy(self._solver)  # one of those with ONE_PASS, which have a total
        if self._summary is not None:
            solver.merge(copy.deepcopy(self._summary))
        return solver, solver.total

    def _is_far(self, shift: np.ndarray, sample: np.ndarray) -> bool:
        assert self._summary is not None
        values = sample.astype(np.float64)
        mean = values.mean(axis=0)
        variance = float(np.square(values - mean).sum() / len(values))
        return bool(needed_shift(mean - self._summary.shift, variance).any())

    def model(self) -> Model:
        """Fit the rows so far; more rows may follow."""
        k = self.plan.model["n_components"]
        if self.n_rows < max(2, k):
            raise InvalidMatrix(
                f"{self.n_rows} rows were added (n_samples={self.n_rows}), expected at least "
                f"{max(2, k)} for a PCA of {k} components."
            )
        solver, _ = self._merged()
        return self.plan.selected(solver.finish())


def is_stream(X: Any) -> bool:
    """Whether `X` gives blocks of rows one after the other: an iterator, or what makes one."""
    is_collection = isinstance(X, (str, bytes, os.PathLike, Sequence, Mapping, Set))
    is_array = any(has(X, name) for name in ("shape", "__array__", "columns"))
    return isinstance(X, Iterable) and not is_collection and not is_array


def plan_stream(params: dict, spec: MatrixSpec, n_rows: int | None) -> FitPlan:
    """Choose solver and options for blocks whose number is not known.

    ``auto`` is the exact solver if it fits the memory, else the incremental one.

    Parameters
    ----------
    params : dict
        Parameters of `memwave.PCA`.
    spec : MatrixSpec
        Columns of the first block.
    n_rows : int, optional
        Rows of the first block: by default the model has at most as many components.

    Raises
    ------
    InvalidParameter
        If the solver reads rows more than once, or a parameter requires it.
    """
    solver = params["solver"]
    require_one_pass(solver)
    if params["standardize"]:
        raise InvalidParameter(
            "standardize is True, which needs the standard deviations before the first block. Fit "
            "a file or an array, or divide the columns yourself."
        )
    k, select = most_components(params)
    if select:
        k = min(k, spec.n_features)
    if k is None:
        k = spec.n_features if n_rows is None else min(n_rows, spec.n_features)
    if isinstance(k, int) and k > spec.n_features:
        raise InvalidMatrix(
            f"n_components is {k}, expected at most {spec.n_features}: blocks have so many columns."
        )
    k = components_of(k, max(spec.n_features, 2), spec.n_features)
    sizes = Sizes(params["block_mb"], 1, 1)
    names = [solver] if solver != "auto" else ["covariance", "incremental"]
    plans = [entry({**params, "solver": name}, k) for name in names]
    needs = [_needed_mb(spec, plan, sizes) for plan in plans]
    fitting = [i for i, need in enumerate(needs) if need <= params["max_mem_mb"]]
    i = fitting[0] if fitting else len(plans) - 1
    require_memory(needs[i], params, spec, plans[i], sizes)
    dtype = compute_dtype(plans[i]["compute_dtype"], spec.dtype)
    rows = rows_per_block(params["block_mb"], spec.n_features, dtype)
    return FitPlan(plans[i], dtype, rows, 1, needs[i], select)


def _needed_mb(spec: MatrixSpec, model: dict, sizes: Sizes) -> int:
    """MB of fitting a stream. All sums are copied to compute a model."""
    solver = solver_module(model["solver"])
    itemsize = 8 if compute_dtype(model["compute_dtype"], spec.dtype) == "float64" else 4
    copied = 2 * solver.summary_bytes(spec.n_features, model, itemsize)
    return max(predict(spec, model, sizes).values()) + -(-copied // 1_000_000)
