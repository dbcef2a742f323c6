"""Fit PCA: merge the summaries of all shards, or read the shards as often as the solver asks."""

from collections.abc import Sequence
from contextlib import ExitStack

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress, log
from memwave.core.ranges import Ranges, count_rows
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lag_file import load_lags
from memwave.pca.lags.lags import windows_of
from memwave.pca.model import Model
from memwave.pca.solvers import load_libraries, make_solver, solver_module
from memwave.pca.standardizer import Standardizer, load_standardizer
from memwave.pca.streaming import run_passes, summarize
from memwave.recordings.valid_windows import valid_ranges
from memwave.results.model_file import load_scaling, save_model
from memwave.storage import hdf5
from memwave.storage.shards import Shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import Fit


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
        Summaries of all shards, in their order, for a solver that reads features once or not at
        all.
    shards : sequence of path
        The shards, in their order, for a solver that reads them several times.
    measures : sequence of path
        What `measure_features` wrote for all shards, where the model standardizes.
    channels : path, optional
        What `measure_channels` wrote, or a model, where the channels are scaled; stored with the
        model.
    valid : sequence of path
        What `find_gaps` wrote for all shards, where windows are left out.
    threads : int
        Shards read at once.

    Raises
    ------
    MemwaveError
        If too few windows are valid for the components, all windows have the same features, or a
        summary is not what was planned.
    """
    spec, ranges = request.spec, list(request.train_ranges)
    if valid:
        ranges = [valid_ranges(*pair) for pair in zip(ranges, valid, strict=True)]
        require_rows(sum(map(count_rows, ranges)), request.model["n_components"])
    if "chosen" in request.model:
        log.info("%s", request.model["chosen"])
    if solver_module(request.model["solver"]).Solver.FROM_SIGNAL:
        fitted = fit_lags(summaries, spec, request.model)
    else:
        standardizer = load_standardizer(measures, request.dtype)
        if summaries:
            fitted = fit_summaries(summaries, request)
        else:
            fitted = fit_shards(shards, request, ranges, threads, standardizer)
        if standardizer is not None:
            fitted = standardizer.in_units(fitted)
    require_variance(fitted, spec)
    scaling = load_scaling(spec.scale, channels)
    save_model(model, fitted, spec.feature_table(), request.provenance, scaling, spec)


def require_rows(n_rows: int, n_components: int) -> None:
    """Require more rows than components: without gaps, this is known before a run."""
    if n_rows <= n_components:
        raise MemwaveError(
            f"{n_rows} windows of split train touch no missing value, expected more than the "
            f"{n_components} components. Use fewer n_components, or missing: interpolate."
        )


def require_variance(model: Model, spec: FeatureSpec) -> None:
    """Require that features differ between windows: without variance there are no components."""
    if model.total_variance > 0:
        return
    hint = "Check that the recordings of split train are not constant."
    if spec.interleaved:
        hint = (
            "With layout interleaved, the finest band holds differences of neighbouring channels, "
            "which are zero where channels are equal: use layout: per-channel. Otherwise check "
            "that the recordings of split train are not constant."
        )
    raise MemwaveError(
        f"all {model.n_samples} windows of split train have the same {model.n_features} features. "
        f"Expected features that differ, since components are directions of their variance. {hint}"
    )


def fit_lags(summaries: Sequence[str], spec: FeatureSpec, model: dict) -> Model:
    """Fit a solver that needs no features to what `summarize_lags` stored."""
    solver = solver_module(model["solver"]).Solver(spec, model)
    for summary in summaries:
        for sums in load_lags(summary, windows_of(spec)):
            solver.merge(sums)
    return solver.finish()


def fit_summaries(summaries: Sequence[str], request: Fit) -> Model:
    """Fit a solver that reads the features once to what `summarize_features` stored."""
    n_features = request.spec.n_features
    solver = make_solver(request.model["solver"], n_features, request.model, request.dtype)
    for summary in summaries:
        solver.merge(solver.restore(load_summary(summary, n_features)))
    return solver.finish()


def load_summary(path: str, n_features: int) -> dict:
    """Load what `summarize_features` stored; raises MemwaveError if it is of other features."""
    arrays = hdf5.load_arrays(path)
    if len(arrays["mean"]) != n_features:
        raise MemwaveError(
            f"{path}: is of {len(arrays['mean'])} features a row, expected {n_features}. Delete "
            "the file and the shard it summarizes and run again to remake them."
        )
    return arrays


def fit_shards(
    paths: Sequence[str],
    request: Fit,
    ranges: Sequence[Ranges],
    threads: int,
    standardizer: Standardizer | None,
) -> Model:
    """Fit a solver that reads the shards several times."""
    n_features = request.spec.n_features
    solver = make_solver(request.model["solver"], n_features, request.model, request.dtype)
    progress = Progress(sum(map(count_rows, ranges)), "fit_model, this pass:")
    with ExitStack() as stack:
        shards = [stack.enter_context(Shard(path, n_features=n_features)) for path in paths]
        run_passes(
            solver,
            lambda i: summarize(
                solver,
                shards[i],
                ranges[i],
                dtype=request.dtype,
                block_rows=request.block_rows,
                progress=progress.add,
                standardizer=standardizer,
            ),
            len(shards),
            threads,
            end_of_pass=progress.restart,
        )
    progress.close()
    return solver.finish()


if "snakemake" in globals():
    run_script(snakemake, fit_model, load=lambda r: load_libraries(r.model["solver"]))
