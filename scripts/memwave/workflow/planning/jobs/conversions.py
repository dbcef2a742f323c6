"""Requests of the jobs that convert recordings and labels: of batches, and of each file of them."""

from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any

from memwave.recordings.segments import PlannedRecording
from memwave.workflow import paths
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.planning.jobs import batches
from memwave.workflow.planning.plan import Plan, Wildcards, recording_keys
from memwave.workflow.requests.recordings import Conversion, LabelConversion, RecordingConversion


def _recording_conversion(
    plan: Plan, dataset: str, recording: CheckedRecording
) -> RecordingConversion:
    planned = PlannedRecording(
        recording.name, recording.source, None, recording.source_rows, options=recording.options
    )
    channels = tuple(plan.settings["datasets"][dataset]["channels"])
    return RecordingConversion(planned, channels)


def _label_conversion(plan: Plan, dataset: str, recording: CheckedRecording) -> LabelConversion:
    return LabelConversion(
        str(recording.label_source),
        recording.source_rows,
        recording.sampling_rate,
        recording.label_options,
    )


_CONVERSIONS = {
    "converted_recording": _recording_conversion,
    "converted_labels": _label_conversion,
}


@cache
def _conversions(plan: Plan, dataset: str, part: str) -> dict[str, Conversion]:
    """What is converted of the recordings of a dataset, by their keys."""
    keys, found = recording_keys(plan, dataset), {}
    for key in chain(*batches.batches(plan, dataset, paths.PARTS[part]).values()):
        request = _CONVERSIONS[part](plan, dataset, keys[key])
        files = (path.format(dataset=dataset, recording=key) for path in paths.OUTPUTS[part])
        found[key] = Conversion(request, tuple(files))
    return found


def converted(part: str) -> Callable[[Plan, Wildcards], Any]:
    """Make the request of one file of a batch."""
    return lambda plan, w: _conversions(plan, w.dataset, part)[w.recording].request


def batch(part: str) -> Callable[[Plan, Wildcards], tuple[Conversion, ...]]:
    """Make the request of a batch."""
    return lambda plan, w: tuple(
        _conversions(plan, w.dataset, part)[key]
        for key in batches.batches(plan, w.dataset, paths.PARTS[part])[w.batch]
    )
