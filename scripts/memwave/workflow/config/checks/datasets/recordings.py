"""Checks that the files of a dataset exist and match its sheet and configuration."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isclose
from os.path import dirname, exists, join, normpath

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.core.messages import listed, rate_text, shown
from memwave.readers import (
    DEFAULTS,
    Options,
    file_of,
    is_converted,
    open_source,
    options_of,
)
from memwave.recordings.channels.groups import channel_groups, group_rows
from memwave.recordings.resampling import LARGEST, Ratio, ratio_of, resampled_rows
from memwave.recordings.segments import ChannelGroup, file_name
from memwave.recordings.sheet.columns import Recording
from memwave.recordings.sheet.reading import read_sheet
from memwave.workflow import paths
from memwave.workflow.config.checks.datasets.labels import are_texts, check_labels, label_findings

# Rates differ if their relative difference is larger: files contain rounded rates.
RATE_TOLERANCE = 1e-6

# Recordings that a warning names.
MOST_NAMED = 3


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
    options, label_options : Options
        How these are read.
    notes : tuple of str
        What is odd about the file, or done to its values.
    units : tuple of (str, str)
        Channels and their units, as far as the file states them.
    groups : tuple of ChannelGroup
        Channels by their sampling rate, if they have several. `sampling_rate`, `resample` and
        `source_rows` are then those of the first channel.
    """

    rows: int
    source_rows: int
    resample: Ratio | None
    source: str
    label_source: str | None
    options: Options
    label_options: Options
    notes: tuple[str, ...]
    units: tuple[tuple[str, str], ...] = ()
    groups: tuple[ChannelGroup, ...] = ()

    @property
    def ratios(self) -> list[Ratio | None]:
        """Return the resampling ratios of its channels."""
        return [self.resample, *(group.resample for group in self.groups)]

    @property
    def converts_labels(self) -> bool:
        """Whether the labels are converted before they are read."""
        return self.labels != self.label_source


