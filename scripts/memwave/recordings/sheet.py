"""The recordings sheet: the list of the recordings of a dataset."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.core.messages import did_you_mean, home_finding, listed, shown
from memwave.readers import holds_labels, holds_texts, own_annotations, reader_of
from memwave.recordings.labels.intervals import are_intervals

COLUMNS = {
    "recording": "Name of the recording, unique in the sheet, at most 200 characters.",
    "path": (
        "File with an array of rows x channels: `x.npy`, a raw binary file in C order (`.dat`, "
        "`.bin`, `.raw`, `.mmap`), `x.h5::/path/to/dataset`, or a file in another format of "
        "`docs/formats.md`. Relative paths start in the folder in which Snakemake runs."
    ),
    "labels": (
        "File with the labels of its rows. One whole number per row: `x.npy` or "
        "`x.h5::/path/to/dataset`. One text per row, in a column of a table: `x.csv::column`. "
        "Texts of intervals: a table `x.csv` or `x.tsv` with the columns start, stop and label, or "
        "EDF+ annotations, `x.edf`. Either all recordings have labels or none."
    ),
    "recording_label": "One label for all its rows, instead of `labels`.",
    "split": (
        "`train` or `test`. Components are fitted on the windows of `train`; all windows are "
        "projected. Without this column every recording is `train`."
    ),
    "dtype": (
        "Type of the values of a raw file, such as `float32`, or with a byte order `<i2`, `>f4`. "
        "Empty for other files: they contain their type."
    ),
    "sampling_rate": (
        "Rows per second, in Hz. Needed only if the file does not contain its exact rate and the "
        "rate differs from that of the dataset; see `resample` of the dataset. If the file "
        "contains another rate, this one is used, with a warning."
    ),
    "skip_lines": "Lines of a text file above its header, if not as in the dataset.",
    "header": "`none` if a text file has no line with names, `names` if it has one.",
}
REQUIRED = ("recording", "path")
LONGEST_NAME = 200

# Bytes of a sheet, which is read as a whole.
MOST_BYTES = 200_000_000

_DTYPE = re.compile(r"[<>=|]?([iu][1248]|f[248])|u?int(8|16|32|64)|float(16|32|64)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Recording:
    """One row of the sheet.

    Attributes
    ----------
    name : str
    path : str
        As in the sheet, in the syntax of `memwave.readers.open_array`.
    dtype : str or None
        Type of the values of a raw file.
    labels : str or None
        Path of the labels.
    recording_label : str or None
        Label of all rows.
    split : {"train", "test"}
    sampling_rate : float or None
        Rows per second, in Hz.
    skip_lines : int or None
    header : {"names", "none"} or None
        How a text file is read, if not as its dataset says.
    """

    name: str
    path: str
    dtype: str | None
    labels: str | None
    recording_label: str | None
    split: str
    sampling_rate: float | None = None
    skip_lines: int | None = None
    header: str | None = None


def read_sheet(path: str) -> tuple[Recording, ...]:
    """Read a recordings sheet.

    Parameters
    ----------
    path : str
        A UTF-8 file with tabs between its columns (see `COLUMNS`) and a header line. Cells may be
        in quotes.

    Returns
    -------
    tuple of Recording
        In the order of the sheet. The files of the recordings are not opened.

    Raises
    ------
    ConfigurationError
        Lists all problems of the sheet, with line numbers.
    """
    written = [(n, line) for n, line in enumerate(_lines(path), 1) if line.strip()]
    if not written:
        raise ConfigurationError([f"{path}: is empty. Expected a header line with {_columns()}."])
    lines = [(n, _split(line)) for n, line in written]
    header = lines[0][1]
    while header and not header[-1]:
        header.pop()
    findings = list(_separator_findings(written[0][1])) or list(_header_findings(header))
    if not findings and not lines[1:]:
        findings = ["has no recording. Add one line per recording below the header."]
    if findings:
        raise ConfigurationError([f"{path}: {finding}" for finding in findings])
    spaced = [n for n, cells in lines[1:] if len(cells) == 1 < len(header) and " " in cells[0]]
    if spaced:
        raise ConfigurationError(
            [f"{path}, line {n}: has spaces between its cells, expected tabs." for n in spaced]
        )
    rows = [(n, dict(_cells(header, cells))) for n, cells in lines[1:]]
    found = [f"line {n}: {f}" for n, row in rows for f in _row_findings(row, "split" in header)]
    found += _duplicates([(n, row.get("recording", "")) for n, row in rows])
    found += [
        f"line {n}: has {len(cells)} cells, expected {len(header)}. Remove the extra cells."
        for n, cells in lines[1:]
        if any(cells[len(header) :])
    ]
    if found:
        raise ConfigurationError([f"{path}, {finding}" for finding in found])
    return tuple(_recording(row) for _, row in rows)


def _lines(path: str) -> list[str]:
    if os.path.isfile(path) and os.path.getsize(path) > MOST_BYTES:
        message = f"{path}: is larger than {MOST_BYTES:,} bytes. Expected a sheet of recordings."
        raise ConfigurationError([message])
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{path}: the recordings sheet cannot be read ({reason}). Check the path."
        raise ConfigurationError([message]) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}, line {line}: {_not_utf8(content)}"
        raise ConfigurationError([message]) from error
    return re.split(r"\r\n|\r|\n", text)


def _not_utf8(content: bytes) -> str:
    """What a sheet is that is not UTF-8 text."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return (
            "is a workbook, or a compressed file, expected a text with tabs. In the spreadsheet, "
            "save the table as text with tabs."
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is text in UTF-16, expected UTF-8. Save the sheet as UTF-8."
    return "is not UTF-8 text. Save the sheet as UTF-8."


