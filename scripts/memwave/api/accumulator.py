"""Fitting blocks that come one after the other and are seen once."""

import copy

import numpy as np

from memwave.api.planning import FitPlan
from memwave.core.errors import InvalidMatrix
from memwave.core.precision import load_shifted, needed_shift
from memwave.core.ranges import spans
from memwave.pca.model import Model
from memwave.pca.solvers import Summary, load_libraries, make_solver
from memwave.pca.streaming import sample_shift
from memwave.readers.matrix import Matrix


class Accumulator:
    """Takes in blocks of rows; returns the model of all rows so far as often as it is asked.

    Parameters
    ----------
    plan : FitPlan
        Of a solver that reads the rows once.
    n_features : int
    """

    def __init__(self, plan: FitPlan, n_features: int):
        load_libraries(plan.model["solver"])
        self.plan, self.n_features, self.n_rows = plan, n_features, 0
        self._solver = make_solver(plan.model["solver"], n_features, plan.model, plan.dtype)
        self._summary: Summary | None = None

    def add(self, block: Matrix) -> None:
        """Take in a block, checked as files are.

        The rows are referred to a point near their mean. Where the mean of a later block is far
        from it, a new summary is begun, so that no digits are lost.
        """
        for rows in block.ranges(1):
            whole = [(0, rows.shape[0])]
            shift = sample_shift(rows, whole, self.plan.dtype)
            if self._summary is None:
                self._summary = self._solver.start(shift)
            elif self._is_far(shift, rows.rows(0, min(256, rows.shape[0]))):
                self._solver.merge(self._summary)
                self._summary = self._solver.start(shift)
            for start, stop in spans(0, rows.shape[0], self.plan.block_rows):
                stored = rows.rows(start, stop)
                shifted = np.empty(stored.shape, self.plan.dtype)
                load_shifted(stored, self._summary.shift.astype(self.plan.dtype), shifted)
                self._summary.update(shifted)
            self.n_rows += rows.shape[0]

    def _is_far(self, shift: np.ndarray, sample: np.ndarray) -> bool:
        assert self._summary is not None
        values = sample.astype(np.float64)
        mean = values.mean(axis=0)
        variance = float(np.square(values - mean).sum() / len(values))
        return bool(needed_shift(mean - self._summary.shift, variance).any())

    def model(self) -> Model:
        """Fit what has come so far; more may come afterwards."""
        k = self.plan.model["n_components"]
        if self.n_rows < max(2, k):
            raise InvalidMatrix(
                f"{self.n_rows} rows have come (n_samples={self.n_rows}), expected at least "
                f"{max(2, k)} before a PCA of {k} components can be told."
            )
        solver = copy.deepcopy(self._solver)
        solver.merge(copy.deepcopy(self._summary))
        return solver.finish()
