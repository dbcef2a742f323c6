"""What each job is asked to do: its request."""

from collections.abc import Callable
from typing import Any

from memwave.core.ranges import rows_per_block
from memwave.features.columns import MatrixShard
from memwave.recordings.valid_windows import FEWEST_RANGES, MOST_OF_RECORDING, MOST_RANGES
from memwave.workflow.planning.jobs.conversions import batch, converted
from memwave.workflow.planning.jobs.dependencies import provenance
from memwave.workflow.planning.jobs.results import (
    exploration,
    figure_facts,
    projection,
    summarized_experiments,
)
from memwave.workflow.planning.memory.blocks import (
    extraction_rows,
    measured_rows,
    measuring_rows,
)
from memwave.workflow.planning.models import dtype_of, fits_recordings, has_summaries, model_of
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    feature_spec,
    is_by_recording,
    is_train,
    matrix_shard,
    n_shards,
    planned_recordings,
    shard_names,
    shard_segments,
    train_ranges,
    train_segments,
)
from memwave.workflow.requests.features import Extraction, FeatureMeasurement, GapSearch
from memwave.workflow.requests.model import FeatureSummary, Fit, LagSummary
from memwave.workflow.requests.recordings import ChannelMeasurement


def request(plan: Plan, stage: str, w: Wildcards) -> Any:
    """The request of a job; None where its files say everything.

    That of `write_projection` is made by `results.assembly`.
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
        dtype_of(plan, w),
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
    read = shards if fits_recordings(plan, w) else []
    return Fit(
        feature_spec(plan, w.dataset, w.features),
        model_of(plan, w),
        tuple(train_ranges(*names, shard) for shard in shards),
        tuple(train_segments(*names, shard) for shard in read),
        _block_rows(plan, w),
        dtype_of(plan, w),
        provenance(plan, w),
        tuple(filter(None, (_fitted_rows(plan, w, shard) for shard in shards))),
    )


def _fitted_rows(plan: Plan, w: Wildcards, shard: str) -> MatrixShard | None:
    """A shard of a matrix that `fit_model` reads itself."""
    if has_summaries(plan, w):
        return None
    return matrix_shard(plan, w.dataset, w.features, shard)


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
    "project_features": projection,
    "project_recordings": projection,
    "write_summary": summarized_experiments,
    "plot_experiment": figure_facts,
    "plot_explore": exploration,
    "plot_summary": lambda plan, _: plan.settings["max_mem_mb"],
}


def _channels(plan: Plan, w: Wildcards) -> tuple[str, ...]:
    return tuple(plan.settings["datasets"][w.dataset]["channels"])


def _block_rows(plan: Plan, w: Wildcards) -> int:
    spec = feature_spec(plan, w.dataset, w.features)
    return rows_per_block(plan.settings["block_mb"], spec.n_features, dtype_of(plan, w))