def checked_recordings(
    name: str, settings: dict, *, by_name: bool = False
) -> tuple[CheckedRecording, ...]:
    """Read the sheet of a dataset and the headers of all its files.

    Parameters
    ----------
    name : str
        Name of the dataset.
    settings : dict
        Its complete entry of the configuration.
    by_name : bool
        Whether names, and not numbers, tell converted recordings apart.

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
            facts = _facts(recording, name, settings)
        except MemwaveError as error:
            findings.append(f"{place}: {error}{_beside(sheet, recording)}")
        else:
            key = file_name(recording.name) if by_name else number
            checked.append(CheckedRecording(**facts | converted_places(name, recording, key)))
    findings += [*label_findings(sheet, recordings), *sheet_findings(sheet, recordings)]
    findings += same_names(sheet, recordings) if by_name else []
    if settings["sampling_rate"] is None:
        findings += _rate_findings(sheet, checked)
    if findings:
        raise ConfigurationError(findings)
    return tuple(checked)


def _beside(sheet: str, recording: Recording) -> str:
    """Which files of a recording lie in the folder of the sheet, where paths do not begin."""
    files = [file_of(path) for path in (recording.path, recording.labels) if path]
    found = [join(dirname(sheet), file) for file in files if not exists(file)]
    found = [file for file in found if exists(file)]
    return (
        f" There is {listed(found)}, in the folder of the sheet: write this path." if found else ""
    )


def converted_places(dataset: str, recording: Recording, key: int | str) -> dict[str, str]:
    """Where a recording, or a part of a matrix, and its labels are read, if they are converted."""
    found = {}
    if is_converted(recording.path):
        found["path"] = paths.CONVERTED_RECORDING.format(dataset=dataset, recording=key)
    if recording.labels is not None and are_texts(recording):
        labels = paths.CONVERTED_LABELS.format(dataset=dataset, recording=key)
        found["labels"] = f"{labels}::/label"
    return found


def _facts(recording: Recording, dataset: str, settings: dict) -> dict:
    """Return the attributes of `CheckedRecording` that the files of a recording determine."""
    options = _options(recording, settings)
    groups = _groups(recording, dataset, settings)
    own = settings
    if groups:
        options = replace(options, sampling_rate=groups[0].rate)
        own = {**settings, "channels": groups[0].channels}
    rows, rate, notes, units = _rows(recording, dataset, own, options)
    ratio = _ratio(rate, dataset, settings)
    labels = _label_options(recording, options)
    check_labels(recording, rows, rate, labels)
    planned = [
        resampled_rows(rows, ratio),
        *(group_rows(recording.path, group) for group in groups),
    ]
    facts = vars(recording) | {"source_rows": rows, "sampling_rate": rate}
    facts |= {"rows": min(planned), "resample": ratio, "groups": groups}
    facts |= {"source": recording.path, "label_source": recording.labels}
    facts |= {"notes": tuple(notes), "units": tuple(units.items())}
    return facts | {"options": options, "label_options": labels}


def _options(recording: Recording, settings: dict) -> Options:
    """Return how a recording is read: as the sheet says, or else its dataset."""
    given = {"skip_lines": recording.skip_lines, "header": recording.header}
    given = {name: value for name, value in given.items() if value is not None}
    rate = recording.sampling_rate or settings["sampling_rate"]
    return options_of(recording.path, {**settings, **given, "sampling_rate": rate})


def _groups(recording: Recording, dataset: str, settings: dict) -> tuple[ChannelGroup, ...]:
    """Return the channels by their rates, if they have several and are resampled to one."""
    if settings["resample"] == "none" or settings["sampling_rate"] is None:
        return ()
    groups = channel_groups(
        recording.path, settings["channels"], lambda rate: _ratio(rate, dataset, settings)
    )
    if groups and recording.sampling_rate is not None:
        raise MemwaveError(
            f"{recording.path} has channels of {len(groups)} sampling rates, the sheet gives "
            f"{rate_text(recording.sampling_rate)} for all. Empty the cell."
        )
    return groups


def _label_options(recording: Recording, options: Options) -> Options:
    """Return how labels are read: as the recording, if they are in the same file."""
    same = recording.labels is not None and file_of(recording.labels) == recording.path
    return options if same else DEFAULTS


def _rows(
    recording: Recording, dataset: str, settings: dict, options: Options
) -> tuple[int, float | None, list[str], dict[str, str]]:
    """Return the rows and the rate of a stored recording, remarks on its file, and its units."""
    channels = settings["channels"]
    with open_source(recording.path, recording.dtype, channels, options) as source:
        source.require_numbers()
        shape, rate, notes = source.shape, source.sampling_rate, list(source.notes)
        units = dict(source.units)
    expected = settings["sampling_rate"]
    given = recording.sampling_rate
    if rate and given and not _same(rate, given):
        notes.append(
            f"{recording.path} has {rate_text(rate)} rows per second, the sheet says "
            f"{rate_text(given)}, which is used"
        )
    rate = given or rate or expected
    if rate and expected and settings["resample"] == "none" and not _same(rate, expected):
        raise MemwaveError(
            f"{recording.path} has {rate_text(rate)} rows per second, expected "
            f"{rate_text(expected)} as in datasets.{dataset}.sampling_rate. If that number is "
            f"wrong, correct it to {rate_text(rate)}. If recordings have different rates, set "
            f"datasets.{dataset}.resample: polyphase, put this one into another dataset, or "
            "correct its rate in the column sampling_rate of the sheet."
        )
    if len(shape) == 2 and shape[1] == len(channels):
        same = rate and expected and _same(rate, expected)
        return shape[0], expected if same else rate, notes, units
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
            f"it has {rate_text(rate)} rows per second, datasets.{dataset}.sampling_rate is "
            f"{rate_text(wanted)}. Expected rates whose ratio is one of whole numbers up to "
            f"{LARGEST}. Give the exact rate in the column sampling_rate of the sheet, or choose "
            "another rate for the dataset."
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
            f"{sheet}: {shown(slow)} has {rate_text(low)} rows per second, {shown(fast)} has "
            f"{rate_text(high)}. Expected one sampling rate in a dataset. Set sampling_rate and "
            "resample: polyphase for the dataset, or make two datasets."
        )


def same_names(sheet: str, recordings: tuple[Recording, ...]) -> Iterator[str]:
    """Find recordings whose files would have the same names, on any file system."""
    first: dict[str, str] = {}
    for recording in recordings:
        other = first.setdefault(file_name(recording.name).casefold(), recording.name)
        if other != recording.name:
            yield (
                f"{sheet}: the recordings {shown(other)} and {shown(recording.name)} would have "
                "files of the same name. With shards: by-recording, names have to differ in more "
                "than capitals."
            )


def sheet_findings(sheet: str, recordings: tuple[Recording, ...]) -> Iterator[str]:
    """Whether there is anything to fit."""
    if all(recording.split == "test" for recording in recordings):
        yield (
            f"{sheet}: every recording has split test. Components are fitted on recordings of "
            "split train; give one to at least one recording."
        )


def same_files(dataset: str, recordings: tuple[CheckedRecording, ...]) -> Iterator[str]:
    """Find files that several recordings name, which is mostly a line copied and not changed."""
    first: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for recording in recordings:
        path = normpath(recording.source)
        if path in first:
            found.setdefault(path, [first[path]]).append(recording.name)
        first.setdefault(path, recording.name)
    for path, names in found.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield (
            f"{dataset}: the recordings {listed(map(shown, names[:MOST_NAMED]))}{more} are the "
            f"same file, {path}, which counts as often as it is named. Correct the path of the "
            "others."
        )