def _split(line: str) -> list[str]:
    """Cells of a line; quotes around a cell, as spreadsheets put them, are taken off."""
    return [_unquoted(cell.strip()) for cell in line.split("\t")]


def _unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"').strip() if quoted else cell


def _columns() -> str:
    optional = listed(name for name in COLUMNS if name not in REQUIRED)
    return f"the columns {listed(REQUIRED)} and, if needed, {optional}, with tabs between them"


def _separator_findings(header: str) -> Iterator[str]:
    """Whether the columns have another delimiter than tabs."""
    for sign, name in ((",", "commas"), (";", "semicolons"), (None, "spaces")):
        names = [_unquoted(cell.strip()) for cell in header.split(sign)]
        if "\t" not in header and set(REQUIRED) <= set(names):
            yield f"has {name} between its columns, expected tabs. Replace the {name} by tabs."
            return


def _header_findings(header: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(name for name in header if name not in COLUMNS):
        hint = did_you_mean(name, COLUMNS)
        yield f"unknown column {shown(name)}.{hint} Expected {_columns()}."
    for name in dict.fromkeys(name for name in header if header.count(name) > 1):
        yield f"the column {shown(name)} appears more than once. Keep one."
    written = {name.lower() for name in header}  # capitals have their own finding
    for name in (name for name in REQUIRED if name not in written):
        yield f"the column {shown(name)} is missing. Expected {_columns()}."


def _cells(header: list[str], cells: list[str]) -> Iterator[tuple[str, str]]:
    yield from zip(header, cells, strict=False)


def _row_findings(row: dict[str, str], has_split: bool) -> Iterator[str]:
    name, path = row.get("recording", ""), row.get("path", "")
    if not 0 < len(name) <= LONGEST_NAME:
        yield f"the recording has a name of {len(name)} characters, expected 1 to {LONGEST_NAME}."
    for column in (column for column, cell in row.items() if _CONTROL.search(cell)):
        yield f"{column} {shown(row[column])} holds a control character. Remove it."
    if has_split and row.get("split") not in ("train", "test"):
        split = row.get("split", "")
        hint = did_you_mean(split, ("train", "test"))
        yield f"{shown(name)} has split {shown(split)}, expected train or test.{hint}"
    if not path:
        yield f"{shown(name)} has no path. Name the file of the recording."
    else:
        yield from _format_findings(name, path, row.get("dtype", ""))
    for column in ("path", "labels"):
        if row.get(column, "").startswith("~"):
            yield f"{shown(name)}: {home_finding(row[column])}"
    yield from _option_findings(name, row)
    if row.get("labels"):
        yield from _label_findings(row["labels"])
        if row.get("recording_label"):
            yield (f"{shown(name)} has both labels and a recording_label. Expected one of them.")


def _option_findings(name: str, row: dict[str, str]) -> Iterator[str]:
    """Find invalid values of optional columns."""
    if row.get("sampling_rate") and not _rate(row["sampling_rate"]):
        yield (
            f"{shown(name)} has sampling_rate {shown(row['sampling_rate'])}, expected a number of "
            "rows per second, such as 250 or 0.5."
        )
    if row.get("skip_lines") and not row["skip_lines"].isdecimal():
        yield (
            f"{shown(name)} has skip_lines {shown(row['skip_lines'])}, expected a number of lines."
        )
    if row.get("header") and row["header"] not in ("names", "none"):
        yield f"{shown(name)} has header {shown(row['header'])}, expected names or none."


def _format_findings(name: str, path: str, dtype: str) -> Iterator[str]:
    try:
        raw = reader_of(path).NEEDS_DTYPE
    except MemwaveError as error:
        yield str(error)
        return
    if raw and not dtype:
        yield (
            f"{shown(name)} has no dtype, but {path} is a raw file, which does not contain its "
            "type. Add a column dtype, with for example float32."
        )
    if raw and dtype and not _DTYPE.fullmatch(dtype):
        yield (
            f"{shown(name)} has dtype {shown(dtype)}, expected an integer or float type such as "
            "int16, float32, <i2 or >f4."
        )
    if dtype and not raw:
        yield (
            f"{shown(name)} has dtype {shown(dtype)}, but {path} contains its type. Empty the cell."
        )


def _label_findings(labels: str) -> Iterator[str]:
    try:
        usable = are_intervals(labels) or holds_texts(labels) or holds_labels(labels)
    except MemwaveError as error:
        yield str(error)
        return
    if not usable:
        yield (
            f"the labels {labels} cannot be read as labels. Expected x.npy or "
            "x.h5::/path/to/dataset (a number per row), x.csv::column (a text per row), or "
            "intervals in x.csv, x.tsv or x.edf."
        )


def _duplicates(names: list[tuple[int, str]]) -> Iterator[str]:
    first: dict[str, int] = {}
    for line, name in names:
        if name and name in first:
            yield (
                f"line {line}: the recording {shown(name)} is in line {first[name]} already. "
                "Give each recording its own name."
            )
        first.setdefault(name, line)


def _rate(cell: str) -> float | None:
    """Return the sampling rate in a cell; None if the cell is not a valid rate."""
    try:
        rate = float(cell)
    except ValueError:
        return None
    return rate if 0 < rate < inf else None


def _recording(row: dict[str, str]) -> Recording:
    return Recording(
        name=row["recording"],
        path=row["path"],
        dtype=row.get("dtype") or None,
        labels=own_annotations(row.get("labels", "")) or None,
        recording_label=row.get("recording_label") or None,
        split=row.get("split") or "train",
        sampling_rate=_rate(row.get("sampling_rate", "")),
        skip_lines=int(row["skip_lines"]) if row.get("skip_lines") else None,
        header=row.get("header") or None,
    )
