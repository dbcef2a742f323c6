"""Tables of nothing but names and plain numbers: what opening them tells, without parsing them.

A parser takes half a millisecond to start. A plan of thousands of small files would wait for it.
"""

import re
from functools import cache
from typing import NamedTuple

from memwave.readers.base import Options
from memwave.readers.shared.text import delimiter_in, open_text

# Missing values, and numbers of few digits: all parsers agree on them.
MISSING = "(?:NaN|nan|NA)?"
NUMBER = r"-?[0-9]{{1,18}}(?:{sign}[0-9]{{1,18}})?(?:[eE][+-]?[0-9]{{1,2}})?"


class PlainTable(NamedTuple):
    """A table with a name for each column, and with a number or a missing value in each cell."""

    delimiter: str
    names: list[str]
    rows: int


def plain_table(file: str, options: Options) -> PlainTable | None:
    """Look at a table of several columns, of which each line is a row.

    Parameters
    ----------
    file : str
        Not compressed. It is read as a whole.
    options : Options

    Returns
    -------
    PlainTable or None
        None if anything else is in the file: it may be a table all the same.
    """
    if options.header != "names" or options.skip_lines or options.comment is not None:
        return None
    with open_text(file) as text:
        line, body = text.readline(), text.read()
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    delimiter = delimiter_in(line, file, options)
    try:
        names = line.decode("utf-8").split(delimiter)
    except UnicodeDecodeError:
        return None
    if len(names) == 1 or '"' in line.decode() or not all(map(str.isprintable, names)):
        return None
    if not _rows(len(names), delimiter, options.decimal).fullmatch(body):
        return None
    return PlainTable(delimiter, names, body.count(b"\n") + (not body.endswith(b"\n")))


@cache
def _rows(columns: int, delimiter: str, decimal: str) -> re.Pattern[bytes]:
    """One or more lines of so many numbers."""
    cell = f"(?:{NUMBER.format(sign=re.escape(decimal))}|{MISSING})"
    row = f"{cell}(?:{delimiter}{cell}){{{columns - 1}}}"
    # Possessive: after a line that does not match, none of those before is tried again.
    return re.compile(rf"(?:{row}(?:\r?\n|\Z))++".encode())
