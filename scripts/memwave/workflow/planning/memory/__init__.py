"""Upper bounds of the memory of each stage, in MB, from the configuration alone.

Pure functions: they add up the sizes of the arrays that the modules of a stage report. The bounds
do not depend on the number of cores. Only those of solvers that read columns depend on the number
of windows.
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
from memwave.pca.diagnostics import certificate
from memwave.pca.lags import signal_scores
from memwave.pca.lags.signal.moments import overlaps_much
from memwave.pca.solvers import (
    reads_columns,
    reads_recordings,
    scales_itself,
    shares_finish,
    solver_module,
)
from memwave.readers import SCRATCH_BYTES, library_bytes, scratch_bytes
from memwave.recordings import channels
from memwave.recordings.channels import MEASURED_SCALES
from memwave.recordings.gaps import margin_bytes
from memwave.recordings.labels.coding import labels_bytes
from memwave.recordings.resampling import Ratio, resampling_bytes
from memwave.results.figures.explore.content import content_bytes, page_bytes
from memwave.results.figures.explore.content import reading_bytes as explore_reading
from memwave.results.figures.sizes import FIGURE_BYTES, figure_bytes
from memwave.results.monitoring.highest import contribution_bytes
from memwave.results.monitoring.limits import monitoring_bytes
from memwave.results.monitoring.single_rows import single_row_bytes

# Python with numpy, scipy, PyWavelets, h5py and the preamble of Snakemake has 40 MB of anonymous
# memory. The rest is for the packing buffers of BLAS and for small objects.
BASE_MB = 80

# Memory of Bokeh's modules (25 MB) and of a page without data (8 MB), and copies of the data of a
# page while it is written. The largest page took 8.3 copies.
BOKEH_BYTES, PAGE_COPIES = 50_000_000, 9

# Small objects of each further thread, and most of its packing buffer of BLAS.
THREAD_MB, PACKING_MB = 6, 42

# BLAS packs both matrices of a product in parts. A part has at most so many terms of each sum, and
# of one of the matrices at most so many rows.
PACKED_TERMS, PACKED_ROWS = 768, 1024

# Memory of all intervals of labels of a recording.
INTERVALS_BYTES = 80_000_000

# Size of the blocks in which recordings are measured. The last bits of means depend on it, so it is
# not configurable.
MEASURED_MB = 8

# Size of the blocks that are projected, unless block_mb is smaller. Blocks of this size stay in the
# cache while they are checked, multiplied and squared.
PROJECTED_MB = 4

# Rows that a BLAS kernel multiplies at once; an incomplete group takes as long as a full one.
KERNEL_ROWS = 8

# Snakemake in a cluster job, in addition to the stage: one process waits for the step of the job,
# another one starts the stage. Both together had 190 to 250 MB of anonymous memory. It is more if
# optional libraries that Snakemake loads are installed, such as pandas.
LAUNCHER_MB = 300


@dataclass(frozen=True)
class Sizes:
    """Sizes that the configuration sets for a whole run.

    Attributes
    ----------
    block_mb : float
        Size of a block of rows.
    shards : int
        Number of shards of the feature matrix. A fit that reads shards uses at most as many
        threads.
    threads : int
        Number of threads of a fit that reads the features or the recordings several times.
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
        Memory of reading recordings beside the rows; see `reading_bytes`.
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
    d, k, block_mb = spec.n_features, model["n_components"], sizes.block_mb
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    itemsize = np.dtype(dtype).itemsize
    projected = projection.projection_dtype(model, dtype)
    projected_size = np.dtype(projected).itemsize
    projected_rows = projection_rows(d, block_mb, projected)
    # In addition to a block, a few numbers per feature: shifts, sums, means and scales.
    beside = (192 if model["standardize"] else 64) * d
    model_file = model_file_bytes(d, k)
    stages = {"extract_features": extraction_bytes(spec, block_mb, shard_rows) + library_bytes}
    if spec.scale in MEASURED_SCALES:
        measuring = measuring_bytes(spec.n_channels) + library_bytes
        stages = {"measure_channels": measuring} | stages
    if model["standardize"] and not scales_itself(model["solver"]):
        stages["measure_features"] = feature_moments_bytes(d, block_mb, shard_rows)
    if "apply" in model:
        stages["adopt_model"] = model_file
    else:
        alone = reads_recordings(model["solver"]) or reads_columns(model["solver"])
        workers = sizes.threads if alone else min(sizes.threads, sizes.shards)
        if shares_finish(model["solver"]):
            workers = sizes.threads
        if reads_columns(model["solver"]):
            need = fitting_columns(spec, model, n_train, block_mb=block_mb, workers=workers)
            needs = {"fit_model": need}
        else:
            needs = fitting(
                spec,
                model,
                itemsize,
                beside,
                library_bytes,
                block_mb=block_mb,
                workers=workers,
                shard_rows=shard_rows,
            )
        if alone:  # all other memory is freed before the model is written
            needs["fit_model"] = max(needs["fit_model"], model_file)
        else:
            needs["fit_model"] += model_file
        stages |= needs
    projecting = (
        beside + model_file + projection.project_bytes(d, k, projected_size, projected_rows)
    )
    projecting += projected_rows * d * projected_size
    if spec.store:
        stages["project_features"] = projecting
    else:
        del stages["extract_features"]
        stored = projected_rows * d * np.dtype(spec.dtype).itemsize
        computing = sliding.working_bytes(spec, projected_rows) + library_bytes
        projecting += stored + computing
        if overlaps_much(spec):
            by_signal = signal_scores.score_bytes(spec, k) + model_file + SCRATCH_BYTES
            by_signal += library_bytes
            fitted = "apply" not in model and solver_module(model["solver"]).Solver.FROM_SIGNAL
            surely = fitted and not model["standardize"]  # see signal_scores.has_signal_scores
            projecting = by_signal if surely else max(projecting, by_signal)
        stages["project_recordings"] = projecting
    bounds = certificate.bounds_bytes(d, k)
    stages["write_projection"] = model_file + 6 * 8 * d * (k + 1) + bounds + label_scratch
    stages["write_projection"] += labels_bytes(window_label, spec.window) + monitoring_bytes()
    stages["write_projection"] += contribution_bytes(d, k) + single_row_bytes(spec)
    if not spec.store:
        stages["write_projection"] += library_bytes
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
    shard_rows: int | None = None,
) -> dict[str, int]:
    """Return the bytes of the stages that fit a model, by name, without those of the model file."""
    solver, d = solver_module(model["solver"]), spec.n_features
    if reads_recordings(model["solver"]):
        fit = solver.fit_bytes(spec, model) + library_bytes
        thread = thread_bytes(max(d, spec.window * spec.n_channels))
        return {"fit_model": fit + workers * (solver.worker_bytes(spec, model) + thread)}
    if solver.Solver.FROM_SIGNAL:
        summary = solver.summary_bytes(spec) + library_bytes
        fit = solver.fit_bytes(spec, model) + finishing_bytes(model["solver"], workers, d)
        return {"summarize_lags": summary, "fit_model": fit}
    rows = at_most(rows_per_block(block_mb, d, f"f{itemsize}"), shard_rows)
    summary = rows * d * itemsize + beside + solver.summary_bytes(d, model, itemsize)
    fit = solver.fit_bytes(d, model, itemsize)
    if solver.Solver.ONE_PASS:
        fit += finishing_bytes(model["solver"], workers, d)
        return {"summarize_features": summary, "fit_model": fit}
    return {"fit_model": fit + workers * (summary + thread_bytes(max(rows, d), itemsize))}


