"""Fit PCA: from the summaries of all shards, or from shards or recordings that the fit reads."""

import importlib
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress, log
from memwave.core.ranges import Ranges, count_rows
from memwave.core.workers import working
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.pca.diagnostics.rotation import varimax
from memwave.pca.lags.lag_file import load_lags
from memwave.pca.lags.lags import BATCH_SEGMENTS, windows_of
from memwave.pca.lags.recording_sums import sums_of_segments
from memwave.pca.lags.signal.train_chunks import TrainChunks
from memwave.pca.model import Model
from memwave.pca.solvers import (
    load_libraries,
    make_solver,
    reads_recordings,
    solver_module,
)
from memwave.pca.standardizer import Standardizer, load_standardizer
from memwave.pca.streaming import fit_shards
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import Segment, count_windows, recordings_of
from memwave.recordings.valid_windows import valid_ranges, valid_rows, valid_segments
from memwave.results.extraction import load_scaling
from memwave.results.model_file import save_model
from memwave.storage import hdf5
from memwave.storage.shards import Shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.model import Fit
from memwave.workflow.requests.shards import load_matrix_readers, open_shard


def fit_model(
    request: Fit,
    *,
    model: str,
    summaries: Sequence[str] = (),
    shards: Sequence[str] = (),
    measures: Sequence[str] = (),
    channels: str | None = None,
    valid: Sequence[str] = (),
    threads: int = 1,
) -> None:
    """Fit a model.

    Parameters
    ----------
    request : Fit
    model : path
        The HDF5 file to write.
    summaries : sequence of path
        Summaries of all shards, in order, for a solver that reads features once or not at all,
        unless the fit makes them.
    shards : sequence of path
        All shards, in order, for a solver that reads them several times, or the only one.
    measures : sequence of path
        Outputs of `measure_features` for all shards, if the model standardizes.
    channels : path, optional
        Output of `measure_channels`, or a model, if the channels are scaled. The scaling is stored
        with the model.
    valid : sequence of path
        Outputs of `find_gaps` for all shards, if windows are dropped.
    threads : int
        Number of threads that compute.

    Raises
    ------
    MemwaveError
        If there are not more valid windows than components, all windows have the same features, or
        an input differs from the plan.
    """
    spec, ranges = request.spec, list(request.train_ranges)
    if valid:
        ranges = [valid_ranges(*pair) for pair in zip(ranges, valid, strict=True)]
        require_rows(sum(map(count_rows, ranges)), request.model["n_components"])
    if "chosen" in request.model:
        log.info("%s", request.model["chosen"])
    scaling = load_scaling(spec.scale, channels, spec.channels)
    if reads_recordings(request.model["solver"]):
        fitted = fit_recordings(request, valid, scaling, threads)
    elif solver_module(request.model["solver"]).Solver.FROM_SIGNAL:
        fitted = fit_lags(request, summaries, valid, scaling, threads)
    else:
        standardizer = load_standardizer(measures, request.dtype)
        if summaries:
            with working(threads):
                fitted = fit_summaries(summaries, request)
            if standardizer is not None:
                fitted = standardizer.in_units(fitted)
        else:
            fitted = fit_features(shards, request, ranges, threads, standardizer, valid)
    require_variance(fitted, spec)
    fitted = choose_components(fitted, request)
    if request.model.get("rotation") == "varimax":
        scaled = fitted.components.T * np.sqrt(fitted.explained_variance)
        fitted.rotation = varimax(scaled)[1]
    of_recordings = spec if isinstance(spec, FeatureSpec) else None
    save_model(model, fitted, spec.feature_table(), request.provenance, scaling, of_recordings)


def choose_components(model: Model, request: Fit) -> Model:
    """Keep as many components as the configuration asks for, and store what all criteria say."""
    from memwave.pca.diagnostics.selection import effective_rows, select

    spec = request.spec
    wanted = request.model.get("select", {})
    found = select(model, wanted, effective_rows(model.n_samples, spec.window, spec.step))
    said = ", ".join(f"{name} {k}" for name, k in found.selection["suggested"].items())
    log.info("%d components; the criteria say: %s", found.n_components, said)
    if not found.selection.get("reached", True):
        log.warning(
            "max_components %d explain %.4g of the variance, not the %g asked for: use more.",
            found.n_components,
            found.explained_variance_ratio.sum(),
            wanted["fraction"],
        )
    return found


def require_rows(n_rows: int, n_components: int) -> None:
    """Require more rows than components. Without gaps, this is checked before a run."""
    if n_rows <= n_components:
        raise MemwaveError(
            f"{n_rows} windows of split train contain no missing value, expected more than the "
            f"{n_components} components. Use fewer n_components, or missing: interpolate."
        )


