"""Whether the files of a dataset are there and are what its sheet says."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isclose

from memwave.check_labels import are_texts, check_labels, label_findings
from memwave.errors import ConfigurationError, MemwaveError
from memwave.readers import is_converted, open_source
from memwave.sheet import Recording, read_sheet
from memwave.words import shown

# Files round their rates.
RATE_TOLERANCE = 1e-6

# Where a recording goes that is converted; numbers count the rows of the sheet.
CONVERTED = "results/{dataset}/recordings/{number}.npy"
CONVERTED_LABELS = "results/{dataset}/labels/{number}.h5::/label"


@dataclass(frozen=True)
class CheckedRecording(Recording):
    """A recording whose files have been looked at.

    Attributes
    ----------
    rows : int
        Length of the recording; see `Recording` for the others.
    sampling_rate : float or None
        Rows a second, if the configuration or the file tells.
    source, label_source : str, str or None
        Paths in the sheet; `path` and `labels` are others where they are converted before they
        are read.
    """

    rows: int
    sampling_rate: float | None
    source: str
    label_source: str | None

    @property
    def converts_labels(self) -> bool:
        """Whether the labels are converted before they are read."""
        return self.labels != self.label_source


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
            rows, rate = _rows(recording, name, settings)
            check_labels(recording, rows, rate)
        except MemwaveError as error:
            findings.append(f"{place}: {error}")
        else:
            facts = asdict(recording) | {"rows": rows, "sampling_rate": rate}
            facts |= {"source": recording.path, "label_source": recording.labels}
            if is_converted(recording.path):
                facts["path"] = CONVERTED.format(dataset=name, number=number)
            if recording.labels is not None and are_texts(recording):
                facts["labels"] = CONVERTED_LABELS.format(dataset=name, number=number)
            checked.append(CheckedRecording(**facts))
    findings += [*label_findings(sheet, recordings), *_sheet_findings(sheet, recordings)]
    findings += _rate_findings(sheet, checked)
    if findings:
        raise ConfigurationError(findings)
    return tuple(checked)


def _rows(recording: Recording, dataset: str, settings: dict) -> tuple[int, float | None]:
    """Length and sampling rate of a recording."""
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
        return shape[0], expected or rate
    turned = " It looks transposed; save array.T." if shape[0] == len(channels) else ""
    columns = f"{shape[1]} columns" if len(shape) == 2 else "one dimension only"
    raise MemwaveError(
        f"{recording.path} has {columns} (shape {shape}), expected rows x {len(channels)}, one "
        f"column for each of datasets.{dataset}.channels.{turned}"
    )


def _rate_findings(sheet: str, recordings: list[CheckedRecording]) -> Iterator[str]:
    """Whether files that tell their sampling rate tell the same."""
    rates = [(r.sampling_rate, r.name) for r in recordings if r.sampling_rate]
    (low, slow), (high, fast) = min(rates, default=(1, "")), max(rates, default=(1, ""))
    if not isclose(low, high, rel_tol=RATE_TOLERANCE):
        yield (
            f"{sheet}: {shown(slow)} has {low:g} rows a second, {shown(fast)} {high:g}. Expected "
            "one sampling rate in a dataset. Resample them, or make two datasets."
        )


def _sheet_findings(sheet: str, recordings: tuple[Recording, ...]) -> Iterator[str]:
    if all(recording.split == "test" for recording in recordings):
        yield (
            f"{sheet}: every recording has split test. Components are fitted on recordings of "
            "split train; give one to at least one recording."
        )
