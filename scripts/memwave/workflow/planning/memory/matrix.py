"""Upper bounds of the memory of PCA of a matrix, in one process and in stages."""

import numpy as np

from memwave.core.moments import moments_bytes
from memwave.core.precision import compute_dtype
from memwave.core.ranges import rows_per_block
from memwave.features.columns import MatrixSpec
from memwave.pca import projection
from memwave.pca.diagnostics.certificate import bounds_bytes
from memwave.pca.linalg.train_columns import block_width, rows_together
from memwave.pca.solvers import reads_columns, scales_itself, solver_module
from memwave.readers import SCRATCH_BYTES
from memwave.workflow.planning.memory.blocks import (
    Sizes,
    measured_rows,
    measuring_rows,
    projection_rows,
)
from memwave.workflow.planning.memory.fits import (
    finishing_bytes,
    fit_threads,
    fitting,
    fitting_columns,
)
from memwave.workflow.planning.memory.processes import stage_mb, thread_bytes
from memwave.workflow.planning.memory.stages import (
    in_one_job,
    model_file_bytes,
    vector_bytes,
    writing_bytes,
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
    d, model_file = spec.n_features, model_file_bytes(spec.n_features, model["n_components"])
    if reads_columns(model["solver"]):
        fitting_bytes = max(_column_bytes(spec, model, sizes, n_train), model_file)
    else:
        fitting_bytes = _fit_bytes(spec, model, sizes) + model_file
    stages = {"fit_model": fitting_bytes}
    if model["standardize"] and not scales_itself(model["solver"]):
        rows = measured_rows(d, sizes.block_mb)
        stages["measure_features"] = moments_bytes(d, rows) + spec.reading_bytes(rows)
    stages["project_features"] = _projecting_bytes(spec, model, sizes.block_mb)
    return {name: stage_mb(need + SCRATCH_BYTES) for name, need in stages.items()}


def _fit_bytes(spec: MatrixSpec, model: dict, sizes: Sizes) -> int:
    """Memory, in bytes, of a fit in one process: the summaries of all threads, and the finish."""
    solver, d = solver_module(model["solver"]), spec.n_features
    itemsize = np.dtype(compute_dtype(model["compute_dtype"], spec.dtype)).itemsize
    workers = min(sizes.threads, sizes.shards)
    rows = rows_per_block(sizes.block_mb, d, f"f{itemsize}")
    summary = solver.summary_bytes(d, model, itemsize)
    thread = rows * d * itemsize + spec.reading_bytes(rows) + vector_bytes(model, d) + summary
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


def _projecting_bytes(spec: MatrixSpec, model: dict, block_mb: float) -> int:
    """Memory, in bytes, of projecting rows, and of the bounds of the certificate."""
    d, k = spec.n_features, model["n_components"]
    dtype = projection.projection_dtype(model, compute_dtype(model["compute_dtype"], spec.dtype))
    itemsize, rows = np.dtype(dtype).itemsize, projection_rows(d, block_mb, dtype)
    projecting = projection.project_bytes(d, k, itemsize, rows) + bounds_bytes(d, k)
    projecting += rows * d * itemsize + spec.reading_bytes(rows)
    return vector_bytes(model, d) + model_file_bytes(d, k) + projecting


def predict_stages(spec: MatrixSpec, model: dict, sizes: Sizes, n_train: int = 0) -> dict[str, int]:
    """Predict the memory of every stage of the workflow: MB by the name of the stage.

    See `predict` for the parameters.
    """
    stages = _fit_stages(spec, model, sizes, n_train)
    projecting = _projecting_bytes(spec, model, sizes.block_mb)
    stages["project_features"] = projecting + SCRATCH_BYTES
    writing = writing_bytes(spec, model["n_components"], "last", 1)
    stages["write_projection"] = writing + SCRATCH_BYTES
    stages = in_one_job(stages, sizes, spec.n_features, model["n_components"])
    found = {name: stage_mb(need) for name, need in stages.items()}
    if model["standardize"] and not scales_itself(model["solver"]):
        found["measure_features"] = measuring_mb(spec, sizes.block_mb)
    return found


def _fit_stages(spec: MatrixSpec, model: dict, sizes: Sizes, n_train: int) -> dict[str, int]:
    """Bytes of the stages that make a model, by name."""
    solver, model_file = model["solver"], model_file_bytes(spec.n_features, model["n_components"])
    if "apply" in model:
        return {"adopt_model": model_file}
    if reads_columns(solver):
        return {"fit_model": max(_column_bytes(spec, model, sizes, n_train), model_file)}
    workers = fit_threads(solver, sizes)
    needs = fitting(spec, model, 0, block_mb=sizes.block_mb, workers=workers)
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    rows = rows_per_block(sizes.block_mb, spec.n_features, dtype)
    read = spec.reading_bytes(rows) + SCRATCH_BYTES
    if solver_module(solver).Solver.ONE_PASS:
        needs["summarize_features"] += read
    else:
        needs["fit_model"] += workers * read
    needs["fit_model"] += model_file
    return {name: need + spec.library_bytes for name, need in needs.items()}


def measuring_mb(spec: MatrixSpec, block_mb: float) -> int:
    """Return the MB of measuring the columns of a shard."""
    rows = measured_rows(spec.n_features, block_mb)
    arrays = moments_bytes(spec.n_features, rows) + spec.reading_bytes(rows)
    return stage_mb(arrays + rows * spec.n_features * 8 + SCRATCH_BYTES)


def searching_mb(spec: MatrixSpec) -> int:
    """MB of looking for rows with missing values."""
    return stage_mb(spec.reading_bytes(measuring_rows(spec.n_features)) + SCRATCH_BYTES)
