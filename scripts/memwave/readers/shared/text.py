"""Text tables, plain or gzipped: their delimiter, and their lines and rows."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

from memwave.readers.base import Options

# Errors of reading a gzipped text; a plain one raises OSError only.
UNREADABLE = (OSError, EOFError, zlib.error)

# No line may be longer.
LONGEST_LINE = 1_000_000

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def open_text(file: str) -> IO[bytes]:
    """Open a text for reading; decompress it if its name ends in .gz."""
    opened: Any = gzip.open if file.lower().endswith(".gz") else open
    return opened(file, "rb")


def open_table(file: str, options: Options) -> IO[bytes]:
    """Open a text without the lines before its table and without comments."""
    text = open_text(file)
    if not (options.skip_lines or options.comment):
        return text
    for _ in range(options.skip_lines):
        text.readline(LONGEST_LINE)
    if options.comment is None:
        return text
    return io.BufferedReader(WithoutComments(text, options.comment.encode()), LONGEST_LINE)


class WithoutComments(io.RawIOBase):
    """A text without the lines that begin with a prefix."""

    def __init__(self, text: IO[bytes], comment: bytes):
        self._text, self._comment, self._left = text, comment, b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._left:
            lines = self._text.readlines(1 << 18)
            if not lines:
                return 0
            self._left = b"".join(line for line in lines if not line.startswith(self._comment))
        count = min(len(target), len(self._left))
        target[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        self._text.close()
        super().close()


def first_line(file: str, options: Options) -> bytes:
    """The first line of the table: its header, or its first row."""
    with open_table(file, options) as text:
        line = text.readline(LONGEST_LINE)
        while line and not line.strip():
            line = text.readline(LONGEST_LINE)
    return line


def delimiter_of(file: str, options: Options = Options()) -> str:  # noqa: B008 - it is frozen
    """Return the delimiter: tab in .tsv; else the most frequent one in the first line.

    It may be a comma, a semicolon or, in .txt, a tab. A comma that is the decimal sign is no
    delimiter.
    """
    name = file.lower().removesuffix(".gz")
    if name.endswith(".tsv"):
        return "\t"
    line = first_line(file, options)
    known = [",", ";", *("\t" for _ in "t" if name.endswith(".txt"))]
    if options.decimal == ",":
        known = [";", "\t"]
    return max(known, key=lambda sign: line.count(sign.encode()))


def count_lines(file: str, options: Options) -> tuple[int, int]:
    """Count the lines of a table, including its header: those with content, and blank ones."""
    full = blank = 0
    with open_table(file, options) as text:
        left = b""
        while block := text.read(LONGEST_LINE):
            block = left + block
            cut = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
            left = block[cut:]
            lines = block[:cut].splitlines()
            filled = sum(map(bool, lines))
            full, blank = full + filled, blank + len(lines) - filled
        rest = left.splitlines()
        filled = sum(map(bool, rest))
    return full + filled, blank + len(rest) - filled


def records(file: str, options: Options, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Rows of a table as parsed by Python's csv: first and last line in the file, and cells."""
    with open_text(file) as content:
        text = io.TextIOWrapper(content, "utf-8-sig", errors="replace", newline="")
        places: list[int] = []

        def lines() -> Iterator[str]:
            for number, line in enumerate(text, 1):
                comment = options.comment is not None and line.startswith(options.comment)
                if number > options.skip_lines and not comment:
                    places.append(number)
                    yield line

        for cells in csv.reader(lines(), delimiter=delimiter):
            if cells:
                yield places[0], places[-1], cells
            places.clear()


def swallowed_line(file: str, options: Options, delimiter: str) -> tuple[int, int] | None:
    """Find a quoted cell that contains a line that looks like a row.

    Returns
    -------
    (line, swallowed) : tuple of int
        The line in which the cell begins, and the first line in it; None if there is none.
    """
    columns = None
    for first, last, cells in records(file, options, delimiter):
        columns = columns or len(cells)
        inner = line_like_a_row(cells, delimiter, columns) if last > first else None
        if inner is not None:
            return first, first + inner
    return None


def line_like_a_row(cells: list[str], delimiter: str, columns: int) -> int | None:
    """Index of the line within the cells of a row that looks like a row, from 1; else None."""
    inner = chain.from_iterable(cell.splitlines()[1:] for cell in cells)
    taken = [line.count(delimiter) for line in inner]
    # The last of the lines ends its cell; the other cells of the row follow on the same line.
    long = [i for i, cell in enumerate(cells) if len(cell.splitlines()) > 1]
    behind = len(cells) - 1 - max(long, default=0)
    taken[-1:] = [count + behind for count in taken[-1:]]
    return next((i for i, count in enumerate(taken, 1) if count >= columns - 1), None)
