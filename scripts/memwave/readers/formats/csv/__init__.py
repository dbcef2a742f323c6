"""Text tables, .csv, .tsv and .txt, also gzipped: named columns, or columns without a header."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import printable, shown
from memwave.readers.base import Options, file_of
from memwave.readers.formats.csv.header import given_names, require_names
from memwave.readers.formats.csv.plain import plain_table
from memwave.readers.formats.csv.remarks import (
    another_kind,
    comment_lines,
    expected_table,
    other_delimiter,
)
from memwave.readers.shared.arrow_columns import arrow_module, column_values, texts_of
from memwave.readers.shared.exact import MOST_INTEGER, too_large
from memwave.readers.shared.row_counts import remembered_rows
from memwave.readers.shared.text import (
    LONGEST_LINE,
    UNREADABLE,
    Guarded,
    count_lines,
    delimiter_of,
    first_line,
    open_table,
    open_text,
    records,
    swallowed_line,
    widest,
)
from memwave.readers.sources import Block, TableSource, Texts

NEEDS_DTYPE = False
LIBRARIES = ("pyarrow", "pyarrow.csv")
# Memory of pyarrow, and of a block as text, as columns and as rows.
LIBRARY_MB = 60

# Memory of a column while pyarrow reads a table, measured with 10 000 to 90 000 columns.
COLUMN_BYTES = 13_500

MOST_COLUMNS = 20_000

# Types, as pyarrow detects them, of columns that can be read as numbers: of one without values too.
NUMBERS = ("double", "int64", "null")

# Errors of a compressed text that is cut short, damaged, or followed by something else.
PACKED = (EOFError, gzip.BadGzipFile, zlib.error)

# A text that is an integer of as many digits as one that float64 may round.
INTEGER = re.compile(r"\s*[+-]?[0-9]{16,300}\s*")

# Bytes in which a text in UTF-16 or UTF-32 without such a mark has zeros.
BEGINNING = 1000


class Source(TableSource):
    """Columns of a text table, as float64; an empty cell, NA or NaN is a missing value (NaN)."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        self._arrow = arrow_module("csv", path)
        self._options, self._delimiter = options, ","
        self._blank_lines = False
        self._names: list[str] | None = None
        self._known_rows: int | None = None  # of a file that was parsed for its header
        self._columns: list[str] = []
        self._texts_first: set[str] = set()  # columns that begin with texts
        is_packed = self.file.lower().endswith(".gz")
        self._is_small = self.file_size < LONGEST_LINE and not is_packed
        try:
            plain = plain_table(self.file, options) if self._is_small else None
            if plain is None:
                self._require_text()
            self._delimiter = plain.delimiter if plain else delimiter_of(self.file, options)
            self._encoding = "utf-8" if plain else self._find_encoding()
        except UNREADABLE as error:
            raise self._unreadable(error) from error
        names = self._columns = plain.names if plain else self._header()
        if options.header == "names":
            require_names(self, names)
        self._blank_lines = len(names) == 1  # one of them may be a missing value
        try:
            chosen = self._choose(names, options.channels, texts=options.texts)
        except MemwaveError as error:
            line = first_line(self.file, options)
            remarks = other_delimiter(line, self._delimiter, len(names))
            remarks += comment_lines(line, options)
            raise MemwaveError(f"{error}{remarks}") from None
        self._channels = [names[column] for column in chosen]
        rows, remark = (plain.rows, "") if plain else self._rows()
        if remark:
            self.note(remark)
        self._describe((rows, len(self._channels)), np.dtype("f8"))

    def require_numbers(self) -> None:
        """Raise MemwaveError if a chosen column has text in the first megabyte."""
        if set(self._channels) & self._texts_first:
            next(self._batches(self._channels), None)

    def text_channels(self) -> set[str]:
        """Return the chosen columns that begin with texts."""
        return {name.strip() for name in self._channels if name in self._texts_first}

    def _require_text(self) -> None:
        """Raise MemwaveError if the first bytes are those of another kind of file."""
        with open_text(self.file) as text:
            other = another_kind(text.read(BEGINNING))
        if other:
            raise self.error(other)

    def _find_encoding(self) -> str:
        """UTF-8, or Latin-1 if the line with names is not UTF-8."""
        try:
            first_line(self.file, self._options).decode("utf-8")
        except UnicodeDecodeError:
            if self._options.header == "names":
                self.note("the line with its names is not UTF-8, taken for Latin-1")
            return "latin-1"
        return "utf-8"

    def _header(self) -> list[str]:
        """Names of all columns: those of the file, or those of the options."""
        found = self._width()
        if found > MOST_COLUMNS:
            raise self.error(
                f"has {found:,} columns, expected at most {MOST_COLUMNS:,} in a text. Convert it "
                "to .npy, with a row of the table as a row, or to Parquet"
            )
        if self._options.header != "names":
            if not found:
                raise self.error("has no row, expected a line a row")
            self._names = given_names(self, self._options, found)
            self._texts_first = set(self._names)  # may be: nobody has looked
            return self._names
        # A small file is parsed once, for its header and for the number of its rows.
        batches = list(islice(self._batches(None), 1 + self._is_small))
        for batch in batches[:1]:
            names = list(batch.schema.names)
            if self._is_small and len(batches) == 1 < len(names):
                self._known_rows = batch.num_rows
            self._texts_first = {
                name
                for name, kind in zip(names, batch.schema.types, strict=True)
                if str(kind) not in NUMBERS
            }
            return names
        raise self.error("has no row below its first line, expected a line a row")

    def _width(self) -> int:
        """Cells of the first row; 0 if there is none."""
        try:
            rows = records(self.file, self._options, self._delimiter)
            return max((len(cells) for _, _, cells in islice(rows, 1)), default=0)
        except (*UNREADABLE, csv.Error) as error:
            raise self._unreadable(error) from error

    def _rows(self) -> tuple[int, str]:
        """Rows, counted once, and a remark if lines are not rows."""
        return remembered_rows(self.file, self._count, repr(self._reading()))

    def _count(self) -> tuple[int, str]:
        """Count rows; if lines are not rows, return the reason or raise an error."""
        rows = self._known_rows
        if rows is None:
            rows = sum(batch.num_rows for batch in self._batches(self._channels[:1], "string"))
        full, blank = count_lines(self.file, self._options)
        lines = full + blank * self._blank_lines - (self._names is None)
        if rows == lines:
            return rows, ""
        place = swallowed_line(self.file, self._options, self._delimiter)
        if place is not None:
            raise self.error(
                f"has {lines} lines below its header, but {rows} rows: a quote that opens in "
                f"line {place[0]} takes in line {place[1]}, which looks like a row. Close the "
                "quote, or remove it"
            )
        return rows, f"{lines} lines below its header are {rows} rows: quoted cells have lines"

    def _blocks(self) -> Iterator[Block]:
        row, names = 0, self._channels
        large: set[int] = set()
        for batch in self._batches(names):
            values = column_values(self, batch.columns, self.dtype, row, names)
            large.update(np.flatnonzero((np.abs(values) >= MOST_INTEGER).any(axis=0)).tolist())
            yield slice(row, row + len(values)), slice(0, values.shape[1]), values
            row += len(values)
        if large:
            self._require_exact_texts([names[column] for column in sorted(large)])

    def _require_exact_texts(self, names: list[str]) -> None:
        """Require that float64 represents the integers of columns: their texts are read again."""
        row = 0
        for batch in self._batches(names, "string"):
            for name, column in zip(names, batch.columns, strict=True):
                for place, text in enumerate(column.to_pylist()):
                    if text and INTEGER.fullmatch(text) and int(float(text)) != int(text):
                        raise self.error(too_large(int(text), row + place, name))
            row += batch.num_rows

    def _texts(self) -> Iterator[Texts]:
        for batch in self._batches(self._channels, "string"):
            yield texts_of(batch.column(0))

    def _reading(self) -> tuple:
        """Settings that determine which lines are rows."""
        options = self._options
        return self._delimiter, options.skip_lines, options.header != "names", options.comment

    def _batches(self, columns: list[str] | None, kind: str = "float64") -> Iterator[Any]:
        """Parse the table block by block: some columns as `kind`, or all with detected types.

        Without threads, since these read ahead and do not know the line of an error.
        """
        arrow = self._arrow
        reading = arrow.ReadOptions(
            use_threads=False,
            block_size=LONGEST_LINE,
            column_names=self._names,
            encoding=self._encoding,
        )
        parsing = arrow.ParseOptions(
            delimiter=self._delimiter,
            newlines_in_values=True,
            ignore_empty_lines=not self._blank_lines,
        )
        conversion = arrow.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns or (), kind),
            strings_can_be_null=True,
            decimal_point=self._options.decimal,
        )
        try:
            with open_table(self.file, self._options) as file, closing(Guarded(file)) as text:
                yield from arrow.open_csv(text, reading, parsing, conversion)
        except (*UNREADABLE, ValueError, KeyError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> MemwaveError:
        if isinstance(error, PACKED):
            return self.error(
                f"cannot be decompressed to its end ({printable(error)}). Copy it again, or "
                "compress it again"
            )
        reason = re.sub(r"Row #(\d+)", self._line, printable(error))
        reason = re.sub(r"In CSV column #(\d+)", self._column, reason)
        if "straddl" in reason:
            reason = f"a line has more than {LONGEST_LINE:,} characters"
        expected = expected_table(self._options, self._delimiter)
        remark = comment_lines(first_line(self.file, self._options), self._options)
        text = f"cannot be read as a table ({reason}). Expected {expected}{remark}"
        return self.error(text.removesuffix("."))

    def _column(self, match: re.Match) -> str:
        """The name of a column for its number from 0, where it is known."""
        number = int(match[1])
        known = number < len(self._columns)
        return f"column {shown(self._columns[number])}" if known else match[0]

    def _line(self, match: re.Match) -> str:
        """The line of the file for a row number of the library, which skips blank lines."""
        row = int(match[1])
        if self._blank_lines:
            return f"line {row + self._options.skip_lines}"
        found = islice(records(self.file, self._options, self._delimiter), row - 1, None)
        first = next((first for first, _, _ in found), row)
        return f"line {first}"

    def close(self) -> None:
        """Do nothing: the file is open during a pass only."""


def file_bytes(path: str) -> int:
    """Memory of the columns of a table while it is read."""
    return COLUMN_BYTES * min(widest(file_of(path)), MOST_COLUMNS)
