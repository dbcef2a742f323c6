"""Which recordings, or parts of a matrix, a job reads."""

from collections.abc import Sequence

from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.planning.models import fits_recordings, has_summaries
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    has_files,
    is_train,
    recording_keys,
    recordings_by_name,
    shard_segments,
)

# Stages that read the rows of a matrix.
READING_ROWS = ("measure_features", "summarize_features", "fit_model", "project_features")


def read_by(plan: Plan, stage: str, w: Wildcards) -> Sequence[CheckedRecording]:
    """Recordings, or parts of a matrix, of which a job reads rows."""
    if stage == "measure_channels":
        return train_of_dataset(plan, w)
    if stage in ("find_gaps", "extract_features", "project_recordings"):
        return of_shard(plan, w)
    if stage == "summarize_lags":
        return train_of_shard(plan, w)
    if stage in READING_ROWS and w.dataset in plan.matrices:
        return parts_of_fit(plan, w) if stage == "fit_model" else of_shard(plan, w)
    if stage == "fit_model":
        return of_fit(plan, w)
    if stage in ("write_projection", "plot_explore"):
        return not_stored(plan, w)
    return ()


def of_shard(plan: Plan, w: Wildcards) -> list[CheckedRecording]:
    """Return the recordings with windows in a shard."""
    known = recordings_by_name(plan, w.dataset)
    segments = shard_segments(plan, w.dataset, w.features, w.shard)
    return [known[segment.recording.name] for segment in segments]


def train_of_shard(plan: Plan, w: Wildcards) -> list[CheckedRecording]:
    """Return the train recordings with windows in a shard."""
    return [r for r in of_shard(plan, w) if is_train(plan, w.dataset, r.name)]


def train_of_dataset(plan: Plan, w: Wildcards) -> list[CheckedRecording]:
    """Return the train recordings of a dataset."""
    return [r for r in plan.recordings[w.dataset] if is_train(plan, w.dataset, r.name)]


def parts_of_shard(plan: Plan, w: Wildcards) -> list[CheckedRecording]:
    """Return the parts of a matrix with rows in a shard; none of recordings."""
    return of_shard(plan, w) if w.dataset in plan.matrices else []


def of_fit(plan: Plan, w: Wildcards) -> list[CheckedRecording]:
    """Return the train recordings if the fit reads them itself, else none."""
    return train_of_dataset(plan, w) if fits_recordings(plan, w) else []


def parts_of_fit(plan: Plan, w: Wildcards) -> Sequence[CheckedRecording]:
    """Return the parts of a matrix if the fit reads them itself, else none."""
    is_read = w.dataset in plan.matrices and not has_summaries(plan, w)
    return plan.recordings[w.dataset] if is_read else ()


def not_stored(plan: Plan, w: Wildcards) -> Sequence[CheckedRecording]:
    """Return what features are read from that are not in files; none if they are."""
    return () if has_files(plan, w.dataset, w.features) else plan.recordings[w.dataset]


def converted(plan: Plan, w: Wildcards) -> CheckedRecording:
    """Return the recording whose file or labels are converted."""
    return recording_keys(plan, w.dataset)[w.recording]
