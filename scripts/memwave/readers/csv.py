"""Text tables, .csv and .tsv, with the names of the channels in the first line; also gzipped."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import printable
from memwave.readers.arrow_columns import arrow_module, column_values, texts_of
from memwave.readers.base import Piece, TableSource, Texts
from memwave.readers.row_counts import remembered_rows
from memwave.readers.text import LONGEST_LINE, UNREADABLE, delimiter_of, open_text

NEEDS_DTYPE = False
LIBRARIES = ("pyarrow", "pyarrow.csv")
# pyarrow with a block as text, as columns and as rows.
LIBRARY_MB = 60


class Source(TableSource):
    """Columns of a text table, as float64; an empty cell, NA or NaN is a missing value (NaN)."""

    def __init__(
        self, path: str, dtype: str | None, channels: Sequence[str] | None, *, texts: bool = False
    ):
        super().__init__(path)
        self._csv = arrow_module("csv", path)
        self._delimiter = ","
        try:
            self._delimiter = delimiter_of(self.file)
        except UNREADABLE as error:
            raise self._unreadable(error) from error
        self._blank_lines = False
        names = self._header()
        self._blank_lines = len(names) == 1  # one of them may be a missing value
        chosen = self._choose([name.strip() for name in names], channels)
        self._channels = [names[column] for column in chosen]
        rows = remembered_rows(self.file, self._count)
        self._describe((rows, len(self._channels)), np.dtype("f8"))

    def _header(self) -> list[str]:
        for batch in self._batches(None):
            try:
                names = list(batch.schema.names)
            except UnicodeDecodeError as error:
                raise self._unreadable(error) from error
            if all(map(_is_number, names)):
                raise self.error(
                    "has numbers in its first line, expected the names of the channels. "
                    "Add a line with a name for each column"
                )
            return names
        raise self.error("has no row below its first line, expected a line a row")

    def _count(self) -> int:
        return sum(batch.num_rows for batch in self._batches(self._channels[:1], "string"))

    def _pieces(self) -> Iterator[Piece]:
        row = 0
        for batch in self._batches(self._channels):
            values = column_values(batch.columns, self.dtype)
            yield slice(row, row + len(values)), slice(0, values.shape[1]), values
            row += len(values)

    def _texts(self) -> Iterator[Texts]:
        for batch in self._batches(self._channels, "string"):
            yield texts_of(batch.column(0))

    def _batches(self, columns: list[str] | None, kind: str = "float64") -> Iterator[Any]:
        """Parse the table block by block; all columns, as what they look like, or some as `kind`.

        Threads would read ahead, and would not know the numbers of lines in errors.
        """
        csv = self._csv
        reading = csv.ReadOptions(use_threads=False, block_size=LONGEST_LINE)
        parsing = csv.ParseOptions(
            delimiter=self._delimiter,
            newlines_in_values=True,
            ignore_empty_lines=not self._blank_lines,
        )
        conversion = csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns or (), kind),
            strings_can_be_null=True,
        )
        try:
            with open_text(self.file) as file:
                yield from csv.open_csv(file, reading, parsing, conversion)
        except (*UNREADABLE, ValueError, KeyError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> MemwaveError:
        reason = re.sub(r"Row #(\d+)", r"line \1", printable(error))
        separators = {",": "commas", ";": "semicolons", "\t": "tabs"}[self._delimiter]
        return self.error(
            f"cannot be read as a table ({reason}). Expected UTF-8 text: a line with names, then a "
            f"line a row with as many numbers, {separators} between them, a point for decimals"
        )

    def close(self) -> None:
        """Do nothing: the file is open during a pass only."""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
