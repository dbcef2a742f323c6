"""Apache Arrow tables in files, .arrow and .feather (version 2): one column a channel."""

from collections.abc import Iterator
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.core.messages import printable
from memwave.core.ranges import spans
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
LIBRARIES = ("pyarrow", "pyarrow.ipc")
# Memory of pyarrow and of a decompressed record batch. An uncompressed one stays in the file.
LIBRARY_MB = 120

BATCH_ROWS = 16_384


class Source(TableSource):
    """Columns of an Arrow file; a missing value is NaN."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        ipc = arrow_module("ipc", path)
        arrow = library("pyarrow", path)
        try:
            self._map = arrow.memory_map(self.file)
            schema = ipc.open_file(self._map).schema
            wanted = options.channels or without_index(schema)
            self._columns = self._choose(schema.names, wanted, texts=options.texts)
            reading = ipc.IpcReadOptions(use_threads=False, included_fields=self._columns)
            self._table = ipc.open_file(self._map, options=reading)
            rows = self._table.count_rows()
        except (OSError, ValueError) as error:
            raise self.error(
                f"is not a whole Arrow file ({printable(error)}). Save it again, as an Arrow file "
                "(not a stream) or Feather version 2"
            ) from error
        self._typed = TypedColumns(path, schema, self._columns, texts=options.texts)
        if options.channels:
            self.require_numbers()
        self._describe((rows, len(self._columns)), self._typed.dtype)
        self._names = [schema.names[column] for column in self._columns]

    def require_numbers(self) -> None:
        """Raise MemwaveError if a chosen column has no numbers."""
        self._typed.require_numbers(self)

    def text_channels(self) -> list[str]:
        """Return the chosen columns that have no numbers."""
        return self._typed.others

    def _blocks(self) -> Iterator[Block]:
        self.require_numbers()
        row = 0
        for columns in self._batches():
            values = column_values(self, columns, self.dtype, row, self._names)
            yield slice(row, row + len(values)), slice(0, len(columns)), values
            row += len(values)

    def _texts(self) -> Iterator[Texts]:
        for (column,) in self._batches():
            yield texts_of(column.cast("string"))

    def _batches(self) -> Iterator[list[Any]]:
        row = 0
        for i in range(self._table.num_record_batches):
            try:
                batch = self._table.get_batch(i)
                batch.validate(full=True)
            except (OSError, ValueError) as error:
                raise self._unreadable(row, printable(error)) from error
            except MemoryError as error:
                raise self._unreadable(row, "its record batch is too large to unpack") from error
            columns = [batch.column(name) for name in self._names]
            for start, stop in spans(0, batch.num_rows, BATCH_ROWS):
                yield [column.slice(start, stop - start) for column in columns]
            row += batch.num_rows

    def _unreadable(self, row: int, reason: str) -> MemwaveError:
        return self.error(
            f"row {row} or one soon after it cannot be read ({reason}). Save it again, in record "
            "batches of some ten thousand rows"
        )

    def close(self) -> None:
        self._map.close()
