"""The plan of a run: a checked configuration, and what follows from it without opening a file.

A `Plan` is a frozen value. Everything else here is a function of it and of the names of a dataset,
a feature set, a model or a shard.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from memwave.core.ranges import (
    BY_RECORDING,
    Range,
    are_together,
    count_shards,
    recording_ranges,
    shard_range,
)
from memwave.features.columns import MatrixShard, MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.recordings.segments import PlannedRecording, Segment, cut, file_name
from memwave.workflow import paths
from memwave.workflow.config import settings as configuration
from memwave.workflow.config.checks.check import check
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.config.settings import Experiment

# What has the names of a job as attributes: the wildcards of Snakemake, or a `Job`.
Wildcards = Any


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run will do.

    Attributes
    ----------
    settings : dict
        The complete configuration; see `memwave.workflow.config.settings.complete`.
    recordings : dict of str to tuple of CheckedRecording
        By dataset, in sheet order.
    models : dict of (dataset, features, model) to dict
        Complete options of every experiment's model; ``auto`` has been replaced.
    experiments : tuple of Experiment
    warnings : tuple of str
        What is odd but no reason to stop.
    matrices : dict of str to MatrixSpec
        Columns of the datasets that are matrices.
    """

    settings: dict
    recordings: dict[str, tuple[CheckedRecording, ...]]
    models: dict[tuple[str, str, str], dict]
    experiments: tuple[Experiment, ...]
    warnings: tuple[str, ...]
    matrices: dict[str, MatrixSpec] = field(default_factory=dict)

    @property
    def run(self) -> str:
        """The part of a path that stands for ``run``."""
        return paths.run_folder(self.settings["run"])


def make_plan(config: dict) -> Plan:
    """Check a configuration and plan a run.

    Parameters
    ----------
    config : dict
        As read from YAML.

    Raises
    ------
    ConfigurationError
        Lists everything that is wrong with the configuration, the sheets and the recordings.
    """
    settings = configuration.complete(config)
    checked = check(settings)
    experiments = configuration.experiments(settings)
    return Plan(
        settings,
        checked.recordings,
        checked.models,
        experiments,
        checked.warnings,
        checked.matrices,
    )


def of_experiments(plan: Plan, pattern: str) -> list[str]:
    """Fill a pattern with dataset, features and model of every experiment."""
    return [
        pattern.format(dataset=e.dataset, features=e.features, model=e.model)
        for e in plan.experiments
    ]


def is_by_recording(plan: Plan) -> bool:
    """Whether the boundaries of shards follow recordings."""
    return plan.settings["shards"] == BY_RECORDING


@cache
def rows_of_shards(plan: Plan, dataset: str, features: str) -> dict[str, Range]:
    """Rows of the feature matrix that each shard has, by its name.

    The names are ``1-of-4`` ... or, where shards follow recordings, ``<recording>.1`` ...
    """
    spec = feature_spec(plan, dataset, features)
    if is_by_recording(plan):
        return _rows_by_recording(plan, dataset, features)
    rows = n_windows(plan, dataset, features)
    number = count_shards(plan.settings["shards"], rows, spec.row_bytes)
    return {
        f"{i}-of-{number}": shard_range(rows, i - 1, number, spec.grain)
        for i in range(1, number + 1)
    }


def _rows_by_recording(plan: Plan, dataset: str, features: str) -> dict[str, Range]:
    spec, counts = feature_spec(plan, dataset, features), window_counts(plan, dataset, features)
    ranges = recording_ranges(counts, spec.row_bytes, spec.grain)
    found, begin = {}, 0
    for recording, count, parts in zip(plan.recordings[dataset], counts, ranges, strict=True):
        for i, (start, stop) in enumerate(parts, 1):
            found[f"{file_name(recording.name)}.{i}"] = begin + start, begin + stop
        begin += count
    return found


def n_shards(plan: Plan, dataset: str, features: str) -> int:
    """Number of shards of a feature matrix."""
    return len(rows_of_shards(plan, dataset, features))


def shard_names(plan: Plan, dataset: str, features: str) -> list[str]:
    """Names of the shards of a feature matrix, in order."""
    return list(rows_of_shards(plan, dataset, features))


@cache
def recording_keys(plan: Plan, dataset: str) -> dict[str, CheckedRecording]:
    """Recordings by what tells their converted files apart: their numbers, or their names."""
    by_name = is_by_recording(plan)
    return {
        file_name(recording.name) if by_name else str(number): recording
        for number, recording in enumerate(plan.recordings[dataset], 1)
    }


@cache
def feature_spec(plan: Plan, dataset: str, features: str) -> Any:
    """What a feature set is on a dataset: a FeatureSpec, or the MatrixSpec of a matrix."""
    if dataset in plan.matrices:
        return plan.matrices[dataset]
    channels = plan.settings["datasets"][dataset]["channels"]
    return FeatureSpec.from_settings(plan.settings["features"][features], channels)


