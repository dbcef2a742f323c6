"""Memory, time and threads of each job, computed from the plan alone."""

from dataclasses import replace
from functools import cache

from memwave.pca.solvers import reads_columns, reads_recordings, shares_finish, solver_module
from memwave.readers import library_bytes, scratch_bytes
from memwave.workflow.planning import choice, runtime
from memwave.workflow.planning.jobs import batches
from memwave.workflow.planning.memory import matrix as matrix_memory
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.figures import explore_mb, figures_mb, table_figure_mb
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.recordings import predict_stages
from memwave.workflow.planning.memory.stages import (
    conversion_mb,
    extraction_bytes,
    feature_moments_bytes,
    gap_bytes,
    labelling_mb,
    measuring_bytes,
    reading_bytes,
)
from memwave.workflow.planning.models import (
    is_from_signal,
    model_of,
    summarizes_itself,
    summarizing_stage,
)
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    feature_spec,
    n_shards,
    n_train,
    n_windows,
    rows_of_shards,
    shards_together,
)
from memwave.workflow.planning.runtime import CLUSTER, LOCAL, Rates

# A fit that takes less in one thread does not wait until several cores are free.
SHORT_SECONDS = 3.0


def memory_mb(plan: Plan, stage: str, w: Wildcards) -> int:
    """Return the memory limit of a job of a stage, in MB."""
    if stage == "convert_recordings":
        return conversion_mb(library_bytes(batches.sources_of(plan, stage, w)))
    if stage == "convert_labels":
        return labelling_mb(library_bytes(batches.sources_of(plan, stage, w)))
    if stage == "write_summary":
        return max(
            _predicted(plan, e.dataset, e.features, e.model)["write_projection"]
            for e in plan.experiments
        )
    if stage == "plot_summary":
        return table_figure_mb(len(plan.experiments))
    if stage in ("measure_channels", "find_gaps"):
        return _searching_mb(plan, stage, w.dataset)
    if stage in ("plot_experiment", "plot_explore"):
        return _drawing_mb(plan, stage, w)
    spec = feature_spec(plan, w.dataset, w.features)
    block_mb = plan.settings["block_mb"]
    if stage == "measure_features":
        if w.dataset in plan.matrices:
            return matrix_memory.measuring_mb(spec, block_mb)
        rows = shard_rows(plan, w.dataset, w.features)
        return stage_mb(feature_moments_bytes(spec.n_features, block_mb, rows))
    if stage == "extract_features":
        rows = shard_rows(plan, w.dataset, w.features)
        arrays = extraction_bytes(spec, block_mb, rows)
        return stage_mb(arrays + _reading_bytes(plan, w.dataset))
    predicted = _predicted(plan, w.dataset, w.features, w.model)
    return max(predicted[each] for each in (*_done_before(plan, stage, w), stage))


def _done_before(plan: Plan, stage: str, w: Wildcards) -> list[str]:
    """Another stage that a job does for all shards first: a fit may summarize them."""
    is_more = stage == "fit_model" and summarizes_itself(plan, w)
    return [summarizing_stage(model_of(plan, w))] if is_more else []


def _drawing_mb(plan: Plan, stage: str, w: Wildcards) -> int:
    """Memory limit of a job that draws an experiment, in MB."""
    spec, model = feature_spec(plan, w.dataset, w.features), model_of(plan, w)
    if stage == "plot_experiment":
        return figures_mb(spec, model)
    return explore_mb(spec, model, 0 if spec.store else _reading_bytes(plan, w.dataset))


def _searching_mb(plan: Plan, stage: str, dataset: str) -> int:
    """Memory limit of a job that measures channels or finds missing values, in MB."""
    if dataset in plan.matrices:
        return matrix_memory.searching_mb(plan.matrices[dataset])
    n_channels = len(plan.settings["datasets"][dataset]["channels"])
    longest = max(recording.rows for recording in plan.recordings[dataset])
    need = gap_bytes if stage == "find_gaps" else measuring_bytes
    return stage_mb(need(n_channels, longest) + _reading_bytes(plan, dataset))


