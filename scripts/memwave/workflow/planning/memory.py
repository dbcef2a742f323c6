"""What each stage needs at most, in MB, from the configuration alone.

Pure functions: they add up what the modules of a stage say about their own arrays. Nothing here
depends on how many windows there are, nor on how many cores the workflow is given.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from memwave.core.moments import moments_bytes
from memwave.core.precision import compute_dtype
from memwave.core.ranges import MEGABYTE, rows_per_block
from memwave.features import sliding
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.pca import projection
from memwave.pca.lags import signal_scores
from memwave.pca.solvers import solver_module
from memwave.readers import SCRATCH_BYTES, library_bytes
from memwave.recordings import channels
from memwave.recordings.channels import MEASURED_SCALES
from memwave.recordings.gaps import margin_bytes
from memwave.recordings.labels.coding import labels_bytes
from memwave.recordings.resampling import Ratio, resampling_bytes
from memwave.results.figures.sizes import FIGURE_BYTES, figure_bytes

# Python with numpy, scipy, PyWavelets, h5py and what Snakemake puts before a script has 40 MB of
# anonymous memory; BLAS packs pieces of its operands, and there are small things.
BASE_MB = 80

# Packing room of BLAS for each further thread that calls it, and the thread's stack.
THREAD_MB = 48

# Intervals of labels, which are held together.
INTERVALS_BYTES = 80_000_000

# Size of the blocks in which recordings are measured. Means depend on it in the last bit, and so
# on nothing that is configured.
MEASURED_MB = 8

# Size of the blocks that are projected, unless block_mb is smaller: what is checked, multiplied and
# squared one after the other is still in the cache then.
PROJECTED_MB = 4

# Rows that BLAS multiplies together; what is left of a block takes as long as a full group.
KERNEL_ROWS = 8

# Snakemake in a cluster job, beside the stage: one process waits for the step of the job, another
# one starts the stage. Both together had 190 to 250 MB of anonymous memory; the more, the more
# libraries are installed that Snakemake loads where it finds them, such as pandas.
LAUNCHER_MB = 300


@dataclass(frozen=True)
class Sizes:
    """Sizes that the configuration sets for a whole run.

    Attributes
    ----------
    block_mb : float
        Size of a block of rows.
    shards : int
        Shards of the feature matrix; a fit never needs more threads than that.
    threads : int
        Threads of a fit that reads the features several times.
    """

    block_mb: float
    shards: int
    threads: int


def predict(
    spec: FeatureSpec,
    model: dict,
    sizes: Sizes,
    *,
    library_bytes: int = 0,
    window_label: str = "last",
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
        Memory of the libraries that read the recordings.
    window_label : str
        Which rows of a window give it its label.

    Returns
    -------
    dict of str to int
        MB by the name of the stage, in the order of the data flow.
    """
    d, k, block_mb = spec.n_features, model["n_components"], sizes.block_mb
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    itemsize = np.dtype(dtype).itemsize
    projected_rows = projection_rows(d, block_mb, dtype)
    # Beside a block, a few numbers for each feature: shifts, sums, what standardizes them.
    beside = (192 if model["standardize"] else 64) * d
    model_file = model_file_bytes(d, k)
    stages = {"extract_features": extraction_bytes(spec, block_mb) + library_bytes}
    if spec.scale in MEASURED_SCALES:
        measuring = measuring_bytes(spec.n_channels) + library_bytes
        stages = {"measure_channels": measuring} | stages
    if model["standardize"] and not solver_module(model["solver"]).Solver.FROM_SIGNAL:
        stages["measure_features"] = moments_bytes(d, measured_rows(d, block_mb))
    if "apply" in model:
        stages["adopt_model"] = model_file
    else:
        workers = min(sizes.threads, sizes.shards)
        needs = fitting(
            spec, model, itemsize, beside, library_bytes, block_mb=block_mb, workers=workers
        )
        needs["fit_model"] += model_file
        stages |= needs
    projecting = beside + model_file + projection.project_bytes(d, k, itemsize, projected_rows)
    projecting += projected_rows * d * itemsize
    if spec.store:
        stages["project_features"] = projecting
    else:
        del stages["extract_features"]
        stored = projected_rows * d * np.dtype(spec.dtype).itemsize
        computing = sliding.working_bytes(spec, projected_rows) + SCRATCH_BYTES + library_bytes
        projecting += stored + computing
        if signal_scores.overlaps_much(spec):
            by_signal = signal_scores.score_bytes(spec, k) + model_file + SCRATCH_BYTES
            projecting = max(projecting, by_signal + library_bytes)
        stages["project_recordings"] = projecting
    stages["write_projection"] = model_file + 6 * 8 * d * (k + 1) + SCRATCH_BYTES
    stages["write_projection"] += labels_bytes(window_label, spec.window)
    return {name: stage_mb(need) for name, need in stages.items()}


