"""What each job is asked to do: its request."""

from collections.abc import Callable, Iterable
from typing import Any

from memwave.core.precision import compute_dtype
from memwave.core.ranges import rows_per_block
from memwave.features.columns import MatrixShard, RowSources
from memwave.pca.projection import projection_dtype
from memwave.recordings.segments import LabelledRecording
from memwave.recordings.valid_windows import FEWEST_RANGES, MOST_OF_RECORDING, MOST_RANGES
from memwave.workflow import paths
from memwave.workflow.planning import inputs
from memwave.workflow.planning.jobs.batches import receipts_of_parts
from memwave.workflow.planning.jobs.conversions import batch, converted
from memwave.workflow.planning.jobs.dependencies import provenance
from memwave.workflow.planning.memory.blocks import (
    extraction_rows,
    measured_rows,
    measuring_rows,
    projection_rows,
)
from memwave.workflow.planning.models import fits_recordings, is_applied, model_of
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    feature_spec,
    first_row,
    has_files,
    is_by_recording,
    is_train,
    matrix_shard,
    n_shards,
    n_windows,
    planned_recordings,
    projecting_stage,
    projects_itself,
    row_bytes,
    rows_of_shards,
    shard_names,
    shard_segments,
    train_ranges,
    train_segments,
    window_counts,
)
from memwave.workflow.requests.features import Extraction, FeatureMeasurement, GapSearch
from memwave.workflow.requests.figures import Exploration, FigureFacts
from memwave.workflow.requests.model import FeatureSummary, Fit, LagSummary
from memwave.workflow.requests.projection import Assembly, Projection
from memwave.workflow.requests.recordings import ChannelMeasurement
from memwave.workflow.requests.summary import SummarizedExperiment


def request(plan: Plan, stage: str, w: Wildcards) -> Any:
    """The request of a job; None where its files say everything.

    That of `write_projection` is made by `assembly`.
    """
    make = _REQUESTS.get(stage)
    return make(plan, w) if make else None


def _channel_measurement(plan: Plan, w: Wildcards) -> ChannelMeasurement:
    recordings = planned_recordings(plan, w.dataset)
    channels = _channels(plan, w)
    return ChannelMeasurement(
        tuple(r for r in recordings if is_train(plan, w.dataset, r.name)),
        channels,
        measuring_rows(len(channels)),
    )


def _gap_search(plan: Plan, w: Wildcards) -> GapSearch:
    spec = feature_spec(plan, w.dataset, w.features)
    return GapSearch(
        spec,
        shard_segments(plan, w.dataset, w.features, w.shard),
        measuring_rows(spec.n_channels),
        _most_ranges(plan, w),
        matrix_shard(plan, w.dataset, w.features, w.shard),
    )


def _most_ranges(plan: Plan, w: Wildcards) -> int:
    """Ranges of valid windows that a shard may have.

    Where shards follow recordings, what a job does must not depend on their number.
    """
    if is_by_recording(plan):
        return MOST_OF_RECORDING
    return max(FEWEST_RANGES, MOST_RANGES // n_shards(plan, w.dataset, w.features))


def _extraction(plan: Plan, w: Wildcards) -> Extraction:
    spec = feature_spec(plan, w.dataset, w.features)
    return Extraction(
        spec,
        shard_segments(plan, w.dataset, w.features, w.shard),
        extraction_rows(spec, plan.settings["block_mb"]),
    )


def _feature_measurement(plan: Plan, w: Wildcards) -> FeatureMeasurement:
    spec = feature_spec(plan, w.dataset, w.features)
    return FeatureMeasurement(
        train_ranges(plan, w.dataset, w.features, w.shard),
        measured_rows(spec.n_features, plan.settings["block_mb"]),
        matrix_shard(plan, w.dataset, w.features, w.shard),
    )


def _feature_summary(plan: Plan, w: Wildcards) -> FeatureSummary:
    # Why a solver was chosen depends on all recordings, and changes no summary.
    model = {key: value for key, value in model_of(plan, w).items() if key != "chosen"}
    return FeatureSummary(
        model,
        train_ranges(plan, w.dataset, w.features, w.shard),
        _block_rows(plan, w),
        _dtype(plan, w),
        matrix_shard(plan, w.dataset, w.features, w.shard),
    )


def _lag_summary(plan: Plan, w: Wildcards) -> LagSummary:
    return LagSummary(
        feature_spec(plan, w.dataset, w.features),
        train_segments(plan, w.dataset, w.features, w.shard),
    )


def _fit(plan: Plan, w: Wildcards) -> Fit:
    shards = shard_names(plan, w.dataset, w.features)
    names = (plan, w.dataset, w.features)
    read = shards if fits_recordings(model_of(plan, w)) else []
    return Fit(
        feature_spec(plan, w.dataset, w.features),
        model_of(plan, w),
        tuple(train_ranges(*names, shard) for shard in shards),
        tuple(train_segments(*names, shard) for shard in read),
        _block_rows(plan, w),
        _dtype(plan, w),
        provenance(plan, w),
        tuple(filter(None, (_fitted_rows(plan, w, shard) for shard in shards))),
    )


def _fitted_rows(plan: Plan, w: Wildcards, shard: str) -> MatrixShard | None:
    """A shard of a matrix that `fit_model` reads itself."""
    if inputs.summaries(plan, w):
        return None
    return matrix_shard(plan, w.dataset, w.features, shard)


def _projection(plan: Plan, w: Wildcards) -> Projection:
    return _shard_projection(plan, w, w.shard)


def _shard_projection(plan: Plan, w: Wildcards, shard: str) -> Projection:
    spec = feature_spec(plan, w.dataset, w.features)
    dtype = projection_dtype(model_of(plan, w), _dtype(plan, w))
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


def _only_shard(plan: Plan, w: Wildcards) -> Projection | None:
    """How `write_projection` projects the rows itself; None where other jobs do."""
    if not projects_itself(plan, w.dataset, w.features):
        return None
    (shard,) = shard_names(plan, w.dataset, w.features)
    return _shard_projection(plan, w, shard)


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
        _only_shard(plan, w),
    )


