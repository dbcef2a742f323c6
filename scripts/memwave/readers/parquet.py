"""Apache Parquet tables: one column a channel."""

from collections.abc import Iterator, Sequence
from typing import Any

from memwave.core.messages import printable
from memwave.readers.arrow_columns import arrow_module, column_dtype, column_values, texts_of
from memwave.readers.base import Piece, TableSource, Texts

NEEDS_DTYPE = False
LIBRARIES = ("pyarrow", "pyarrow.parquet")
# pyarrow, and a page of each column of a set packed, unpacked and as rows.
LIBRARY_MB = 120

# Bytes of the columns that are read together, in the largest row group: a page is read as a
# whole, and a column may be one page.
COLUMN_BYTES = 32_000_000
BATCH_ROWS = 16_384


class Source(TableSource):
    """Columns of a Parquet file; a missing value is NaN."""

    def __init__(
        self, path: str, dtype: str | None, channels: Sequence[str] | None, *, texts: bool = False
    ):
        super().__init__(path)
        parquet = arrow_module("parquet", path)
        try:
            # Buffered, so that a column is read in small pieces and not as a whole.
            self._table = parquet.ParquetFile(
                self.file, buffer_size=1 << 20, page_checksum_verification=True
            )
        except (OSError, ValueError) as error:
            raise self.error(
                f"is not a whole Parquet file ({printable(error)}). Copy or save it again"
            ) from error
        self._columns = self._choose(self._table.schema_arrow.names, channels)
        self._describe(
            (self._table.metadata.num_rows, len(self._columns)),
            column_dtype(self, self._table.schema_arrow, self._columns, texts=texts),
        )
        self._require_small_columns()

    def _bytes(self) -> list[int]:
        """Unpacked bytes of each chosen column in its largest row group."""
        metadata = self._table.metadata
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        return [
            max(group.column(column).total_uncompressed_size for group in groups)
            for column in self._columns
        ]

    def _require_small_columns(self) -> None:
        size = max(self._bytes())
        if size > COLUMN_BYTES:
            raise self.error(
                f"has row groups with {size:,} bytes a column, expected at most "
                f"{COLUMN_BYTES:,}. Write it with a smaller row_group_size"
            )

    def _sets(self) -> Iterator[slice]:
        """Chosen columns, as many together as the memory allows."""
        start, size = 0, 0
        for i, column in enumerate(self._bytes()):
            if size + column > COLUMN_BYTES:
                yield slice(start, i)
                start, size = i, 0
            size += column
        yield slice(start, len(self._columns))

    def _pieces(self) -> Iterator[Piece]:
        for chosen in self._sets():
            row = 0
            for batch in self._batches(chosen):
                values = column_values(batch, self.dtype)
                yield slice(row, row + len(values)), chosen, values
                row += len(values)

    def _texts(self) -> Iterator[Texts]:
        for (column,) in self._batches(slice(0, 1)):
            yield texts_of(column.cast("string"))

    def _batches(self, chosen: slice) -> Iterator[list[Any]]:
        names = self._table.schema_arrow.names
        wanted = [names[column] for column in self._columns[chosen]]
        row = 0
        try:
            for batch in self._table.iter_batches(BATCH_ROWS, columns=wanted, use_threads=False):
                yield [batch[name] for name in wanted]
                row += batch.num_rows
        except (OSError, ValueError) as error:
            raise self.error(
                f"row {row} or one soon after it cannot be read ({printable(error)}). "
                "Copy or save it again"
            ) from error

    def close(self) -> None:
        self._table.close()
