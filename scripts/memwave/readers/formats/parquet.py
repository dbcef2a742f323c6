"""Apache Parquet tables: one column a channel."""

import os
from collections.abc import Iterator
from typing import Any

from memwave.core.messages import printable
from memwave.readers.base import Options
from memwave.readers.shared.arrow_columns import (
    TypedColumns,
    arrow_module,
    column_values,
    texts_of,
    without_index,
)
from memwave.readers.shared.libraries import library
from memwave.readers.sources import Block, TableSource, Texts

NEEDS_DTYPE = False
LIBRARIES = ("pyarrow", "pyarrow.parquet")
# pyarrow, and a page of each column of a set packed, unpacked and as rows.
LIBRARY_MB = 120

# Bytes of the columns that are read together, in the largest row group: a page is read as a
# whole, and a column may be one page.
COLUMN_BYTES = 32_000_000
BATCH_ROWS = 16_384
# pyarrow's footer in memory takes 9 to 10 times its size in the file: it describes each column
# of each row group.
FOOTER_COPIES = 10

# Compressions that pyarrow has, but not by this name: none, and LZ4 as Hadoop wrote it.
UNNAMED = ("uncompressed", "unknown")


class Source(TableSource):
    """Columns of a Parquet file; a missing value is NaN."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        parquet = arrow_module("parquet", path)
        try:
            # Buffered, so that a column is not read as a whole.
            self._table = parquet.ParquetFile(
                self.file, buffer_size=1 << 20, page_checksum_verification=True
            )
        except (OSError, ValueError) as error:
            raise self.error(
                f"is not a whole Parquet file ({printable(error)}). Copy or save it again"
            ) from error
        schema = self._table.schema_arrow
        wanted = options.channels or without_index(schema)
        self._columns = self._choose(schema.names, wanted, texts=options.texts)
        self._typed = TypedColumns(path, schema, self._columns, texts=options.texts)
        if options.channels:
            self.require_numbers()
        self._describe((self._table.metadata.num_rows, len(self._columns)), self._typed.dtype)
        self._require_codecs()
        self._require_small_columns()

    def require_numbers(self) -> None:
        """Raise MemwaveError if a chosen column has no numbers."""
        self._typed.require_numbers(self)

    def text_channels(self) -> list[str]:
        """Return the chosen columns that have no numbers."""
        return self._typed.others

    def _require_codecs(self) -> None:
        """Require that pyarrow has the compression of the chosen columns."""
        arrow, metadata = library("pyarrow", self.path), self._table.metadata
        names = {self._table.schema_arrow.names[column] for column in self._columns}
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for leaf in map(group.column, range(group.num_columns)):
                name = leaf.path_in_schema
                codec = leaf.compression.lower()
                wanted = name in names or name.partition(".")[0] in names
                if wanted and codec not in UNNAMED and not _has_codec(arrow, codec):
                    raise self.error(
                        f"is compressed with {codec}, which pyarrow does not have here. Install "
                        "a pyarrow that has it, or write the file with zstd or snappy"
                    )

    def _bytes(self) -> list[int]:
        """Decompressed bytes of each chosen column in its largest row group.

        A nested column consists of several columns of the file.
        """
        metadata, names = self._table.metadata, self._table.schema_arrow.names
        most = dict.fromkeys((names[column] for column in self._columns), 0)
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            sizes = dict.fromkeys(most, 0)
            for leaf in map(group.column, range(group.num_columns)):
                name = leaf.path_in_schema
                name = name if name in sizes else name.partition(".")[0]
                if name in sizes:
                    sizes[name] += leaf.total_uncompressed_size
            most = {name: max(most[name], size) for name, size in sizes.items()}
        return [most[names[column]] for column in self._columns]

    def _require_small_columns(self) -> None:
        size = max(self._bytes())
        if size > COLUMN_BYTES:
            raise self.error(
                f"has row groups with {size:,} bytes a column, expected at most "
                f"{COLUMN_BYTES:,}. Write it with a smaller row_group_size"
            )

    def _sets(self) -> Iterator[slice]:
        """Sets of chosen columns that are read at once, as many as `COLUMN_BYTES` allows."""
        start, size = 0, 0
        for i, column in enumerate(self._bytes()):
            if size + column > COLUMN_BYTES:
                yield slice(start, i)
                start, size = i, 0
            size += column
        yield slice(start, len(self._columns))

    def _blocks(self) -> Iterator[Block]:
        self.require_numbers()
        for chosen in self._sets():
            row, names = 0, self._channel_labels()[chosen]
            for batch in self._batches(chosen):
                values = column_values(self, batch, self.dtype, row, names)
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
            for group in range(self._table.metadata.num_row_groups):
                # One by one: the library keeps memory for each group that it reads from.
                for batch in self._table.iter_batches(
                    BATCH_ROWS, [group], columns=wanted, use_threads=False
                ):
                    yield [batch[name] for name in wanted]
                    row += batch.num_rows
        except (OSError, ValueError) as error:
            raise self.error(
                f"row {row} or one soon after it cannot be read ({printable(error)}). "
                "Copy or save it again"
            ) from error

    def close(self) -> None:
        self._table.close()


def file_bytes(path: str) -> int:
    """Memory of the footer, which pyarrow loads as a whole; its size stands before its end."""
    if not os.path.isfile(path) or os.path.getsize(path) < 8:
        return 0
    with open(path, "rb") as file:
        file.seek(-8, os.SEEK_END)
        size = int.from_bytes(file.read(4), "little")
    return FOOTER_COPIES * min(size, os.path.getsize(path))


def _has_codec(arrow: Any, codec: str) -> bool:
    try:
        return arrow.Codec.is_available(codec)
    except ValueError:
        return False