@cache
def planned_recordings(plan: Plan, dataset: str) -> tuple[PlannedRecording, ...]:
    """The recordings of a dataset as jobs read them, in sheet order."""
    chosen = plan.settings["datasets"][dataset]
    return tuple(
        PlannedRecording(
            name=recording.name,
            path=recording.path,
            dtype=recording.dtype,
            rows=recording.rows,
            resample=recording.resample,
            missing=chosen["missing"],
            max_gap=chosen["max_gap"],
            converted=recording.path != recording.source,
            **_reading(recording),
        )
        for recording in plan.recordings[dataset]
    )


def _reading(recording: CheckedRecording) -> dict:
    """How jobs read the file of a recording; a converted file is read without options."""
    if recording.path != recording.source:
        return {}
    return {"options": recording.options, "groups": recording.groups}


def n_windows(plan: Plan, dataset: str, features: str) -> int:
    """Rows of a feature matrix, as planned."""
    return sum(window_counts(plan, dataset, features))


@cache
def window_counts(plan: Plan, dataset: str, features: str) -> tuple[int, ...]:
    """Windows of every recording, as planned."""
    windows = feature_spec(plan, dataset, features).windows
    return tuple(windows.count(r.rows) for r in planned_recordings(plan, dataset))


@cache
def n_train(plan: Plan, dataset: str, features: str) -> int:
    """Windows that PCA is fitted on, as planned."""
    counts = zip(plan.recordings[dataset], window_counts(plan, dataset, features), strict=True)
    return sum(count for recording, count in counts if recording.split == "train")


def first_row(plan: Plan, dataset: str, features: str, shard: str) -> int:
    """Row of the feature matrix that a shard begins with."""
    return rows_of_shards(plan, dataset, features)[shard][0]


def shard_segments(plan: Plan, dataset: str, features: str, shard: str) -> tuple[Segment, ...]:
    """Segments of a shard, recording after recording."""
    return _segments(plan, dataset, features)[shard]


@cache
def _segments(plan: Plan, dataset: str, features: str) -> dict[str, tuple[Segment, ...]]:
    rows, counts = (
        rows_of_shards(plan, dataset, features),
        window_counts(plan, dataset, features),
    )
    found = cut(planned_recordings(plan, dataset), counts, list(rows.values()))
    return dict(zip(rows, found, strict=True))


def matrix_shard(plan: Plan, dataset: str, features: str, shard: str) -> MatrixShard | None:
    """The rows of a shard that is no file, since the dataset is a matrix; None else."""
    if dataset not in plan.matrices:
        return None
    found = shard_segments(plan, dataset, features, shard)
    return MatrixShard(plan.matrices[dataset], found)


@cache
def recordings_by_name(plan: Plan, dataset: str) -> dict[str, CheckedRecording]:
    """The recordings of a dataset by their names, in sheet order."""
    return {recording.name: recording for recording in plan.recordings[dataset]}


def is_train(plan: Plan, dataset: str, recording: str) -> bool:
    """Whether PCA is fitted on a recording."""
    return recordings_by_name(plan, dataset)[recording].split == "train"


def train_segments(plan: Plan, dataset: str, features: str, shard: str) -> tuple[Segment, ...]:
    """Those segments of a shard that PCA is fitted on."""
    found = shard_segments(plan, dataset, features, shard)
    return tuple(s for s in found if is_train(plan, dataset, s.recording.name))


def train_ranges(plan: Plan, dataset: str, features: str, shard: str) -> tuple[Range, ...]:
    """Rows of a shard that PCA is fitted on; ranges that touch are joined."""
    ranges: list[Range] = []
    for segment in train_segments(plan, dataset, features, shard):
        start, stop = segment.row, segment.row + segment.count
        if ranges and ranges[-1][1] == start:
            start = ranges.pop()[0]
        ranges.append((start, stop))
    return tuple(ranges)


def projecting_stage(spec: FeatureSpec | MatrixSpec) -> str:
    """The stage that projects shards."""
    return "project_features" if spec.store else "project_recordings"


def shards_together(plan: Plan, dataset: str, features: str) -> bool:
    """Whether one job does the short steps of all shards, one after the other.

    `write_projection` projects them, and `fit_model` makes their lag sums.
    """
    n_bytes = n_windows(plan, dataset, features) * feature_spec(plan, dataset, features).row_bytes
    return are_together(plan.settings["shards"], n_shards(plan, dataset, features), n_bytes)


def has_files(plan: Plan, dataset: str, features: str) -> bool:
    """Whether the features of a dataset are in files."""
    return feature_spec(plan, dataset, features).store and dataset not in plan.matrices


def row_bytes(plan: Plan, dataset: str, features: str) -> int:
    """Bytes that a window takes on the disk."""
    spec = feature_spec(plan, dataset, features)
    return spec.row_bytes if spec.store else 0
