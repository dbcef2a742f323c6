"""Fit PCA: merge the summaries of all shards, or read the shards as often as the solver asks."""

from contextlib import ExitStack

from memwave.core.errors import MemwaveError
from memwave.features.spec import FeatureSpec
from memwave.pca.feature_measures import load_standardizer
from memwave.pca.lags.lag_file import load_lags
from memwave.pca.lags.lags import windows_of
from memwave.pca.model import Model
from memwave.pca.solvers import PcaSolver, load_libraries, make_solver, solver_module
from memwave.pca.standardizer import Standardizer
from memwave.pca.streaming import count_rows, run_passes, summarize
from memwave.recordings.channel_table import load_scaling
from memwave.recordings.gap_file import ranges_left
from memwave.results.model_file import save_model
from memwave.storage import hdf5
from memwave.storage.shards import Shard
from memwave.workflow import stage
from memwave.workflow.stage import Progress


def fit_model(
    *,
    parts: list[str],
    model_path: str,
    features: dict,
    model: dict,
    train_ranges: list[list[tuple[int, int]]],
    block_rows: int,
    dtype: str,
    threads: int,
    provenance: dict,
    measures: list[str] | None = None,
    channel_table: str | None = None,
    kept: list[str] | None = None,
) -> None:
    """Fit a model.

    Parameters
    ----------
    parts : list of path
        Summaries of the shards (one-pass solvers), or the shards, in their order.
    model_path : path
        The HDF5 file to write.
    features : dict
        A feature set and the names of the channels; see `FeatureSpec`.
    model : dict
        Complete entry of ``models`` in the configuration.
    train_ranges : list of list of (start, stop)
        Rows, as planned, of every shard that PCA is fitted on.
    block_rows, threads : int
        Rows loaded at once by each thread; shards read at once.
    dtype : {"float32", "float64"}
        Type that is computed in.
    provenance : dict
        Stored with the model.
    measures : list of path, optional
        What `measure_features` wrote for all shards, where the model standardizes.
    channel_table : path, optional
        What `measure_channels` wrote, where the channels are scaled; stored with the model.
    kept : list of path, optional
        What `find_gaps` wrote for all shards, where windows are left out.

    Raises
    ------
    MemwaveError
        If too few windows are left for the components, or a part is not what was planned.
    """
    if kept:
        train_ranges = [ranges_left(*pair) for pair in zip(train_ranges, kept, strict=True)]
        require_rows(sum(map(count_rows, train_ranges)), model["n_components"])
    if "chosen" in model:
        stage.log.info("%s", model["chosen"])
    spec = FeatureSpec.from_settings(features, features["channels"])
    scaling = load_scaling(spec.scale, channel_table)
    if solver_module(model["solver"]).Solver.FROM_SIGNAL:
        fitted = fit_lags(parts, spec, model)
        save_model(model_path, fitted, spec.feature_table(), provenance, scaling, spec)
        return
    solver = make_solver(model["solver"], spec.n_features, model, dtype)
    standardizer = load_standardizer(measures or [], dtype)
    if solver.ONE_PASS:
        for part in parts:
            solver.merge(solver.restore(load_summary(part, spec.n_features)))
    else:
        with ExitStack() as stack:
            shards = [
                stack.enter_context(Shard(part, n_features=spec.n_features)) for part in parts
            ]
            read_shards(solver, shards, train_ranges, block_rows, dtype, threads, standardizer)
    fitted = solver.finish()
    if standardizer is not None:
        fitted = standardizer.in_units(fitted)
    save_model(model_path, fitted, spec.feature_table(), provenance, scaling, spec)


def require_rows(n_rows: int, n_components: int) -> None:
    """Require more rows than components: without gaps, this is known before a run."""
    if n_rows <= n_components:
        raise MemwaveError(
            f"{n_rows} windows of split train touch no missing value, expected more than the "
            f"{n_components} components. Use fewer n_components, or missing: interpolate."
        )


def fit_lags(parts: list[str], spec: FeatureSpec, model: dict) -> Model:
    """Fit a solver that needs no features to what `summarize_lags` stored."""
    solver = solver_module(model["solver"]).Solver(spec, model)
    for part in parts:
        for sums in load_lags(part, windows_of(spec)):
            solver.merge(sums)
    return solver.finish()


def load_summary(path: str, n_features: int) -> dict:
    """Load what `summarize_features` stored; raises MemwaveError if it is of other features."""
    arrays = hdf5.load_arrays(path)
    if len(arrays["mean"]) != n_features:
        raise MemwaveError(
            f"{path}: is of {len(arrays['mean'])} features a row, expected {n_features}. Delete "
            "the file and the shard it summarises and run again to remake them."
        )
    return arrays


def read_shards(
    solver: PcaSolver,
    shards: list[Shard],
    train_ranges: list[list[tuple[int, int]]],
    block_rows: int,
    dtype: str,
    threads: int,
    standardizer: Standardizer | None,
) -> None:
    """Run all passes of a solver over the shards."""
    progress = Progress(sum(map(count_rows, train_ranges)), "fit_model, this pass:")
    run_passes(
        solver,
        lambda i: summarize(
            solver,
            shards[i],
            train_ranges[i],
            dtype=dtype,
            block_rows=block_rows,
            tell=progress.add,
            standardizer=standardizer,
        ),
        len(shards),
        threads,
        end_of_pass=progress.restart,
    )
    progress.close()


if "snakemake" in globals():
    load_libraries(snakemake.params.model["solver"])
    with stage.stage(
        "fit_model",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
        threads=snakemake.threads,
    ):
        fit_model(
            parts=snakemake.input.summaries or snakemake.input.shards,
            model_path=snakemake.output.model,
            features=snakemake.params.features,
            model=snakemake.params.model,
            train_ranges=snakemake.params.train_ranges,
            block_rows=snakemake.params.block_rows,
            dtype=snakemake.params.dtype,
            threads=snakemake.threads,
            provenance=snakemake.params.provenance,
            measures=list(snakemake.input.measures),
            channel_table=next(iter(snakemake.input.channels), None),
            kept=list(snakemake.input.kept),
        )