def fitting(
    spec: FeatureSpec | MatrixSpec,
    model: dict,
    itemsize: int,
    beside: int,
    library_bytes: int,
    *,
    block_mb: float,
    workers: int,
) -> dict[str, int]:
    """Bytes of the stages that fit a model, by their names; the model's file comes on top."""
    solver, d = solver_module(model["solver"]), spec.n_features
    if solver.Solver.FROM_SIGNAL:
        summary = solver.summary_bytes(spec) + SCRATCH_BYTES + library_bytes
        return {"summarize_lags": summary, "fit_model": solver.fit_bytes(spec, model)}
    block = rows_per_block(block_mb, d, f"f{itemsize}") * d * itemsize
    part = block + beside + solver.summary_bytes(d, model, itemsize)
    fit = solver.fit_bytes(d, model, itemsize)
    if solver.Solver.ONE_PASS:
        return {"summarize_features": part, "fit_model": fit}
    return {"fit_model": fit + workers * (part + THREAD_MB * MEGABYTE)}


def model_file_bytes(n_features: int, n_components: int) -> int:
    """Memory of a model and of its table of features, which are written or read."""
    return 4 * 8 * n_components * n_features + 400 * n_features


def predict_figures(spec: FeatureSpec | MatrixSpec, model: dict) -> dict[str, int]:
    """Predict the memory of the figures of one experiment: MB by the name of the rule."""
    model_file = model_file_bytes(spec.n_features, model["n_components"])
    needs = figure_bytes(spec, model_file)
    return {name: stage_mb(need) for name, need in needs.items()}


def table_figure_mb(n_experiments: int) -> int:
    """MB that a figure of the table of all experiments needs."""
    return stage_mb(FIGURE_BYTES + 100_000 * n_experiments)


def reading_bytes(dataset: dict, paths: Iterable[str], ratios: Iterable[Ratio | None]) -> int:
    """What reading needs beside a stretch of rows: libraries, margins to fill gaps, resampling.

    Parameters
    ----------
    dataset : dict
        Complete entry of ``datasets`` in the configuration.
    paths : iterable of str
        Its recordings.
    ratios : iterable of (up, down) or None
        By what they are resampled.
    """
    n_channels = len(dataset["channels"])
    margins = margin_bytes(dataset["max_gap"], n_channels)
    return library_bytes(paths) + margins + resampling_bytes(ratios, n_channels)


def stage_mb(arrays: int) -> int:
    """MB of a stage whose arrays take so many bytes."""
    return BASE_MB + -(-arrays // MEGABYTE)


def conversion_mb(library_bytes: int) -> int:
    """MB of converting a recording; what is written is a file map."""
    return stage_mb(library_bytes + SCRATCH_BYTES)


def labelling_mb(library_bytes: int) -> int:
    """MB of converting labels."""
    return stage_mb(library_bytes + INTERVALS_BYTES + SCRATCH_BYTES)


def extraction_rows(spec: FeatureSpec, block_mb: float) -> int:
    """Windows that are extracted at once; coefficients are computed in float64."""
    return rows_per_block(block_mb, spec.n_features, "float64")


def extraction_bytes(spec: FeatureSpec, block_mb: float) -> int:
    """Memory of extracting a block: none of it is the block itself, which is a file map."""
    return sliding.working_bytes(spec, extraction_rows(spec, block_mb)) + SCRATCH_BYTES


def projection_rows(n_features: int, block_mb: float, dtype: str) -> int:
    """Rows that are projected at once: a multiple of what BLAS's kernels take, if there are any."""
    rows = rows_per_block(min(block_mb, PROJECTED_MB), n_features, dtype)
    return rows - rows % KERNEL_ROWS or rows


def measuring_rows(n_channels: int) -> int:
    """Rows of recordings that are measured at once."""
    return rows_per_block(MEASURED_MB, n_channels, "float64")


def measuring_bytes(n_channels: int) -> int:
    """Memory of measuring the channels of a dataset."""
    return channels.measuring_bytes(n_channels, measuring_rows(n_channels)) + SCRATCH_BYTES


def measured_rows(n_features: int, block_mb: float) -> int:
    """Rows of features that are measured at once, in float64."""
    return rows_per_block(block_mb, n_features, "float64")
