"""Labels of all windows of a dataset, recording by recording."""

from collections.abc import Iterator, Sequence

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.ranges import spans
from memwave.readers import open_array
from memwave.recordings.labels.coding import BLOCK_ROWS, Coding, rows_of_labels, window_labels
from memwave.recordings.labels.file import load_names
from memwave.recordings.resampling import Nearest
from memwave.recordings.segments import LabelledRecording, Windows

DESCRIPTIONS = {
    "last": "Label of the window's last row.",
    "centre": "Label of the row in the window's centre.",
    "majority": "Label that most rows of the window have.",
}


class WindowLabels:
    """Labels of windows.

    Parameters
    ----------
    recordings : sequence of LabelledRecording
    rule : {"last", "centre", "majority"}
    windows : Windows

    Attributes
    ----------
    description : str or None
        The rule in words; None if there are no labels.
    names : tuple of str
        Text of each label, from 0 on; empty if labels are numbers.
    """

    def __init__(self, recordings: Sequence[LabelledRecording], rule: str, windows: Windows):
        self._recordings, self._rule, self._windows = recordings, rule, windows
        labelled = any(r.labels or r.recording_label for r in recordings)
        self.description = DESCRIPTIONS[rule] if labelled else None
        self._texts = [_texts(recording) for recording in recordings]
        self._coding = Coding.of(text for texts in self._texts for text in texts)
        self.names = self._coding.names

    def of(self, i: int, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the labels of windows ``first:stop`` of recording `i`, block by block.

        Yields
        ------
        (start, labels) : int, ndarray of int64
            `start` is the window of the first label.

        Raises
        ------
        MemwaveError
            If the labels differ from the plan.
        """
        recording, texts = self._recordings[i], self._texts[i]
        if recording.recording_label is not None:
            for low, high in spans(first, stop, BLOCK_ROWS):
                yield low, self._coding.translate(np.zeros(high - low, np.int32), texts)
        else:
            for low, labels in self._of_rows(recording, first, stop):
                yield low, self._coding.translate(labels, texts) if recording.are_texts else labels

    def _of_rows(
        self, recording: LabelledRecording, first: int, stop: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        path, ratio = recording.labels, recording.resample
        assert path is not None
        rule, window, step = self._rule, self._windows.window, self._windows.step
        needed = self._windows.n_rows(stop)
        with open_array(path, values="stored") as source:
            labels = Nearest(source, ratio) if ratio else source
            if len(labels.shape) != 1 or labels.shape[0] < needed or labels.dtype.kind not in "iu":
                raise MemwaveError(
                    f"{path} holds {labels.dtype} {labels.shape} now, and had at least {needed} "
                    "whole numbers when the run was planned. Start again."
                )
            for low, high in spans(first, stop, max(1, BLOCK_ROWS // step)):
                rows = rows_of_labels(rule, window, step, low, high - low)
                yield low, window_labels(rule, labels.read(*rows), window, step)


def _texts(recording: LabelledRecording) -> list[str]:
    """Return the texts into which the labels of a recording are indices."""
    if recording.recording_label is not None:
        return [recording.recording_label]
    return load_names(recording.labels) if recording.labels and recording.are_texts else []
