"""Upper bounds of the memory of all stages of PCA of recordings."""

import numpy as np

from memwave.core.precision import compute_dtype
from memwave.features import sliding
from memwave.features.spec import FeatureSpec
from memwave.pca import projection
from memwave.pca.lags import signal_scores
from memwave.pca.lags.signal.moments import overlaps_much
from memwave.pca.solvers import (
    lag_covariance,
    reads_columns,
    reads_recordings,
    scales_itself,
    solver_module,
)
from memwave.readers import SCRATCH_BYTES
from memwave.recordings.channels import MEASURED_SCALES
from memwave.workflow.planning.memory.blocks import Sizes, projection_rows
from memwave.workflow.planning.memory.fits import fit_threads, fitting, fitting_columns
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.stages import (
    extraction_bytes,
    feature_moments_bytes,
    in_one_job,
    measuring_bytes,
    model_file_bytes,
    vector_bytes,
    writing_bytes,
)


def predict_stages(
    spec: FeatureSpec,
    model: dict,
    sizes: Sizes,
    *,
    library_bytes: int = 0,
    n_train: int = 0,
    shard_rows: int | None = None,
    window_label: str = "last",
    label_scratch: int = SCRATCH_BYTES,
) -> dict[str, int]:
    """Predict the memory of every stage.

    Parameters
    ----------
    spec : FeatureSpec
        The features.
    model : dict
        Complete entry of ``models`` in the configuration.
    sizes : Sizes
    library_bytes : int
        Memory of reading recordings beside the rows; see `stages.reading_bytes`.
    n_train : int
        Number of train windows. Only solvers that read columns need memory that depends on it.
    shard_rows : int, optional
        Number of windows of the largest shard: no block has more. Without it, blocks are as large
        as `block_mb` allows.
    window_label : str
        Rule for the label of a window, as in the configuration.
    label_scratch : int
        Memory, in bytes, of reading labels beside the labels.

    Returns
    -------
    dict of str to int
        MB by the name of the stage, in the order of the data flow.
    """
    stages: dict[str, int] = {}
    if spec.scale in MEASURED_SCALES:
        stages["measure_channels"] = measuring_bytes(spec.n_channels) + library_bytes
    if spec.store:
        needed = extraction_bytes(spec, sizes.block_mb, shard_rows)
        stages["extract_features"] = needed + library_bytes
    if model["standardize"] and not scales_itself(model["solver"]):
        needed = feature_moments_bytes(spec.n_features, sizes.block_mb, shard_rows)
        stages["measure_features"] = needed
    stages |= _fit_stages(spec, model, sizes, library_bytes, n_train, shard_rows)
    if spec.store:
        stages["project_features"] = _projecting_bytes(spec, model, sizes.block_mb)
    else:
        needed = _unstored_bytes(spec, model, sizes.block_mb)
        stages["project_recordings"] = needed + library_bytes
    writing = writing_bytes(spec, model["n_components"], window_label, spec.window)
    stages["write_projection"] = writing + label_scratch + library_bytes * (not spec.store)
    stages = in_one_job(stages, sizes, spec.n_features, model["n_components"])
    return {name: stage_mb(need) for name, need in stages.items()}


def _fit_stages(
    spec: FeatureSpec,
    model: dict,
    sizes: Sizes,
    library_bytes: int,
    n_train: int,
    shard_rows: int | None,
) -> dict[str, int]:
    """Bytes of the stages that make a model, by name."""
    solver, model_file = model["solver"], model_file_bytes(spec.n_features, model["n_components"])
    if "apply" in model:
        return {"adopt_model": model_file}
    workers = fit_threads(solver, sizes)
    if reads_columns(solver):
        need = fitting_columns(spec, model, n_train, block_mb=sizes.block_mb, workers=workers)
        needs = {"fit_model": need}
    else:
        needs = fitting(
            spec,
            model,
            library_bytes,
            block_mb=sizes.block_mb,
            workers=workers,
            shard_rows=shard_rows,
        )
    if sizes.together and "summarize_lags" in needs:  # which the fit does itself
        summing = needs["summarize_lags"] + lag_covariance.held_bytes(spec)
        needs["fit_model"] = max(needs["fit_model"], summing)
    if reads_recordings(solver) or reads_columns(solver):
        # All other memory is freed before the model is written.
        needs["fit_model"] = max(needs["fit_model"], model_file)
    else:
        needs["fit_model"] += model_file
    return needs


def _projecting_bytes(spec: FeatureSpec, model: dict, block_mb: float) -> int:
    """Memory, in bytes, of projecting rows of stored features."""
    d, k = spec.n_features, model["n_components"]
    rows, itemsize = _projected_rows(spec, model, block_mb)
    projecting = projection.project_bytes(d, k, itemsize, rows) + rows * d * itemsize
    return vector_bytes(model, d) + model_file_bytes(d, k) + projecting


def _unstored_bytes(spec: FeatureSpec, model: dict, block_mb: float) -> int:
    """Memory, in bytes, of projecting recordings, without that of reading them."""
    rows, _ = _projected_rows(spec, model, block_mb)
    stored = rows * spec.n_features * np.dtype(spec.dtype).itemsize
    need = _projecting_bytes(spec, model, block_mb) + stored + sliding.working_bytes(spec, rows)
    if not overlaps_much(spec):
        return need
    k = model["n_components"]
    by_signal = signal_scores.score_bytes(spec, k) + model_file_bytes(spec.n_features, k)
    by_signal += SCRATCH_BYTES
    fitted = "apply" not in model and solver_module(model["solver"]).Solver.FROM_SIGNAL
    surely = fitted and not model["standardize"]  # see signal_scores.has_signal_scores
    return by_signal if surely else max(need, by_signal)


def _projected_rows(spec: FeatureSpec, model: dict, block_mb: float) -> tuple[int, int]:
    """Rows that are projected at once, and bytes of a value of them."""
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    projected = projection.projection_dtype(model, dtype)
    return projection_rows(spec.n_features, block_mb, projected), np.dtype(projected).itemsize