def thread_bytes(longest: int | None = None, itemsize: int = 8) -> int:
    """Memory, in bytes, of a further thread, beside its arrays.

    Parameters
    ----------
    longest : int, optional
        Longest side of the matrices that it multiplies. Without it, of any length.
    itemsize : int
        Bytes of a value of them.
    """
    packing = PACKING_MB * MEGABYTE
    if longest is not None:
        rows = longest + min(longest, PACKED_ROWS)
        packing = min(packing, itemsize * PACKED_TERMS * rows)
    return THREAD_MB * MEGABYTE + packing


def finishing_bytes(solver: str, threads: int, longest: int) -> int:
    """Return the bytes that further threads need to merge summaries and finish.

    `longest` is as in `thread_bytes`.
    """
    return (threads - 1) * thread_bytes(longest) if shares_finish(solver) else 0


def fitting_columns(
    spec: FeatureSpec | MatrixSpec, model: dict, n_train: int, *, block_mb: float, workers: int
) -> int:
    """Return the bytes of fitting a solver that reads columns."""
    solver = solver_module(model["solver"])
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    rows = rows_per_block(block_mb, spec.n_features, dtype)
    need = solver.fit_bytes(spec.n_features, model, n_train, rows, workers)
    return need + SCRATCH_BYTES + workers * thread_bytes()


def model_file_bytes(n_features: int, n_components: int) -> int:
    """Memory of a model and of its table of features, which are written or read."""
    return 4 * 8 * n_components * n_features + 400 * n_features