def require_variance(model: Model, spec: FeatureSpec | MatrixSpec) -> None:
    """Require that features differ between rows: without variance there are no components."""
    if model.total_variance > 0:
        return
    rows, source = "windows", "recordings"
    if isinstance(spec, MatrixSpec):
        rows, source = "rows", "parts of the matrix"
    hint = f"Check that the {source} of split train are not constant."
    if isinstance(spec, FeatureSpec) and spec.interleaved:
        hint = (
            "With layout interleaved, the finest band holds differences of neighbouring channels, "
            "which are zero where channels are equal: use layout: per-channel. Otherwise check "
            "that the recordings of split train are not constant."
        )
    raise MemwaveError(
        f"all {model.n_samples} {rows} of split train have the same {model.n_features} features. "
        f"Expected features that differ, since components are directions of their variance. {hint}"
    )


def fit_lags(
    request: Fit,
    summaries: Sequence[str],
    valid: Sequence[str],
    scaling: Scaling | None,
    threads: int,
) -> Model:
    """Fit a solver that needs no features, from outputs of `summarize_lags`, or from recordings."""
    spec = request.spec
    solver = solver_module(request.model["solver"]).Solver(spec, request.model)
    if not summaries:
        shards = segments_of_shards(request, valid)
        progress = Progress(sum(map(count_windows, shards)), "fit_model, lag sums:")
        for segments in shards:
            for sums in sums_of_segments(spec, scaling, segments, BATCH_SEGMENTS, progress):
                solver.merge(sums)
        progress.close()
    with working(threads):
        for summary in summaries:
            for sums in load_lags(summary, windows_of(spec)):
                solver.merge(sums)
        fitted: Model = solver.finish()
    return fitted


def segments_of_shards(request: Fit, valid: Sequence[str]) -> list[tuple[Segment, ...]]:
    """The valid windows that a fit reads of recordings, by shard."""
    shards = zip(request.segments, valid or [None] * len(request.segments), strict=True)
    return [tuple(valid_segments(*shard)) for shard in shards]


def fit_recordings(
    request: Fit, valid: Sequence[str], scaling: Scaling | None, threads: int
) -> Model:
    """Fit a solver that reads the recordings several times."""
    segments = list(chain.from_iterable(segments_of_shards(request, valid)))
    progress = Progress(count_windows(segments), "fit_model, this pass:")

    def report(message: str) -> None:
        log.info("%s", message)
        progress.restart()

    chunks = TrainChunks(request.spec, segments, scaling, progress.add)
    solver = solver_module(request.model["solver"]).Solver(request.spec, request.model)
    with working(threads):
        fitted: Model = solver.fit(chunks, threads, report)
    progress.close()
    return fitted


def fit_summaries(summaries: Sequence[str], request: Fit) -> Model:
    """Fit a solver that reads the features once, from the outputs of `summarize_features`."""
    n_features = request.spec.n_features
    solver = make_solver(request.model["solver"], n_features, request.model, request.dtype)
    for summary in summaries:
        solver.merge(solver.restore(load_summary(summary, n_features)))
    return solver.finish()


def load_summary(path: str, n_features: int) -> dict:
    """Load an output of `summarize_features`; raise MemwaveError if it is of other features."""
    arrays = hdf5.load_arrays(path)
    if len(arrays["mean"]) != n_features:
        raise MemwaveError(
            f"{path}: is of {len(arrays['mean'])} features per row, expected {n_features}. Delete "
            "the file and the shard it summarizes and run again to remake them."
        )
    return arrays


def fit_features(
    paths: Sequence[str],
    request: Fit,
    ranges: Sequence[Ranges],
    threads: int,
    standardizer: Standardizer | None,
    valid: Sequence[str],
) -> Model:
    """Fit a solver that reads the shards several times, or the only one."""
    progress = Progress(sum(map(count_rows, ranges)), "fit_model, this pass:")
    with ExitStack() as stack:
        n_features = request.spec.n_features
        open_shards = [Shard(path, n_features=n_features) for path in paths] or [
            open_shard(None, rows, valid_rows(path))
            for rows, path in zip(request.rows, valid or [None] * len(request.rows), strict=True)
        ]
        fitted = fit_shards(
            [stack.enter_context(shard) for shard in open_shards],
            ranges,
            request.model,
            dtype=request.dtype,
            block_rows=request.block_rows,
            threads=threads,
            progress=progress,
            standardizer=standardizer,
        )
    progress.close()
    return fitted


def load(request: Fit) -> None:
    """Import the libraries of the solver, and those that the fit reads its files with."""
    load_libraries(request.model["solver"])
    for module in ("monitoring", "selection"):
        importlib.import_module(f"memwave.pca.diagnostics.{module}")
    load_matrix_readers(request.rows)
    load_reading(recordings_of(chain.from_iterable(request.segments)))


if "snakemake" in globals():
    run_script(snakemake, fit_model, load=load)