def _receipts_of_readers(plan: Plan, w: Wildcards) -> list[str]:
    """Receipts of jobs that read all recordings and labels of a dataset for an experiment.

    Where `write_projection` reads them itself, its receipt is not written yet.
    """
    found = list(receipts_of_parts(plan, w.dataset))
    if has_files(plan, w.dataset, w.features):
        found += inputs.of_shards(plan, paths.usage("extract_features"), w)
    elif not projects_itself(plan, w.dataset, w.features):
        stage = projecting_stage(feature_spec(plan, w.dataset, w.features))
        found += inputs.of_shards(plan, paths.usage(stage), w)
    return found


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


def _exploration(plan: Plan, w: Wildcards) -> Exploration:
    return Exploration(_figure_facts(plan, w), _row_sources(plan, w))


def _rates(plan: Plan, dataset: str) -> Iterable[float | None]:
    """Rows a second of each recording, after resampling."""
    rate = plan.settings["datasets"][dataset]["sampling_rate"]
    return (rate or r.sampling_rate for r in plan.recordings[dataset])


def _figure_facts(plan: Plan, w: Wildcards) -> FigureFacts:
    chosen = plan.settings["datasets"][w.dataset]
    spec = feature_spec(plan, w.dataset, w.features)
    known = [r.sampling_rate for r in plan.recordings[w.dataset] if r.sampling_rate]
    rate = chosen["sampling_rate"] or next(iter(known), None)
    return FigureFacts(spec, rate, chosen["units"], chosen["label_names"])


def _summarized_experiments(plan: Plan, _: Wildcards) -> tuple[SummarizedExperiment, ...]:
    return tuple(
        SummarizedExperiment(e.dataset, e.features, e.model, row_bytes(plan, e.dataset, e.features))
        for e in plan.experiments
    )


_REQUESTS: dict[str, Callable[[Plan, Wildcards], Any]] = {
    "convert_recordings": batch("converted_recording"),
    "convert_labels": batch("converted_labels"),
    "converted_recording": converted("converted_recording"),
    "converted_labels": converted("converted_labels"),
    "measure_channels": _channel_measurement,
    "find_gaps": _gap_search,
    "extract_features": _extraction,
    "measure_features": _feature_measurement,
    "summarize_features": _feature_summary,
    "summarize_lags": _lag_summary,
    "fit_model": _fit,
    "project_features": _projection,
    "project_recordings": _projection,
    "write_summary": _summarized_experiments,
    "plot_experiment": _figure_facts,
    "plot_explore": _exploration,
    "plot_summary": lambda plan, _: plan.settings["max_mem_mb"],
}


def _channels(plan: Plan, w: Wildcards) -> tuple[str, ...]:
    return tuple(plan.settings["datasets"][w.dataset]["channels"])


def _dtype(plan: Plan, w: Wildcards) -> str:
    stored = feature_spec(plan, w.dataset, w.features).dtype
    return compute_dtype(model_of(plan, w)["compute_dtype"], stored)


def _block_rows(plan: Plan, w: Wildcards) -> int:
    spec = feature_spec(plan, w.dataset, w.features)
    return rows_per_block(plan.settings["block_mb"], spec.n_features, _dtype(plan, w))
