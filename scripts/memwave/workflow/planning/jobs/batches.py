"""Batches: which recordings, or labels, a job converts.

Small ones share jobs, so that neither planning nor starting jobs takes longer than converting. The
batch of a recording follows from its name, format and size alone: it stays the same when others are
added or removed.
"""

from collections.abc import Iterator
from functools import cache
from os.path import dirname
from typing import Any

from xxhash import xxh3_64_intdigest

from memwave.readers import reader_of
from memwave.workflow import paths
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.planning.plan import Plan, recording_keys

# Jobs that the small files of a format share: as many may run side by side.
BATCHES = 16

# Values of a recording that is converted by a job of its own.
LARGE = 8_000_000


@cache
def batches(plan: Plan, dataset: str, stage: str) -> dict[str, tuple[str, ...]]:
    """Keys of the recordings that each job of a stage converts; see `recording_keys`."""
    found: dict[str, list[str]] = {}
    for key, recording in recording_keys(plan, dataset).items():
        if _source(recording, stage):
            found.setdefault(_batch(plan, dataset, stage, key, recording), []).append(key)
    return {batch: tuple(keys) for batch, keys in found.items()}


def batch_of(plan: Plan, dataset: str, stage: str, key: str) -> str:
    """Name of the batch of a recording."""
    return _batch(plan, dataset, stage, key, recording_keys(plan, dataset)[key])


def sources_of(plan: Plan, stage: str, w: Any) -> list[str]:
    """Recordings or labels, as given, that a job converts."""
    keys = recording_keys(plan, w.dataset)
    found = (_source(keys[key], stage) for key in batches(plan, w.dataset, stage)[w.batch])
    return [path for path in found if path]


def all_sources(plan: Plan, dataset: str, stage: str) -> list[str]:
    """Recordings or labels, as given, of a dataset that a stage converts."""
    found = (_source(recording, stage) for recording in plan.recordings[dataset])
    return [path for path in found if path]


def receipts(plan: Plan, dataset: str) -> Iterator[str]:
    """Receipts of all jobs that convert recordings or labels of a dataset."""
    for stage in paths.PARTS.values():
        for batch in batches(plan, dataset, stage):
            yield paths.usage(stage).format(dataset=dataset, batch=batch)


def receipts_of_parts(plan: Plan, dataset: str) -> Iterator[str]:
    """Receipts of all converted recordings and labels of a dataset."""
    for part, stage in paths.PARTS.items():
        for keys in batches(plan, dataset, stage).values():
            for key in keys:
                yield paths.usage(part).format(dataset=dataset, recording=key)


def conversion_names(plan: Plan) -> dict[str, set[str]]:
    """Names of converted files and of the receipts of their jobs, by their folder."""
    found: dict[str, set[str]] = {}
    for dataset in plan.recordings:
        for part, stage in paths.PARTS.items():
            names = batches(plan, dataset, stage)
            keys = {key for keys in names.values() for key in keys}
            for pattern in (*paths.OUTPUTS[part], paths.usage(part)):
                found[_folder(pattern, dataset)] = keys
            found[_folder(paths.usage(stage), dataset)] = set(names)
    return found


def _folder(pattern: str, dataset: str) -> str:
    return dirname(pattern).removeprefix("results/").format(dataset=dataset)


def _source(recording: CheckedRecording, stage: str) -> str | None:
    """What a stage converts of a recording; None if it converts nothing."""
    if stage == "convert_recordings":
        return recording.source if recording.path != recording.source else None
    return recording.label_source if recording.converts_labels else None


def _batch(plan: Plan, dataset: str, stage: str, key: str, recording: CheckedRecording) -> str:
    if recording.source_rows * _columns(plan, dataset) >= LARGE:
        return key
    reader = reader_of(str(_source(recording, stage))).__name__.rpartition(".")[2]
    return f"{reader}.{xxh3_64_intdigest(recording.name.encode()) % BATCHES + 1}"


def _columns(plan: Plan, dataset: str) -> int:
    if dataset in plan.matrices:
        return plan.matrices[dataset].n_features
    return len(plan.settings["datasets"][dataset]["channels"])
