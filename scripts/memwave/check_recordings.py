"""Whether the files of a dataset are there and are what its sheet says."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isclose

import numpy as np

from memwave.errors import ConfigurationError, MemwaveError
from memwave.readers import is_converted, open_array, open_source
from memwave.sheet import Recording, read_sheet
from memwave.words import shown

# Files round their rates.
RATE_TOLERANCE = 1e-6

# Where a recording goes that is converted; numbers count the rows of the sheet.
CONVERTED = "results/{dataset}/recordings/{number}.npy"


@dataclass(frozen=True)
class CheckedRecording(Recording):
    """A recording whose files have been looked at.

    Attributes
    ----------
    rows : int
        Length of the recording; see `Recording` for the others.
    source : str
        Path in the sheet. `path` is another where the recording is converted before it is read.
    """

    rows: int
    source: str


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
    for number, recording in enumerate(recordings, 1):
        place = f"{sheet}, recording {shown(recording.name)}"
        try:
            rows = _rows(recording, name, settings)
            if recording.labels is not None:
                _check_labels(recording.labels, recording.path, rows)
        except MemwaveError as error:
            findings.append(f"{place}: {error}")
        else:
            facts = asdict(recording) | {"rows": rows, "source": recording.path}
            if is_converted(recording.path):
                facts["path"] = CONVERTED.format(dataset=name, number=number)
            checked.append(CheckedRecording(**facts))
    findings += _sheet_findings(sheet, recordings)
    if findings:
        raise ConfigurationError(findings)
    return tuple(checked)


def _rows(recording: Recording, dataset: str, settings: dict) -> int:
    channels = settings["channels"]
    with open_source(recording.path, recording.dtype, channels) as source:
        shape, rate = source.shape, source.sampling_rate
    expected = settings["sampling_rate"]
    if rate and expected and not isclose(rate, expected, rel_tol=RATE_TOLERANCE):
        raise MemwaveError(
            f"{recording.path} has {rate:g} rows a second, expected {expected:g} as in "
            f"datasets.{dataset}.sampling_rate. Resample it, or put it into another dataset."
        )
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
