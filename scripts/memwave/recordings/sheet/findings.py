"""What is wrong with the header, or with a row, of a recordings sheet."""

import re
from collections.abc import Iterator
from math import inf

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, home_finding, listed, shown
from memwave.readers import holds_labels, holds_texts, reader_of
from memwave.recordings.labels.intervals import are_intervals
from memwave.recordings.sheet.columns import COLUMNS, REQUIRED

LONGEST_NAME = 200

_DTYPE = re.compile(r"[<>=|]?([iu][1248]|f[248])|u?int(8|16|32|64)|float(16|32|64)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def expected_columns() -> str:
    """Which columns a sheet has."""
    optional = listed(name for name in COLUMNS if name not in REQUIRED)
    return f"the columns {listed(REQUIRED)} and, if needed, {optional}, with tabs between them"


def separator_findings(header: str) -> Iterator[str]:
    """Whether the columns have another delimiter than tabs."""
    for sign, name in ((",", "commas"), (";", "semicolons"), (None, "spaces")):
        names = [unquoted(cell.strip()) for cell in header.split(sign)]
        if "\t" not in header and set(REQUIRED) <= set(names):
            yield f"has {name} between its columns, expected tabs. Replace the {name} by tabs."
            return


def header_findings(header: list[str]) -> Iterator[str]:
    """Find unknown, repeated and missing columns."""
    for name in dict.fromkeys(name for name in header if name not in COLUMNS):
        hint = did_you_mean(name, COLUMNS)
        yield f"unknown column {shown(name)}.{hint} Expected {expected_columns()}."
    for name in dict.fromkeys(name for name in header if header.count(name) > 1):
        yield f"the column {shown(name)} appears more than once. Keep one."
    written = {name.lower() for name in header}  # capitals have their own finding
    for name in (name for name in REQUIRED if name not in written):
        yield f"the column {shown(name)} is missing. Expected {expected_columns()}."


def row_findings(row: dict[str, str], has_split: bool) -> Iterator[str]:
    """Find invalid cells of a row, which is given by the names of the columns."""
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
    if row.get("sampling_rate") and not rate_of(row["sampling_rate"]):
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


def duplicate_findings(names: list[tuple[int, str]]) -> Iterator[str]:
    """Find names of recordings that appear again; with the numbers of their lines."""
    first: dict[str, int] = {}
    for line, name in names:
        if name and name in first:
            yield (
                f"line {line}: the recording {shown(name)} is in line {first[name]} already. "
                "Give each recording its own name."
            )
        first.setdefault(name, line)


def rate_of(cell: str) -> float | None:
    """Return the sampling rate in a cell; None if the cell is not a valid rate."""
    try:
        rate = float(cell)
    except ValueError:
        return None
    return rate if 0 < rate < inf else None


def unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"').strip() if quoted else cell
