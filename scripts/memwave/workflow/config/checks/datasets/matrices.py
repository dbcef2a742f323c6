"""Checks that the parts of a matrix exist and match."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.core.messages import shown
from memwave.features.columns import MatrixSpec
from memwave.readers import (
    DEFAULTS,
    ArraySource,
    Options,
    StreamSource,
    file_of,
    is_converted,
    library_bytes,
    options_of,
)
from memwave.readers.matrices.checks import require_same_names
from memwave.readers.matrices.converted import open_stream
from memwave.readers.matrices.files import open_file
from memwave.recordings.segments import file_name
from memwave.recordings.sheet.columns import Recording
from memwave.recordings.sheet.reading import read_sheet
from memwave.workflow.config.checks.datasets.labels import check_labels, label_findings
from memwave.workflow.config.checks.datasets.recordings import (
    CheckedRecording,
    converted_places,
    same_names,
    sheet_findings,
)

# Suffixes of sheets. A text file cannot be a matrix, since its rows cannot be read in any order.
SHEETS = (".tsv", ".txt")


@dataclass(frozen=True)
class CheckedMatrix:
    """A matrix whose files have been checked: its parts, as recordings with windows of one row."""

    parts: tuple[CheckedRecording, ...]
    spec: MatrixSpec


def checked_matrix(name: str, settings: dict, *, by_name: bool = False) -> CheckedMatrix:
    """Read the headers of all parts of a matrix.

    Parameters
    ----------
    name : str
        Name of the dataset.
    settings : dict
        Its entry of the configuration, complete.
    by_name : bool
        Whether names, and not numbers, tell converted labels apart.

    Raises
    ------
    ConfigurationError
        Lists everything that is wrong with the sheet or the files.
    """
    path = settings["matrix"]
    is_sheet = Path(file_of(path)).suffix.lower() in SHEETS
    parts = read_sheet(path) if is_sheet else (_only_part(settings),)
    place = path if is_sheet else f"datasets.{name}.matrix"
    checked: list[CheckedRecording] = []
    specs: list[MatrixSpec] = []
    findings: list[str] = []
    for number, part in enumerate(parts, 1):
        try:
            dtype = part.dtype or settings["dtype"]
            options = options_of(part.path, settings)
            spec, rows, notes = _shape(part, dtype, settings["columns"], options)
            check_labels(part, rows, None, DEFAULTS)
            _require_same(spec, specs[0] if specs else spec, part, parts[0])
        except MemwaveError as error:
            findings.append(
                f"{place}, part {shown(part.name)}: {error}" if is_sheet else f"{place}: {error}"
            )
            continue
        specs.append(spec)
        facts = asdict(part) | {"dtype": dtype, "source_rows": rows, "rows": rows, "resample": None}
        facts |= {"source": part.path, "label_source": part.labels, "notes": notes}
        facts |= {"options": options, "label_options": DEFAULTS}
        key = file_name(part.name) if by_name else number
        checked.append(CheckedRecording(**facts | converted_places(name, part, key)))
    findings += [*label_findings(place, parts), *sheet_findings(place, parts)]
    findings += same_names(place, parts) if by_name else []
    if findings:
        raise ConfigurationError(findings)
    grain = max(spec.grain for spec in specs)
    libraries = library_bytes(part.path for part in checked)
    return CheckedMatrix(tuple(checked), replace(specs[0], grain=grain, library_bytes=libraries))


def _only_part(settings: dict) -> Recording:
    path = settings["matrix"]
    return Recording(Path(file_of(path)).stem, path, settings["dtype"], None, None, "train")


def _shape(
    part: Recording, dtype: str | None, columns: int | None, options: Options
) -> tuple[MatrixSpec, int, tuple[str, ...]]:
    """Columns and number of rows of a part, and remarks on its file."""
    source: ArraySource | StreamSource
    if is_converted(part.path):
        source = open_stream(part.path, dtype, columns, options)
        names, grain = source.channel_names, 1
    else:
        source = open_file(part.path, dtype, columns, options)
        names, grain = source.column_names(), source.grain
    with source:
        rows, width = source.shape
        stored = source.dtype.newbyteorder("=").name
        spec = MatrixSpec(width, stored, tuple(names) if names else None, grain)
        return spec, rows, tuple(source.notes)


def _require_same(spec: MatrixSpec, first: MatrixSpec, part: Recording, other: Recording) -> None:
    for what, mine, theirs in (
        ("columns", spec.n_features, first.n_features),
        ("type", spec.dtype, first.dtype),
    ):
        if mine != theirs:
            raise MemwaveError(
                f"{part.path}: has {what} {shown(mine)}, expected {shown(theirs)} as {other.path} "
                "has: parts are stacked one below the other."
            )
    require_same_names(part.path, spec.names, other.path, first.names)
