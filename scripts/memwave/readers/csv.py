"""Text tables, .csv and .tsv, with the names of the channels in the first line; also gzipped."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np

from memwave.errors import MemwaveError
from memwave.readers._arrow import arrow_module
from memwave.readers._rows import remembered_rows
from memwave.readers._source import Piece, StreamSource
from memwave.words import printable

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
NEEDS_DTYPE = False
LIBRARIES = ("pyarrow", "pyarrow.csv")
# pyarrow with a block as text, as columns and as rows.
LIBRARY_MB = 60

# Bytes of text that are parsed at once; no line may be longer.
BLOCK_BYTES = 1_000_000


class Source(StreamSource):
    """Columns of a text table, as float64; an empty cell, NA or NaN is a missing value (NaN)."""

    def __init__(self, path: str, dtype: str | None, channels: Sequence[str] | None):
        super().__init__(path)
        if self.file != path:
            raise self.error("a text table is one array, expected no '::' after it")
        self._csv = arrow_module("csv", path)
        self._delimiter = self._find_delimiter()
        self._blank_lines = False
        names = self._header()
        self._blank_lines = len(names) == 1  # one of them may be a missing value
        chosen = self._choose([name.strip() for name in names], channels)
        self._channels = [names[column] for column in chosen]
        rows = remembered_rows(self.file, self._count)
        self._describe((rows, len(self._channels)), np.dtype("f8"))

    def _find_delimiter(self) -> str:
        """Tab in .tsv; in .csv what the first line has more of, comma or semicolon."""
        if ".tsv" in self.file.lower()[-7:]:
            return "\t"
        try:
            with self._open() as file:
                line = file.readline(BLOCK_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise self._unreadable(error) from error
        return ";" if line.count(b";") > line.count(b",") else ","

    def _header(self) -> list[str]:
        for batch in self._batches(None):
            if all(map(_is_number, batch.schema.names)):
                raise self.error(
                    "has numbers in its first line, expected the names of the channels. "
                    "Add a line with a name for each column"
                )
            return list(batch.schema.names)
        raise self.error("has no row below its first line, expected a line a row")

    def _count(self) -> int:
        return sum(batch.num_rows for batch in self._batches(self._channels[:1], "string"))

    def _pieces(self) -> Iterator[Piece]:
        row, width = 0, len(self._channels)
        for batch in self._batches(self._channels):
            values = np.empty((batch.num_rows, width))
            for i in range(width):
                values[:, i] = batch.column(i).to_numpy(zero_copy_only=False)
            yield slice(row, row + len(values)), slice(0, width), values
            row += len(values)

    def _batches(self, columns: list[str] | None, kind: str = "float64") -> Iterator[Any]:
        """Parse the table block by block; all columns, as what they look like, or some as `kind`.

        Threads would read ahead, and would not know the numbers of lines in errors.
        """
        csv = self._csv
        convert = csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns or (), kind)
        )
        try:
            with self._open() as file:
                yield from csv.open_csv(
                    file,
                    csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
                    csv.ParseOptions(
                        delimiter=self._delimiter,
                        newlines_in_values=True,
                        ignore_empty_lines=not self._blank_lines,
                    ),
                    convert,
                )
        except (OSError, EOFError, ValueError, KeyError, zlib.error) as error:
            raise self._unreadable(error) from error

    def _open(self) -> IO[bytes]:
        opened: Any = gzip.open if self.file.lower().endswith(".gz") else open
        return opened(self.file, "rb")

    def _unreadable(self, error: Exception) -> MemwaveError:
        reason = re.sub(r"Row #(\d+)", r"line \1", printable(error))
        return self.error(
            f"cannot be read as a table ({reason}). Expected UTF-8 text: a line with names, then a "
            f"line a row with as many numbers, {self._separated()} between them, a point for "
            "decimals"
        )

    def _separated(self) -> str:
        delimiter = getattr(self, "_delimiter", ",")
        return {",": "commas", ";": "semicolons", "\t": "tabs"}[delimiter]

    def close(self) -> None:
        """Do nothing: the file is open during a pass only."""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
