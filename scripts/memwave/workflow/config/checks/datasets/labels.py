"""Checks that the labels of recordings exist and match the rows."""

from collections.abc import Iterator, Sequence

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import shown
from memwave.readers import Options, holds_texts, open_array, open_texts
from memwave.recordings.labels.intervals import are_intervals, read_intervals
from memwave.recordings.sheet.columns import Recording


def are_texts(recording: Recording) -> bool:
    """Whether the labels of a recording are texts, not numbers."""
    labels = recording.labels
    return labels is None or are_intervals(labels) or holds_texts(labels)


def check_labels(
    recording: Recording, rows: int, sampling_rate: float | None, options: Options
) -> None:
    """Require that the file of labels of a recording, if any, has one label per row or intervals.

    Raises
    ------
    MemwaveError
        If it has another number of labels, labels of another type, or wrong intervals.
    """
    labels = recording.labels
    if labels is None:
        return
    if are_intervals(labels):
        read_intervals(labels, rows, sampling_rate)
        return
    if holds_texts(labels):
        with open_texts(labels, options) as table:
            found = table.shape[0]
    else:
        found = _count(labels, recording.path, rows)
    if found != rows:
        raise MemwaveError(
            f"there are {found} labels in {labels}, expected {rows}: one per row of "
            f"{recording.path}."
        )


def _count(labels: str, path: str, rows: int) -> int:
    """Return the number of labels in an array; raise MemwaveError if they are not integers."""
    with open_array(labels, values="stored") as source:
        shape, dtype = source.shape, source.dtype
    if len(shape) != 1:
        raise MemwaveError(
            f"the labels {labels} have shape {shape}, expected ({rows},): one per row of {path}."
        )
    if not np.can_cast(dtype, np.int64):
        raise MemwaveError(
            f"the labels {labels} have type {dtype}, expected whole numbers that fit int64. "
            "Save labels.astype('int64')."
        )
    return shape[0]


def label_findings(sheet: str, recordings: Sequence[Recording]) -> Iterator[str]:
    """Check that all recordings of a sheet are labelled in the same way."""
    labelled = [r for r in recordings if r.labels is not None or r.recording_label is not None]
    unlabelled = [r for r in recordings if r.labels is None and r.recording_label is None]
    if labelled and unlabelled:
        yield (
            f"{sheet}: {shown(unlabelled[0].name)} has no labels, others have. Expected labels for "
            "all recordings or for none; mark unknown labels by a special number, such as -1."
        )
    texts = [r for r in labelled if are_texts(r)]
    numbers = [r for r in labelled if not are_texts(r)]
    if texts and numbers:
        yield (
            f"{sheet}: the labels of {shown(texts[0].name)} are texts, those of "
            f"{shown(numbers[0].name)} are numbers. Expected one kind for all recordings."
        )
