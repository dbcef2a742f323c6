"""Requests of the jobs that convert recordings and labels, and that measure channels."""

from dataclasses import dataclass
from typing import Any

from memwave.readers import DEFAULTS, Options
from memwave.recordings.segments import PlannedRecording


@dataclass(frozen=True)
class RecordingConversion:
    """Of a recording that is converted since it is not read by slices, and its channels.

    A part of a matrix has none: all its columns are converted.
    """

    recording: PlannedRecording
    channels: tuple[str, ...]


@dataclass(frozen=True)
class LabelConversion:
    """Of labels that are converted.

    Attributes
    ----------
    path : str
        Of the labels, as in the sheet.
    rows : int
        Of the recording.
    sampling_rate : float or None
        Rows a second.
    options : Options
        How they are read.
    """

    path: str
    rows: int
    sampling_rate: float | None
    options: Options = DEFAULTS


@dataclass(frozen=True)
class Conversion:
    """Of `convert_recordings` and `convert_labels`, for each file of the batch.

    Attributes
    ----------
    request : RecordingConversion or LabelConversion
    files : tuple of str
        To write; the first has the rows.
    """

    request: Any
    files: tuple[str, ...]

    @property
    def path(self) -> str:
        """The file with the rows."""
        return self.files[0]


@dataclass(frozen=True)
class ChannelMeasurement:
    """Of `measure_channels`.

    Attributes
    ----------
    recordings : tuple of PlannedRecording
        Those of split train.
    channels : tuple of str
    block_rows : int
        Rows read at once.
    """

    recordings: tuple[PlannedRecording, ...]
    channels: tuple[str, ...]
    block_rows: int
