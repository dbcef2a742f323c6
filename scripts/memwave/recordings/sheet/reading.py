"""Reading a recordings sheet; all of its problems are reported at once."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from memwave.core.errors import ConfigurationError
from memwave.readers import own_annotations
from memwave.recordings.sheet.columns import Recording
from memwave.recordings.sheet.findings import (
    duplicate_findings,
    expected_columns,
    header_findings,
    rate_of,
    row_findings,
    separator_findings,
    unquoted,
)

# Bytes of a sheet, which is read as a whole.
MOST_BYTES = 200_000_000


def read_sheet(path: str) -> tuple[Recording, ...]:
    """Read a recordings sheet.

    Parameters
    ----------
    path : str
        A UTF-8 file with tabs between its columns (see `columns.COLUMNS`) and a header line.
        Cells may be in quotes.

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
        raise ConfigurationError(
            [f"{path}: is empty. Expected a header line with {expected_columns()}."]
        )
    lines = [(n, _split(line)) for n, line in written]
    header = lines[0][1]
    while header and not header[-1]:
        header.pop()
    findings = list(separator_findings(written[0][1])) or list(header_findings(header))
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
    found = [f"line {n}: {f}" for n, row in rows for f in row_findings(row, "split" in header)]
    found += duplicate_findings([(n, row.get("recording", "")) for n, row in rows])
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
    return [unquoted(cell.strip()) for cell in line.split("\t")]


def _cells(header: list[str], cells: list[str]) -> Iterator[tuple[str, str]]:
    yield from zip(header, cells, strict=False)


def _recording(row: dict[str, str]) -> Recording:
    return Recording(
        name=row["recording"],
        path=row["path"],
        dtype=row.get("dtype") or None,
        labels=own_annotations(row.get("labels", "")) or None,
        recording_label=row.get("recording_label") or None,
        split=row.get("split") or "train",
        sampling_rate=rate_of(row.get("sampling_rate", "")),
        skip_lines=int(row["skip_lines"]) if row.get("skip_lines") else None,
        header=row.get("header") or None,
    )