def minutes(plan: Plan, stage: str, w: Wildcards, attempt: int) -> int:
    """Return the time limit of a job on a cluster, in minutes. Every further attempt gets more."""
    if stage in ("write_summary", "plot_summary"):
        return 10 * attempt
    seconds = _seconds(
        plan, w.dataset, w.features, getattr(w, "model", None), plan.settings["threads"], CLUSTER
    )
    shards = n_shards(plan, w.dataset, w.features)
    before = (shards * (seconds[s] - CLUSTER.start) for s in _done_before(plan, stage, w))
    return runtime.in_minutes(seconds[stage] + sum(before), attempt)


@cache
def _seconds(
    plan: Plan, dataset: str, features: str, name: str | None, threads: int, rates: Rates
) -> dict[str, float]:
    """Seconds that the jobs of a feature set, or of one of its models, may take."""
    spec, windows = feature_spec(plan, dataset, features), n_windows(plan, dataset, features)
    sizes = sizes_of(plan, dataset, features)
    # Shards may differ in size. The stages of a shard are estimated for the largest one.
    as_large = -(-windows // shard_rows(plan, dataset, features))
    found: dict[str, float] = {}
    for shards in {sizes.shards, as_large}:
        if name is None:
            seconds = runtime.of_features(spec, windows, shards, rates)
        else:
            model = plan.models[dataset, features, name]
            of_shards = replace(sizes, shards=shards, threads=threads)
            seconds = runtime.predict(spec, model, windows, of_shards, rates)
        found = {stage: max(s, found.get(stage, 0.0)) for stage, s in seconds.items()}
    return found


def threads(plan: Plan, w: Wildcards) -> int:
    """Return the threads of a fit: no more than it can use, and one if it is short."""
    solver, wanted = model_of(plan, w)["solver"], plan.settings["threads"]
    if _expected_seconds(plan, w) < SHORT_SECONDS:
        return 1
    if solver_module(solver).Solver.ONE_PASS:
        return wanted if shares_finish(solver) else 1
    one_process = reads_recordings(solver) or reads_columns(solver)
    return wanted if one_process else min(wanted, n_shards(plan, w.dataset, w.features))


def _expected_seconds(plan: Plan, w: Wildcards) -> float:
    """Seconds of a fit in one thread."""
    model = model_of(plan, w)
    if is_from_signal(model):
        # Not the limit, which allows for more passes, and for eigenpairs by LAPACK.
        spec = feature_spec(plan, w.dataset, w.features)
        return choice.seconds(model, spec, n_train(plan, w.dataset, w.features))
    return _seconds(plan, w.dataset, w.features, w.model, 1, LOCAL)["fit_model"] - LOCAL.start


def sizes_of(plan: Plan, dataset: str, features: str) -> Sizes:
    """Return the sizes of blocks, shards and threads on a feature matrix."""
    shards = n_shards(plan, dataset, features)
    together = shards_together(plan, dataset, features)
    return Sizes(plan.settings["block_mb"], shards, plan.settings["threads"], together)


@cache
def shard_rows(plan: Plan, dataset: str, features: str) -> int:
    """Return the number of windows of the largest shard, as planned."""
    return max(stop - start for start, stop in rows_of_shards(plan, dataset, features).values())


@cache
def _predicted(plan: Plan, dataset: str, features: str, model: str) -> dict[str, int]:
    if dataset in plan.matrices:
        return matrix_memory.predict_stages(
            plan.matrices[dataset],
            plan.models[dataset, features, model],
            sizes_of(plan, dataset, features),
            n_train(plan, dataset, features),
        )
    return predict_stages(
        feature_spec(plan, dataset, features),
        plan.models[dataset, features, model],
        sizes_of(plan, dataset, features),
        library_bytes=_reading_bytes(plan, dataset),
        n_train=n_train(plan, dataset, features),
        shard_rows=shard_rows(plan, dataset, features),
        window_label=plan.settings["datasets"][dataset]["window_label"],
        label_scratch=scratch_bytes(r.labels for r in plan.recordings[dataset] if r.labels),
    )


@cache
def _reading_bytes(plan: Plan, dataset: str) -> int:
    """Memory, in bytes, of reading the recordings, without the rows."""
    recordings = plan.recordings[dataset]
    return reading_bytes(
        plan.settings["datasets"][dataset],
        [recording.path for recording in recordings],
        [ratio for recording in recordings for ratio in recording.ratios],
    )
