"""What the stages need whose features are the columns of a matrix."""

import numpy as np

from memwave.core.moments import moments_bytes
from memwave.core.precision import compute_dtype
from memwave.core.ranges import MEGABYTE, rows_per_block
from memwave.features.columns import MatrixSpec
from memwave.pca import projection
from memwave.pca.solvers import solver_module
from memwave.readers import SCRATCH_BYTES
from memwave.workflow.planning.memory import (
    THREAD_MB,
    Sizes,
    measured_rows,
    model_file_bytes,
    projection_rows,
    stage_mb,
)


def predict(spec: MatrixSpec, model: dict, sizes: Sizes) -> dict[str, int]:
    """Predict the memory of fitting in one process, and of projecting: MB by the name of the stage.

    Parameters
    ----------
    spec : MatrixSpec
    model : dict
        Complete entry of ``models`` in the configuration.
    sizes : Sizes
    """
    d, k = spec.n_features, model["n_components"]
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    itemsize = np.dtype(dtype).itemsize
    model_file = model_file_bytes(d, k)
    beside = (192 if model["standardize"] else 64) * d
    rows = projection_rows(d, sizes.block_mb, dtype)
    projecting = beside + model_file + projection.project_bytes(d, k, itemsize, rows)
    projecting += rows * d * itemsize + spec.reading_bytes(rows)
    stages = {"fit_model": _fit_bytes(spec, model, itemsize, beside, sizes) + model_file}
    if model["standardize"]:
        rows = measured_rows(d, sizes.block_mb)
        stages["measure_features"] = moments_bytes(d, rows) + spec.reading_bytes(rows)
    stages["project_features"] = projecting
    return {name: stage_mb(need + SCRATCH_BYTES) for name, need in stages.items()}


def _fit_bytes(spec: MatrixSpec, model: dict, itemsize: int, beside: int, sizes: Sizes) -> int:
    """Summaries of all threads beside what was merged before, then the finish."""
    solver, d = solver_module(model["solver"]), spec.n_features
    workers = min(sizes.threads, sizes.shards)
    rows = rows_per_block(sizes.block_mb, d, f"f{itemsize}")
    summary = solver.summary_bytes(d, model, itemsize)
    part = rows * d * itemsize + spec.reading_bytes(rows) + beside + summary
    parts = workers * (part + THREAD_MB * MEGABYTE)
    finish = solver.fit_bytes(d, model, itemsize)
    if solver.Solver.ONE_PASS:
        return max(finish, summary + parts)
    return finish + parts
