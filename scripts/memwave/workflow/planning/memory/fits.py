"""Memory of the stages that fit a model."""

import numpy as np

from memwave.core.precision import compute_dtype
from memwave.core.ranges import rows_per_block
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.pca.solvers import reads_columns, reads_recordings, shares_finish, solver_module
from memwave.readers import SCRATCH_BYTES
from memwave.workflow.planning.memory.blocks import Sizes, at_most
from memwave.workflow.planning.memory.processes import thread_bytes
from memwave.workflow.planning.memory.stages import vector_bytes


def fit_threads(solver: str, sizes: Sizes) -> int:
    """Threads that a fit uses; if it works shard by shard, no more than there are shards."""
    alone = reads_recordings(solver) or reads_columns(solver) or shares_finish(solver)
    return sizes.threads if alone else min(sizes.threads, sizes.shards)


def fitting(
    spec: FeatureSpec | MatrixSpec,
    model: dict,
    library_bytes: int,
    *,
    block_mb: float,
    workers: int,
    shard_rows: int | None = None,
) -> dict[str, int]:
    """Return the bytes of the stages that fit a model, by name, without those of the model file."""
    solver, d = solver_module(model["solver"]), spec.n_features
    itemsize = np.dtype(compute_dtype(model["compute_dtype"], spec.dtype)).itemsize
    if reads_recordings(model["solver"]):
        fit = solver.fit_bytes(spec, model) + library_bytes
        thread = thread_bytes(max(d, spec.window * spec.n_channels))
        return {"fit_model": fit + workers * (solver.worker_bytes(spec, model) + thread)}
    if solver.Solver.FROM_SIGNAL:
        summary = solver.summary_bytes(spec) + library_bytes
        fit = solver.fit_bytes(spec, model) + finishing_bytes(model["solver"], workers, d)
        return {"summarize_lags": summary, "fit_model": fit}
    rows = at_most(rows_per_block(block_mb, d, f"f{itemsize}"), shard_rows)
    summary = (
        rows * d * itemsize + vector_bytes(model, d) + solver.summary_bytes(d, model, itemsize)
    )
    fit = solver.fit_bytes(d, model, itemsize)
    if solver.Solver.ONE_PASS:
        fit += finishing_bytes(model["solver"], workers, d)
        return {"summarize_features": summary, "fit_model": fit}
    return {"fit_model": fit + workers * (summary + thread_bytes(max(rows, d), itemsize))}


def fitting_columns(
    spec: FeatureSpec | MatrixSpec, model: dict, n_train: int, *, block_mb: float, workers: int
) -> int:
    """Return the bytes of fitting a solver that reads columns."""
    solver = solver_module(model["solver"])
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    rows = rows_per_block(block_mb, spec.n_features, dtype)
    need = solver.fit_bytes(spec.n_features, model, n_train, rows, workers)
    return need + SCRATCH_BYTES + workers * thread_bytes()


def finishing_bytes(solver: str, threads: int, longest: int) -> int:
    """Return the bytes that further threads need to merge summaries and finish.

    `longest` is as in `thread_bytes`.
    """
    return (threads - 1) * thread_bytes(longest) if shares_finish(solver) else 0
