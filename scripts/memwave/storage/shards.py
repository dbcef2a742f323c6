"""Feature shards and converted recordings: plain .npy files with checksums of their rows.

The checksums are in ``<shard>.xxh3`` beside the shard: that of its header, then that of each chunk
of its rows. Rows are compared with them when they are read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from memwave.core.errors import DamagedFile
from memwave.core.ranges import spans
from memwave.storage.atomic import replacing
from memwave.storage.checksums import STORED, ChecksumWriter, damaged_chunk, rows_per_chunk
from memwave.storage.npy import MappedRows, create_matrix


def checksums_of(shard: str | Path) -> Path:
    """Path of the file with the checksums of a shard."""
    return Path(f"{shard}.xxh3")


class Shard:
    """Rows of a shard, mapped and checked on demand.

    Parameters
    ----------
    path : path
        The file.
    n_features : int, optional
        How many columns the file must have.

    Raises
    ------
    DamagedFile
        If the file is missing, truncated, no .npy file of a matrix, or has another width.
    """

    # Any row can be mapped for itself; see `memwave.storage.rows.Rows`.
    grain = 1

    def __init__(self, path: str | Path, *, n_features: int | None = None):
        self.path = Path(path)
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise self._broken(f"cannot be opened: {error.strerror}") from error
        try:
            self._mapped = MappedRows(self._file)
            self._checksums = self._open_checksums()
            if n_features not in (None, self.shape[1]):
                raise self._broken(f"has {self.shape[1]} features a row, expected {n_features}")
        except ValueError as error:
            self.close()
            raise self._broken(str(error)) from error
        except DamagedFile:
            self.close()
            raise

    @property
    def shape(self) -> tuple[int, int]:
        return self._mapped.shape

    @property
    def dtype(self) -> np.dtype:
        return self._mapped.dtype

    def _open_checksums(self) -> np.ndarray:
        self._chunk_rows = rows_per_chunk(self._mapped.row_bytes)
        expected = 1 - (-self.shape[0] // self._chunk_rows)
        path = checksums_of(self.path)
        try:
            # Mapped: anonymous memory must not grow with the number of rows.
            checksums = np.memmap(path, STORED, "r")
        except (OSError, ValueError) as error:
            raise self._broken(f"its checksums in {path} cannot be read ({error})") from error
        if len(checksums) != expected:
            raise self._broken(f"{path} has {len(checksums)} checksums, expected {expected}")
        header = memoryview(self._mapped.header())
        if damaged_chunk(header, len(header), checksums[:1]) is not None:
            raise self._broken("its header has changed since it was written (checksums differ)")
        return checksums

    def _broken(self, what: str) -> DamagedFile:
        return DamagedFile(self.path, what)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Map rows ``start:stop``; the map is freed with the array.

        Raises
        ------
        DamagedFile
            If the rows have changed; names the rows of the damaged chunk.
        """
        if not 0 <= start < stop <= self.shape[0]:
            raise self._broken(f"has {self.shape[0]} rows, expected rows {start} to {stop - 1}")
        size = self._chunk_rows
        first, last = start // size, -(-stop // size)
        low = first * size
        chunks = self._mapped.rows(low, min(last * size, self.shape[0]))
        damaged = damaged_chunk(
            chunks.data.cast("B"),
            size * self._mapped.row_bytes,
            self._checksums[1 + first : 1 + last],
        )
        if damaged is not None:
            low += damaged * size
            high = min(low + size, self.shape[0])
            raise self._broken(
                f"rows {low} to {high - 1} have changed since they were written (checksums differ)"
            )
        return chunks[start - low : stop - low]

    def columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Map columns of rows without a check; `rows` must have checked the rows before."""
        return self._mapped.rows(start, stop)[:, low:high]

    def read_ahead(self, start: int, stop: int) -> None:
        """Start reading rows ``start:stop`` into the page cache."""
        self._mapped.read_ahead(start, stop)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class ShardWriter:
    """Rows of a new shard, filled in order; made by `create_shard`."""

    def __init__(self, mapped: MappedRows, checksums: ChecksumWriter):
        self._mapped, self._checksums, self._done = mapped, checksums, 0
        checksums.update(memoryview(mapped.header()))
        checksums.end_chunk()

    @contextmanager
    def next_rows(self, count: int) -> Iterator[np.ndarray]:
        """Map the next `count` rows for writing; they count as written at the end of the block."""
        stop = self._done + count
        if stop > self._mapped.shape[0]:
            raise ValueError(f"{stop} of {self._mapped.shape[0]} rows cannot be written")
        rows = self._mapped.rows(self._done, stop)
        yield rows
        self._checksums.update(rows.data.cast("B"))
        self._done = stop

    def finish(self) -> None:
        """Require that all rows were written."""
        if self._done != self._mapped.shape[0]:
            raise ValueError(f"{self._done} of {self._mapped.shape[0]} rows were written")
        self._checksums.end_chunk()


@contextmanager
def create_shard(path: str | Path, shape: tuple[int, int], dtype: str) -> Iterator[ShardWriter]:
    """Create a shard of a known size and its checksums; the caller fills it in order.

    Raises
    ------
    MemwaveError
        If the disk has too little space; states the needed and the free space.
    """
    row_bytes = shape[1] * np.dtype(dtype).itemsize
    with (
        create_matrix(path, shape, dtype) as mapped,
        replacing(checksums_of(path)) as temporary,
        open(temporary, "wb") as file,
    ):
        writer = ShardWriter(mapped, ChecksumWriter(file, rows_per_chunk(row_bytes) * row_bytes))
        yield writer
        writer.finish()


@contextmanager
def create_unordered(path: str | Path, shape: tuple[int, int], dtype: str) -> Iterator[MappedRows]:
    """Create such a matrix; the caller fills it in any order. Its rows are read again at the end.

    Raises
    ------
    MemwaveError
        If the disk has too little space; states the needed and the free space.
    """
    row_bytes = shape[1] * np.dtype(dtype).itemsize
    rows = rows_per_chunk(row_bytes)
    with (
        create_matrix(path, shape, dtype) as mapped,
        replacing(checksums_of(path)) as temporary,
        open(temporary, "wb") as file,
    ):
        yield mapped
        checksums = ChecksumWriter(file, rows * row_bytes)
        checksums.update(memoryview(mapped.header()))
        checksums.end_chunk()
        for start, stop in spans(0, shape[0], rows):
            checksums.update(mapped.rows(start, stop).data.cast("B"))
        checksums.end_chunk()
