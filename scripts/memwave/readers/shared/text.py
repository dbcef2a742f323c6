"""Text tables, plain or gzipped: their delimiter, and their lines and rows."""

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import count, islice
from threading import Lock
from typing import IO, Any

from memwave.readers.base import Options

# Errors of reading a gzipped text; a plain one raises OSError only.
UNREADABLE = (OSError, EOFError, zlib.error)

# No line may be longer.
LONGEST_LINE = 1_000_000

# Lines, with comments and those above a header, in which the number of columns shows.
LINES_LOOKED_AT = 50

# Bytes of lines that are looked at together.
PIECE_BYTES = 1 << 18

LINE_BREAK = re.compile("\r\n|\r|\n")

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
SIGNS = tuple(sign.encode() for sign in DELIMITERS)


class LongLine(OSError):
    """A line that is too long to be one of a table."""

    def __init__(self, number: int):
        super().__init__(f"line {number} has more than {LONGEST_LINE:,} characters")


def open_text(file: str) -> IO[bytes]:
    """Open a text for reading; decompress it if its name ends in .gz."""
    opened: Any = gzip.open if file.lower().endswith(".gz") else open
    return opened(file, "rb")


def open_table(file: str, options: Options) -> IO[bytes]:
    """Open a text without the lines before its table and without comments."""
    text = open_text(file)
    if options.skip_lines:
        # A byte is a letter of Latin-1. A line may end with a carriage return.
        lines = io.TextIOWrapper(text, "latin-1", newline="")
        above = islice(bounded_lines(lines), options.skip_lines)
        size = sum(map(len, above))
        lines.detach()
        text.seek(size)
    if options.comment is None:
        return text
    return io.BufferedReader(WithoutComments(text, options.comment.encode()), LONGEST_LINE)


def bounded_lines(text: io.TextIOBase) -> Iterator[str]:
    """Yield the lines of a text; raise LongLine at one that is longer than `LONGEST_LINE`."""
    for number in count(1):
        line = text.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
            raise LongLine(number)
        yield line


class Guarded:
    """A text that a library reads ahead of, in a thread of its own.

    Once it is closed, nothing is read any more: a thread that reads when the process ends would
    keep it from ending. A line that is longer than `LONGEST_LINE` is an error.
    """

    def __init__(self, text: IO[bytes]):
        self._text, self._lock = text, Lock()
        self._length, self._number = 0, 1
        self.closed = False

    def read(self, size: int) -> bytes:
        with self._lock:
            content = b"" if self.closed else self._text.read(size)
        end = content.rfind(b"\n") + 1 or content.rfind(b"\r") + 1
        if end:
            self._number += content.count(b"\n")
            self._length = 0
        self._length += len(content) - end
        if self._length > LONGEST_LINE:
            self.close()
            raise LongLine(self._number)
        return content

    def close(self) -> None:
        """Close it, as soon as no thread reads."""
        with self._lock:
            self.closed = True


class WithoutComments(io.RawIOBase):
    """A text without the lines that begin with a prefix, and without a byte order mark."""

    def __init__(self, text: IO[bytes], comment: bytes):
        self._text, self._comment = text, comment
        self._left = self._rest = b""  # what is to be returned, and a line that is not whole
        self._number, self._is_begun = 0, False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._left:
            block = self._text.read(PIECE_BYTES)
            if not block and not self._rest:
                return 0
            self._left = self._without(self._lines(block))
        size = min(len(target), len(self._left))
        target[:size], self._left = self._left[:size], self._left[size:]
        return size

    def _lines(self, block: bytes) -> bytes:
        """Whole lines of the text; its last one if there is no further block."""
        block, is_last = self._rest + block, not block
        if not self._is_begun:
            block, self._is_begun = block.removeprefix(codecs.BOM_UTF8), True
        # A carriage return at the end may be half of a line break.
        cut = len(block) if is_last else max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        self._rest = block[cut:]
        if len(self._rest) > LONGEST_LINE:
            raise LongLine(self._number + 1)
        return block[:cut]

    def _without(self, block: bytes) -> bytes:
        self._number += block.count(b"\n") or block.count(b"\r")
        if self._comment not in block:
            return block
        lines = block.splitlines(keepends=True)
        return b"".join(line for line in lines if not line.startswith(self._comment))

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
    """Return the delimiter of a table; see `delimiter_in`."""
    return delimiter_in(first_line(file, options), file, options)


def delimiter_in(line: bytes, file: str, options: Options) -> str:
    """Return the delimiter: tab in .tsv; else the most frequent one in the first line of a table.

    It may be a comma, a semicolon or, in .txt, a tab. A comma that is the decimal sign is no
    delimiter.
    """
    name = file.lower().removesuffix(".gz")
    if name.endswith(".tsv"):
        return "\t"
    known = [",", ";", *("\t" for _ in "t" if name.endswith(".txt"))]
    if options.decimal == ",":
        known = [";", "\t"]
    return max(known, key=lambda sign: line.count(sign.encode()))


def widest(file: str) -> int:
    """Return the most columns that a line may have, going by the signs in its first lines."""
    try:
        status = os.stat(file)
    except OSError:
        return 1
    return _widest(file, status.st_size, status.st_mtime_ns)


@lru_cache(100_000)
def _widest(file: str, size: int, time: int) -> int:
    """`widest`; a plan asks for it several times, and the file is read once in each state."""
    most = 0
    with suppress(*UNREADABLE), open_text(file) as text:
        for _ in range(LINES_LOOKED_AT):
            line = text.readline(LONGEST_LINE)
            most = max(most, *map(line.count, SIGNS))
    return most + 1


def count_lines(file: str, options: Options) -> tuple[int, int]:
    """Count the lines of a table, including its header: those with content, and blank ones."""
    full = blank = 0
    with open_table(file, options) as text:
        left = b""
        while block := text.read(LONGEST_LINE):
            block = left + block
            if len(block) > 2 * LONGEST_LINE:
                raise LongLine(full + blank + 1)
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
        size = 0

        def lines() -> Iterator[str]:
            nonlocal size
            for number, line in enumerate(bounded_lines(text), 1):
                comment = options.comment is not None and line.startswith(options.comment)
                if number > options.skip_lines and not comment:
                    places.append(number)
                    size += len(line)
                    if size > 2 * LONGEST_LINE:  # lines of cells in quotes are of one row
                        raise LongLine(number)
                    yield line

        for cells in csv.reader(lines(), delimiter=delimiter):
            if cells:
                yield places[0], places[-1], cells
            places.clear()
            size = 0


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
    """Index, from 1, of a line within the quoted cells of a row that looks like a row; else None.

    A line in which a cell of several lines begins or ends has few delimiters. The last line of a
    cell in the first column has as many as a row, so it counts only if the first line has, too.
    """
    counts = [0]
    for i, cell in enumerate(cells):
        first, *others = LINE_BREAK.split(cell)
        counts[-1] += first.count(delimiter) + (i > 0)
        counts += [line.count(delimiter) for line in others]
    is_row = [count >= columns - 1 for count in counts]
    if not is_row[0]:
        is_row[-1] = False
    return next((i for i, found in enumerate(is_row) if found and i), None)
