"""Requests of the jobs that write results: projections, figures and the summary."""

from collections.abc import Iterable

from memwave.features.columns import RowSources
from memwave.pca.projection import projection_dtype
from memwave.recordings.segments import LabelledRecording
from memwave.workflow import paths
from memwave.workflow.planning import inputs
from memwave.workflow.planning.jobs.batches import receipts_of_parts
from memwave.workflow.planning.jobs.dependencies import provenance
from memwave.workflow.planning.memory.blocks import projection_rows
from memwave.workflow.planning.models import dtype_of, is_applied, model_of
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    feature_spec,
    first_row,
    has_files,
    matrix_shard,
    n_windows,
    planned_recordings,
    projecting_stage,
    row_bytes,
    rows_of_shards,
    shard_names,
    shard_segments,
    shards_together,
    train_ranges,
    window_counts,
)
from memwave.workflow.requests.figures import Exploration, FigureFacts
from memwave.workflow.requests.projection import Assembly, Projection
from memwave.workflow.requests.summary import SummarizedExperiment


def projection(plan: Plan, w: Wildcards) -> Projection:
    """The request of a job that projects a shard."""
    return _shard_projection(plan, w, w.shard)


def _shard_projection(plan: Plan, w: Wildcards, shard: str) -> Projection:
    spec = feature_spec(plan, w.dataset, w.features)
    dtype = projection_dtype(model_of(plan, w), dtype_of(plan, w))
    fitted = not is_applied(model_of(plan, w))
    return Projection(
        spec,
        () if spec.store else shard_segments(plan, w.dataset, w.features, shard),
        train_ranges(plan, w.dataset, w.features, shard) if fitted else (),
        first_row(plan, w.dataset, w.features, shard),
        n_windows(plan, w.dataset, w.features),
        projection_rows(spec.n_features, plan.settings["block_mb"], dtype),
        dtype,
        plan.settings["score_dtype"],
        matrix_shard(plan, w.dataset, w.features, shard),
    )


def _own_projections(plan: Plan, w: Wildcards) -> tuple[Projection, ...]:
    """How `write_projection` projects all shards itself; none where other jobs do."""
    if not shards_together(plan, w.dataset, w.features):
        return ()
    names = shard_names(plan, w.dataset, w.features)
    return tuple(_shard_projection(plan, w, shard) for shard in names)


def assembly(plan: Plan, w: Wildcards, versions: dict[str, str]) -> Assembly:
    """The request of `write_projection`, with the versions of all inputs of its dataset."""
    applied = is_applied(model_of(plan, w))
    counts = window_counts(plan, w.dataset, w.features)
    recordings = tuple(
        LabelledRecording(
            name=r.name,
            split="test" if applied else r.split,
            n_windows=count,
            labels=r.labels,
            recording_label=r.recording_label,
            are_texts=r.converts_labels,
            resample=r.resample,
        )
        for r, count in zip(plan.recordings[w.dataset], counts, strict=True)
    )
    return Assembly(
        feature_spec(plan, w.dataset, w.features),
        recordings,
        plan.settings["datasets"][w.dataset]["window_label"],
        plan.settings["score_dtype"],
        provenance(plan, w),
        versions,
        tuple(sorted(plan.settings["limits"])),
        plan.settings["limit_method"],
        tuple(_rates(plan, w.dataset)),
        _row_sources(plan, w),
        tuple(_receipts_of_readers(plan, w)),
        tuple(start for start, _ in rows_of_shards(plan, w.dataset, w.features).values()),
        _own_projections(plan, w),
    )


def _receipts_of_readers(plan: Plan, w: Wildcards) -> list[str]:
    """Receipts of jobs that read all recordings and labels of a dataset for an experiment.

    Where `write_projection` reads them itself, its receipt is not written yet.
    """
    found = list(receipts_of_parts(plan, w.dataset))
    if has_files(plan, w.dataset, w.features):
        found += inputs.of_shards(plan, paths.usage("extract_features"), w)
    elif not shards_together(plan, w.dataset, w.features):
        stage = projecting_stage(feature_spec(plan, w.dataset, w.features))
        found += inputs.of_shards(plan, paths.usage(stage), w)
    return found


def _rates(plan: Plan, dataset: str) -> Iterable[float | None]:
    """Rows a second of each recording, after resampling."""
    rate = plan.settings["datasets"][dataset]["sampling_rate"]
    return (rate or r.sampling_rate for r in plan.recordings[dataset])


def exploration(plan: Plan, w: Wildcards) -> Exploration:
    return Exploration(figure_facts(plan, w), _row_sources(plan, w))


def figure_facts(plan: Plan, w: Wildcards) -> FigureFacts:
    chosen = plan.settings["datasets"][w.dataset]
    spec = feature_spec(plan, w.dataset, w.features)
    known = [r.sampling_rate for r in plan.recordings[w.dataset] if r.sampling_rate]
    rate = chosen["sampling_rate"] or next(iter(known), None)
    return FigureFacts(spec, rate, chosen["units"], chosen["label_names"])


def _row_sources(plan: Plan, w: Wildcards) -> RowSources:
    """Where the features of single windows are read from."""
    names = shard_names(plan, w.dataset, w.features)
    shards = (matrix_shard(plan, w.dataset, w.features, name) for name in names)
    ranges = rows_of_shards(plan, w.dataset, w.features).values()
    spec = feature_spec(plan, w.dataset, w.features)
    return RowSources(
        spec,
        tuple(stop - start for start, stop in ranges),
        tuple(filter(None, shards)),
        () if spec.store else planned_recordings(plan, w.dataset),
    )


def summarized_experiments(plan: Plan, _: Wildcards) -> tuple[SummarizedExperiment, ...]:
    return tuple(
        SummarizedExperiment(e.dataset, e.features, e.model, row_bytes(plan, e.dataset, e.features))
        for e in plan.experiments
    )
