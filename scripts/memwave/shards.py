"""Feature shards: plain .npy files, mapped one block of rows at a time.

A map lives as long as the array made of it; with the array go its pages and its addresses. So
neither resident memory nor address space grows with the file.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from memwave.errors import MemwaveError
from memwave.files import replacing, reserve

# Make pages that can be written to all at once: one fault each, instead of one to read and one to
# write. Linux 5.14 and newer; Python has no name for it yet.
MADV_POPULATE_WRITE = 23


class Shard:
    """Rows of a matrix in a C-ordered .npy file, mapped on demand.

    Parameters
    ----------
    path : path
        The file.
    writable : bool
        Whether `rows` may be written to; only `create_shard` asks for that.
    n_features : int, optional
        How many columns the file must have.

    Raises
    ------
    MemwaveError
        If the file is missing, cut short, no such .npy file, or not what was expected.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        writable: bool = False,
        n_features: int | None = None,
    ):
        self.path = Path(path)
        self._access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        self._populate = 0 if writable else getattr(mmap, "MAP_POPULATE", 0)
        try:
            self._file = open(path, "r+b" if writable else "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise MemwaveError(f"{path}: cannot be opened: {error.strerror}.") from error
        try:
            self.shape, self.dtype, self._offset = _read_header(self._file)
        except ValueError as error:
            self.close()
            raise self._broken(str(error)) from error
        self._row_bytes = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        size = os.fstat(self._file.fileno()).st_size
        if size != self._offset + self.shape[0] * self._row_bytes:
            self.close()
            raise self._broken(f"its header promises shape {self.shape}, it has {size:,} bytes")
        if n_features not in (None, self.shape[1]):
            self.close()
            raise self._broken(f"has {self.shape[1]} features a row, expected {n_features}")

    def _broken(self, what: str) -> MemwaveError:
        return MemwaveError(f"{self.path}: {what}. Delete the file and run again to remake it.")

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Map rows ``start:stop``; the map goes when the array goes."""
        if not 0 <= start < stop <= self.shape[0]:
            raise self._broken(f"has {self.shape[0]} rows, expected rows {start} to {stop - 1}")
        begin = self._offset + start * self._row_bytes
        aligned = begin - begin % mmap.ALLOCATIONGRANULARITY
        length = begin - aligned + (stop - start) * self._row_bytes
        pages = mmap.mmap(
            self._file.fileno(),
            length,
            mmap.MAP_SHARED | self._populate,
            self._access,
            offset=aligned,
        )
        if self._access & mmap.PROT_WRITE:
            with suppress(OSError):  # before Linux 5.14 pages come one by one, when touched
                pages.madvise(MADV_POPULATE_WRITE)
        flat = np.frombuffer(pages, self.dtype, offset=begin - aligned)
        return flat.reshape(stop - start, *self.shape[1:])

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask the kernel to fetch rows ``start:stop`` while we compute."""
        if hasattr(os, "posix_fadvise") and start < stop:
            begin = self._offset + start * self._row_bytes
            length = (stop - start) * self._row_bytes
            os.posix_fadvise(self._file.fileno(), begin, length, os.POSIX_FADV_WILLNEED)

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


@contextmanager
def create_shard(path: str | Path, shape: tuple[int, ...], dtype: str) -> Iterator[Shard]:
    """Create a .npy file of a known size to be filled through `Shard.rows`.

    The space is reserved first, and the file gets its name when it is complete and on the disk.

    Raises
    ------
    MemwaveError
        If the disk has too little space: says how much is needed and how much is free.
    """
    with replacing(path) as temporary:
        with open(temporary, "wb") as file:
            header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            size = file.tell() + int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
            file.flush()
            reserve(file.fileno(), size, path)
        with Shard(temporary, writable=True) as shard:
            yield shard


def _read_header(file) -> tuple[tuple[int, ...], np.dtype, int]:
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"has .npy format version {version}, expected (1, 0)")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran_order or dtype.kind != "f" or len(shape) != 2:
        raise ValueError(f"holds {dtype} {shape}, expected a C-ordered matrix of floats")
    return shape, dtype, file.tell()
