"""Checks that the files of a dataset exist and match its sheet and configuration."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isclose

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.core.messages import shown
from memwave.readers import is_converted, open_source
from memwave.recordings.resampling import LARGEST, Ratio, ratio_of, resampled_rows
from memwave.recordings.sheet import Recording, read_sheet
from memwave.workflow import paths
from memwave.workflow.config.checks.labels import are_texts, check_labels, label_findings

# Rates differ if their relative difference is larger: files contain rounded rates.
RATE_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class CheckedRecording(Recording):
    """A recording whose files have been checked.

    `sampling_rate` is the rate of the stored rows, if it is known.

    Attributes
    ----------
    rows : int
        Number of rows at the rate of its dataset; see `Recording` for other attributes.
    source_rows : int
        Number of stored rows.
    resample : (up, down) or None
        Resampling ratio.
    source, label_source : str, str or None
        Paths in the sheet. `path` and `labels` differ from them if the files are converted.
    """

    rows: int
    source_rows: int
    resample: Ratio | None
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
        Its complete entry of the configuration.

    Raises
    ------
    ConfigurationError
        Lists all problems of the sheet or, if it has none, of the files.
    """
    sheet = settings["recordings"]
    recordings = read_sheet(sheet)
    findings: list[str] = []
    checked = []
    for number, recording in enumerate(recordings, 1):
        place = f"{sheet}, recording {shown(recording.name)}"
        try:
            rows, rate = _rows(recording, name, settings)
            ratio = _ratio(rate, name, settings)
            check_labels(recording, rows, rate)
        except MemwaveError as error:
            findings.append(f"{place}: {error}")
        else:
            facts = asdict(recording) | {"source_rows": rows, "sampling_rate": rate}
            facts |= {"rows": resampled_rows(rows, ratio), "resample": ratio}
            facts |= {"source": recording.path, "label_source": recording.labels}
            if is_converted(recording.path):
                facts["path"] = paths.CONVERTED_RECORDING.format(dataset=name, recording=number)
            if recording.labels is not None and are_texts(recording):
                labels = paths.CONVERTED_LABELS.format(dataset=name, recording=number)
                facts["labels"] = f"{labels}::/label"
            checked.append(CheckedRecording(**facts))
    findings += [*label_findings(sheet, recordings), *sheet_findings(sheet, recordings)]
    if settings["sampling_rate"] is None:
        findings += _rate_findings(sheet, checked)
    if findings:
        raise ConfigurationError(findings)
    return tuple(checked)


def _rows(recording: Recording, dataset: str, settings: dict) -> tuple[int, float | None]:
    """Return the number of rows and the sampling rate of a stored recording."""
    channels = settings["channels"]
    with open_source(recording.path, recording.dtype, channels) as source:
        shape, rate = source.shape, source.sampling_rate
    expected = settings["sampling_rate"]
    given = recording.sampling_rate
    if rate and given and not _same(rate, given):
        raise MemwaveError(
            f"{recording.path} has {rate:g} rows per second, but the sheet says {given:g}. Correct "
            "sampling_rate in the sheet, or empty the cell."
        )
    rate = given or rate or expected
    if rate and expected and settings["resample"] == "none" and not _same(rate, expected):
        raise MemwaveError(
            f"{recording.path} has {rate:g} rows per second, expected {expected:g} as in "
            f"datasets.{dataset}.sampling_rate. If that number is wrong, correct it to {rate:g}. "
            f"If recordings have different rates, set datasets.{dataset}.resample: polyphase, or "
            "put this one into another dataset."
        )
    if len(shape) == 2 and shape[1] == len(channels):
        return shape[0], expected if rate and expected and _same(rate, expected) else rate
    turned = " It looks transposed; save array.T." if shape[0] == len(channels) else ""
    columns = f"{shape[1]} columns" if len(shape) == 2 else "one dimension only"
    raise MemwaveError(
        f"{recording.path} has {columns} (shape {shape}), expected rows x {len(channels)}, one "
        f"column for each of datasets.{dataset}.channels.{turned}"
    )


def _ratio(rate: float | None, dataset: str, settings: dict) -> Ratio | None:
    """Return the resampling ratio for a recording with a given rate; None if none is needed."""
    wanted = settings["sampling_rate"]
    if settings["resample"] == "none" or not rate or not wanted or _same(rate, wanted):
        return None
    ratio = ratio_of(rate, wanted)
    if ratio is None:
        raise MemwaveError(
            f"it has {rate:.12g} rows per second, datasets.{dataset}.sampling_rate is "
            f"{wanted:.12g}. Expected rates whose ratio is one of whole numbers up to {LARGEST}. "
            "Give the exact rate in the column sampling_rate of the sheet, or choose another rate "
            "for the dataset."
        )
    return ratio


def _same(rate: float, other: float) -> bool:
    return isclose(rate, other, rel_tol=RATE_TOLERANCE)


def _rate_findings(sheet: str, recordings: list[CheckedRecording]) -> Iterator[str]:
    """Check that all known sampling rates of the recordings are equal."""
    rates = [(r.sampling_rate, r.name) for r in recordings if r.sampling_rate]
    (low, slow), (high, fast) = min(rates, default=(1, "")), max(rates, default=(1, ""))
    if not _same(low, high):
        yield (
            f"{sheet}: {shown(slow)} has {low:g} rows per second, {shown(fast)} has {high:g}. "
            "Expected one sampling rate in a dataset. Set sampling_rate and resample: polyphase "
            "for the dataset, or make two datasets."
        )


def sheet_findings(sheet: str, recordings: tuple[Recording, ...]) -> Iterator[str]:
    """Whether there is anything to fit."""
    if all(recording.split == "test" for recording in recordings):
        yield (
            f"{sheet}: every recording has split test. Components are fitted on recordings of "
            "split train; give one to at least one recording."
        )