def figures_mb(spec: FeatureSpec | MatrixSpec, model: dict) -> int:
    """Return the MB of drawing all figures of one experiment."""
    model_file = model_file_bytes(spec.n_features, model["n_components"])
    return stage_mb(figure_bytes(spec, model_file))


def explore_mb(spec: FeatureSpec | MatrixSpec, model: dict, library_bytes: int = 0) -> int:
    """Return the MB of writing the page of one experiment.

    Parameters
    ----------
    library_bytes : int
        Memory of reading recordings, if features are not stored; see `reading_bytes`.
    """
    k = model["n_components"]
    # What is read is gone when the page is written.
    made = explore_reading(spec, k) + library_bytes
    written = PAGE_COPIES * page_bytes(spec, k)
    kept = model_file_bytes(spec.n_features, k) + content_bytes(spec, k)
    return stage_mb(BOKEH_BYTES + kept + max(made, written))


def table_figure_mb(n_experiments: int) -> int:
    """Return the MB of the figures that compare all experiments."""
    return stage_mb(FIGURE_BYTES + 100_000 * n_experiments)


def reading_bytes(dataset: dict, paths: Iterable[str], ratios: Iterable[Ratio | None]) -> int:
    """Memory, in bytes, of reading, without the rows: libraries, margins for gaps, resampling.

    Parameters
    ----------
    dataset : dict
        Complete entry of ``datasets`` in the configuration.
    paths : iterable of str
        Paths of its recordings.
    ratios : iterable of (up, down) or None
        Resampling ratios of its recordings.
    """
    n_channels = len(dataset["channels"])
    margins = margin_bytes(dataset["max_gap"], n_channels)
    paths = list(paths)
    libraries = library_bytes(paths) + scratch_bytes(paths)
    return libraries + margins + resampling_bytes(ratios, n_channels)


def stage_mb(arrays: int) -> int:
    """Return the MB of a stage whose arrays have `arrays` bytes."""
    return BASE_MB + -(-arrays // MEGABYTE)


def conversion_mb(library_bytes: int) -> int:
    """Return the MB of converting a recording. The output is a memory map and does not count."""
    return stage_mb(library_bytes + SCRATCH_BYTES)


def labelling_mb(library_bytes: int) -> int:
    """Return the MB of converting labels."""
    return stage_mb(library_bytes + INTERVALS_BYTES + SCRATCH_BYTES)


def extraction_rows(spec: FeatureSpec, block_mb: float) -> int:
    """Return the number of windows extracted at once; coefficients are computed in float64."""
    return rows_per_block(block_mb, spec.n_features, "float64")


def at_most(rows: int, shard_rows: int | None) -> int:
    """Return the rows of a block of a shard, if that may have fewer; at least one."""
    return rows if shard_rows is None else max(1, min(rows, shard_rows))


def extraction_bytes(spec: FeatureSpec, block_mb: float, shard_rows: int | None = None) -> int:
    """Memory, in bytes, of extracting a block, without the block, which is a memory map."""
    rows = at_most(extraction_rows(spec, block_mb), shard_rows)
    return sliding.working_bytes(spec, rows)


def feature_moments_bytes(n_features: int, block_mb: float, shard_rows: int | None = None) -> int:
    """Memory, in bytes, of measuring the features of a shard."""
    return moments_bytes(n_features, at_most(measured_rows(n_features, block_mb), shard_rows))


def projection_rows(n_features: int, block_mb: float, dtype: str) -> int:
    """Return the number of rows projected at once: if possible, a multiple of `KERNEL_ROWS`."""
    rows = rows_per_block(min(block_mb, PROJECTED_MB), n_features, dtype)
    return rows - rows % KERNEL_ROWS or rows


def measuring_rows(n_channels: int) -> int:
    """Return the number of rows of recordings measured at once."""
    return rows_per_block(MEASURED_MB, n_channels, "float64")


def measuring_bytes(n_channels: int, rows: int | None = None) -> int:
    """Memory, in bytes, of measuring the channels of a dataset, of recordings of so many rows."""
    block_rows = at_most(measuring_rows(n_channels), rows)
    return channels.measuring_bytes(n_channels, block_rows)


def gap_bytes(n_channels: int, rows: int | None = None) -> int:
    """Memory, in bytes, of looking for gaps: rows as read, flags of values, runs of rows."""
    block_rows = at_most(measuring_rows(n_channels), rows)
    return block_rows * ((8 + 3) * n_channels + 48)


def measured_rows(n_features: int, block_mb: float) -> int:
    """Return the number of rows of features measured at once, in float64."""
    return rows_per_block(block_mb, n_features, "float64")
