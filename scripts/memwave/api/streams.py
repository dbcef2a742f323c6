"""Blocks of rows that come one after the other: what they are, and what is fitted to them."""

from collections.abc import Iterator
from typing import Any

from memwave.api.planning import FitPlan, InvalidParameter, components_of, entry, require_memory
from memwave.core.errors import InvalidMatrix
from memwave.core.messages import shown
from memwave.core.precision import compute_dtype
from memwave.core.ranges import rows_per_block
from memwave.features.columns import MatrixSpec
from memwave.pca.solvers import row_solvers, solver_module
from memwave.workflow.planning.matrix_memory import predict
from memwave.workflow.planning.memory import Sizes


def is_stream(X: Any) -> bool:
    """Whether it is read once: an iterator, as a generator is."""
    return isinstance(X, Iterator)


def plan_stream(params: dict, spec: MatrixSpec, n_rows: int | None) -> FitPlan:
    """Choose solver and options for blocks whose number is not known.

    ``auto`` is the exact solver if it fits the memory, else the incremental one.

    Parameters
    ----------
    params : dict
        Of `memwave.PCA`.
    spec : MatrixSpec
        Of the first block.
    n_rows : int, optional
        Rows of the first block, of which no more components than those are wanted by default.

    Raises
    ------
    InvalidParameter
        If the solver reads rows more than once, or the parameters do not go with one read.
    """
    one_pass = [name for name in row_solvers() if solver_module(name).Solver.ONE_PASS]
    solver = params["solver"]
    if solver not in ("auto", *one_pass) and solver in row_solvers():
        raise InvalidParameter(
            f"solver is {shown(solver)}, which reads the rows several times; blocks that come once "
            f"are fitted by {' or '.join(map(shown, one_pass))}."
        )
    if params["standardize"]:
        raise InvalidParameter(
            "standardize is True, which needs the standard deviations before the first block. Fit "
            "a file or an array, or divide the columns yourself."
        )
    k = params["n_components"]
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
    return FitPlan(plans[i], dtype, rows, needs[i])


def _needed_mb(spec: MatrixSpec, model: dict, sizes: Sizes) -> int:
    """MB of blocks that come one by one; a copy of all sums is made to tell the model."""
    solver = solver_module(model["solver"])
    itemsize = 8 if compute_dtype(model["compute_dtype"], spec.dtype) == "float64" else 4
    copied = 2 * solver.summary_bytes(spec.n_features, model, itemsize)
    return max(predict(spec, model, sizes).values()) + -(-copied // 1_000_000)
