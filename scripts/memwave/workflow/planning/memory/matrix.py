"""Upper bounds of the memory of PCA of a matrix, in one process and in stages."""

import numpy as np

from memwave.core.moments import moments_bytes
from memwave.core.precision import compute_dtype
from memwave.core.ranges import rows_per_block
from memwave.features.columns import MatrixSpec
from memwave.pca import projection
from memwave.pca.diagnostics.certificate import bounds_bytes
from memwave.pca.linalg.train_columns import block_width, rows_together
from memwave.pca.solvers import reads_columns, scales_itself, shares_finish, solver_module
from memwave.readers import SCRATCH_BYTES
from memwave.recordings.labels.coding import labels_bytes
from memwave.results.monitoring.highest import contribution_bytes
from memwave.results.monitoring.limits import monitoring_bytes
from memwave.results.monitoring.single_rows import single_row_bytes
from memwave.workflow.planning.memory import (
    Sizes,
    finishing_bytes,
    fitting,
    fitting_columns,
    measured_rows,
    measuring_rows,
    model_file_bytes,
    projection_rows,
    stage_mb,
    thread_bytes,
)


def predict(spec: MatrixSpec, model: dict, sizes: Sizes, n_train: int = 0) -> dict[str, int]:
    """Predict the memory of fitting in one process, and of projecting: MB by the name of the stage.

    Parameters
    ----------
    spec : MatrixSpec
    model : dict
        Complete entry of ``models`` in the configuration.
    sizes : Sizes
    n_train : int
        Number of rows that are fitted. Only solvers that read columns need memory for them.
    """
    d, k = spec.n_features, model["n_components"]
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    itemsize = np.dtype(dtype).itemsize
    model_file = model_file_bytes(d, k)
    beside = (192 if model["standardize"] else 64) * d
    if reads_columns(model["solver"]):
        fitting_bytes = max(_column_bytes(spec, model, sizes, n_train), model_file)
    else:
        fitting_bytes = _fit_bytes(spec, model, itemsize, beside, sizes) + model_file
    stages = {"fit_model": fitting_bytes}
    dtype = projection.projection_dtype(model, dtype)
    itemsize = np.dtype(dtype).itemsize
    rows = projection_rows(d, sizes.block_mb, dtype)
    projecting = beside + model_file + projection.project_bytes(d, k, itemsize, rows)
    projecting += bounds_bytes(d, k) + rows * d * itemsize + spec.reading_bytes(rows)
    if model["standardize"] and not scales_itself(model["solver"]):
        rows = measured_rows(d, sizes.block_mb)
        stages["measure_features"] = moments_bytes(d, rows) + spec.reading_bytes(rows)
    stages["project_features"] = projecting
    return {name: stage_mb(need + SCRATCH_BYTES) for name, need in stages.items()}


def _fit_bytes(spec: MatrixSpec, model: dict, itemsize: int, beside: int, sizes: Sizes) -> int:
    """Memory, in bytes, of a fit in one process: the summaries of all threads, and the finish."""
    solver, d = solver_module(model["solver"]), spec.n_features
    workers = min(sizes.threads, sizes.shards)
    rows = rows_per_block(sizes.block_mb, d, f"f{itemsize}")
    summary = solver.summary_bytes(d, model, itemsize)
    thread = rows * d * itemsize + spec.reading_bytes(rows) + beside + summary
    threads = workers * (thread + thread_bytes(max(rows, d), itemsize))
    finish = solver.fit_bytes(d, model, itemsize)
    if solver.Solver.ONE_PASS:
        return max(finish + finishing_bytes(model["solver"], workers, d), summary + threads)
    return finish + threads


def _column_bytes(spec: MatrixSpec, model: dict, sizes: Sizes, n_train: int) -> int:
    """A fit that reads columns, with the rows of a block of them as they are stored."""
    d, dtype = spec.n_features, compute_dtype(model["compute_dtype"], spec.dtype)
    need = fitting_columns(spec, model, n_train, block_mb=sizes.block_mb, workers=sizes.threads)
    width = block_width(n_train, d, rows_per_block(sizes.block_mb, d, dtype))
    return need + spec.reading_bytes(rows_together(spec.grain), width)


def predict_stages(spec: MatrixSpec, model: dict, sizes: Sizes, n_train: int = 0) -> dict[str, int]:
    """Predict the memory of every stage of the workflow: MB by the name of the stage.

    See `predict` for the parameters.
    """
    d, k = spec.n_features, model["n_components"]
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    itemsize = np.dtype(dtype).itemsize
    model_file = model_file_bytes(d, k)
    beside = (192 if model["standardize"] else 64) * d
    stages: dict[str, int] = {}
    if "apply" in model:
        stages["adopt_model"] = model_file
    elif reads_columns(model["solver"]):
        stages["fit_model"] = max(_column_bytes(spec, model, sizes, n_train), model_file)
    else:
        read = spec.reading_bytes(rows_per_block(sizes.block_mb, d, dtype)) + SCRATCH_BYTES
        workers = min(sizes.threads, sizes.shards)
        if shares_finish(model["solver"]):
            workers = sizes.threads
        needs = fitting(spec, model, itemsize, beside, 0, block_mb=sizes.block_mb, workers=workers)
        one_pass = solver_module(model["solver"]).Solver.ONE_PASS
        needs["summarize_features" if one_pass else "fit_model"] += read * (
            1 if one_pass else workers
        )
        needs["fit_model"] += model_file
        stages |= {name: need + spec.library_bytes for name, need in needs.items()}
    dtype = projection.projection_dtype(model, dtype)
    itemsize = np.dtype(dtype).itemsize
    rows = projection_rows(d, sizes.block_mb, dtype)
    projecting = beside + model_file + projection.project_bytes(d, k, itemsize, rows)
    projecting += (
        bounds_bytes(d, k) + rows * d * itemsize + spec.reading_bytes(rows) + SCRATCH_BYTES
    )
    stages["project_features"] = projecting
    stages["write_projection"] = model_file + 6 * 8 * d * (k + 1) + SCRATCH_BYTES
    stages["write_projection"] += labels_bytes("last", 1) + bounds_bytes(d, k) + monitoring_bytes()
    stages["write_projection"] += contribution_bytes(d, k) + single_row_bytes(spec)
    found = {name: stage_mb(need) for name, need in stages.items()}
    if model["standardize"] and not scales_itself(model["solver"]):
        found["measure_features"] = measuring_mb(spec, sizes.block_mb)
    return found


def measuring_mb(spec: MatrixSpec, block_mb: float) -> int:
    """Return the MB of measuring the columns of a shard."""
    rows = measured_rows(spec.n_features, block_mb)
    arrays = moments_bytes(spec.n_features, rows) + spec.reading_bytes(rows)
    return stage_mb(arrays + rows * spec.n_features * 8 + SCRATCH_BYTES)


def searching_mb(spec: MatrixSpec) -> int:
    """MB of looking for rows with missing values."""
    return stage_mb(spec.reading_bytes(measuring_rows(spec.n_features)) + SCRATCH_BYTES)
