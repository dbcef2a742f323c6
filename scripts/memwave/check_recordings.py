"""Whether the files of a dataset are there and are what its sheet says."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from memwave.errors import ConfigurationError, MemwaveError
from memwave.readers import open_array
from memwave.sheet import Recording, read_sheet
from memwave.words import shown


@dataclass(frozen=True)
class CheckedRecording(Recording):
    """A recording whose files have been looked at.

    Attributes
    ----------
    rows : int
        Length of the recording; see `Recording` for the others.
    """

    rows: int


def checked_recordings(name: str, settings: dict) -> tuple[CheckedRecording, ...]:
    """Read the sheet of a dataset and the headers of all its files.

    Parameters
    ----------
    name : str
        Name of the dataset.
    settings : dict
        Its entry of the configuration, complete.

    Raises
    ------
    ConfigurationError
        Lists everything that is wrong with the sheet or, if it is right, with the files.
    """
    sheet = settings["recordings"]
    recordings = read_sheet(sheet)
    findings: list[str] = []
    checked = []
    for recording in recordings:
        place = f"{sheet}, recording {shown(recording.name)}"
        try:
            rows = _rows(recording, name, settings["channels"])
            if recording.labels is not None:
                _check_labels(recording.labels, recording.path, rows)
        except MemwaveError as error:
            findings.append(f"{place}: {error}")
        else:
            checked.append(CheckedRecording(**asdict(recording), rows=rows))
    findings += _sheet_findings(sheet, recordings)
    if findings:
        raise ConfigurationError(findings)
    return tuple(checked)


def _rows(recording: Recording, dataset: str, channels: list[str]) -> int:
    with open_array(recording.path, recording.dtype, len(channels)) as source:
        shape = source.shape
    if len(shape) == 2 and shape[1] == len(channels):
        return shape[0]
    turned = " It looks transposed; save array.T." if shape[0] == len(channels) else ""
    columns = f"{shape[1]} columns" if len(shape) == 2 else "one dimension only"
    raise MemwaveError(
        f"{recording.path} has {columns} (shape {shape}), expected rows x {len(channels)}, one "
        f"column for each of datasets.{dataset}.channels.{turned}"
    )


def _check_labels(labels: str, path: str, rows: int) -> None:
    with open_array(labels) as source:
        shape, dtype = source.shape, source.dtype
    if len(shape) != 1:
        raise MemwaveError(
            f"the labels {labels} have shape {shape}, expected ({rows},): one a row of {path}."
        )
    if not np.can_cast(dtype, np.int64):
        raise MemwaveError(
            f"the labels {labels} have type {dtype}, expected whole numbers that fit int64. "
            "Save labels.astype('int64')."
        )
    if shape[0] != rows:
        raise MemwaveError(
            f"there are {shape[0]} labels in {labels}, expected {rows}: one a row of {path}."
        )


def _sheet_findings(sheet: str, recordings: tuple[Recording, ...]) -> Iterator[str]:
    unlabelled = [recording.name for recording in recordings if recording.labels is None]
    if 0 < len(unlabelled) < len(recordings):
        yield (
            f"{sheet}: {shown(unlabelled[0])} has no labels, others have. Expected labels for all "
            "recordings or for none; mark unknown labels by a number of their own, such as -1."
        )
    if all(recording.split == "test" for recording in recordings):
        yield (
            f"{sheet}: every recording has split test. Components are fitted on recordings of "
            "split train; give one to at least one recording."
        )
