"""Matrices in plain .npy files, mapped one range of rows at a time.

A map exists as long as the array that views it. Its pages and addresses are freed with the array.
So neither resident memory nor address space grows with the file.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from memwave.storage.atomic import not_written, replacing, reserve

# Prepares all pages of a map for writing at once. Each page then costs one page fault instead of
# two. Linux 5.14 and newer; Python has no name for it yet.
MADV_POPULATE_WRITE = 23

# Rows to read are mapped from one multiple of this size to another. A huge page of the page cache
# that is mapped whole takes one page table entry instead of 512. Pages that are not read cost only
# addresses.
HUGE_PAGE = 2_097_152


class MappedRows:
    """Rows of a C-ordered matrix of floats in an open .npy file.

    Parameters
    ----------
    file : binary file
        Positioned at its first byte; stays open as long as this object is used.
    writable : bool
        Whether rows may be written to.

    Raises
    ------
    ValueError
        If the file is no .npy file of such a matrix, or its size contradicts its header.
    """

    def __init__(self, file: BinaryIO, *, writable: bool = False):
        self._file, self._writable = file, writable
        self.shape, self.dtype = read_header(file)
        self.offset = file.tell()
        self.row_bytes = self.shape[1] * self.dtype.itemsize
        self._size = os.fstat(file.fileno()).st_size
        if self._size != self.offset + self.shape[0] * self.row_bytes:
            raise ValueError(f"its header states shape {self.shape}, it has {self._size:,} bytes")

    def header(self) -> bytes:
        return os.pread(self._file.fileno(), self.offset, 0)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Map rows ``start:stop``; the map is freed with the array."""
        begin = self.offset + start * self.row_bytes
        end = self.offset + stop * self.row_bytes
        grain = mmap.ALLOCATIONGRANULARITY if self._writable else HUGE_PAGE
        first, last = begin - begin % grain, min(end + -end % grain, self._size)
        pages = mmap.mmap(
            self._file.fileno(),
            last - first,
            mmap.MAP_SHARED,
            mmap.PROT_READ | (mmap.PROT_WRITE if self._writable else 0),
            offset=first,
        )
        if self._writable:
            with suppress(OSError):  # before Linux 5.14 pages come one by one, when touched
                pages.madvise(MADV_POPULATE_WRITE)
        count = (stop - start) * self.shape[1]
        return np.frombuffer(pages, self.dtype, count, begin - first).reshape(-1, self.shape[1])

    def read_only(self) -> "MappedRows":
        """Return the same rows, which cannot be written to."""
        self._file.seek(0)
        return MappedRows(self._file)

    def read_ahead(self, start: int, stop: int) -> None:
        """Start reading rows ``start:stop`` into the page cache, unless they are there."""
        if hasattr(os, "posix_fadvise") and start < stop:
            begin = self.offset + start * self.row_bytes
            length = (stop - start) * self.row_bytes
            if not self._cached(begin + length - 1):
                os.posix_fadvise(self._file.fileno(), begin, length, os.POSIX_FADV_WILLNEED)

    def _cached(self, place: int) -> bool:
        """Whether a byte of the file is in the page cache; False if that is unknown."""
        if not hasattr(os, "RWF_NOWAIT"):
            return False
        try:
            return os.preadv(self._file.fileno(), [bytearray(1)], place, os.RWF_NOWAIT) == 1
        except OSError:  # the byte is not cached, or the file system has no such call
            return False


@contextmanager
def create_matrix(path: str | Path, shape: tuple[int, int], dtype: str) -> Iterator[MappedRows]:
    """Create a .npy file of a known size; the caller fills it through `MappedRows.rows`.

    The space is reserved first. The file gets its name when it is complete and on the disk.

    Raises
    ------
    MemwaveError
        If the disk has too little space; states the needed and the free space.
    """
    with replacing(path) as temporary, open(temporary, "w+b", buffering=0) as file:
        yield _begun(file, shape, dtype, path)


@contextmanager
def temporary_matrix(shape: tuple[int, int], dtype: str) -> Iterator[MappedRows]:
    """Create a .npy file without a name in the folder for temporary files, as `create_matrix` does.

    It is gone when the context ends, or the process, even if that is killed.
    """
    place = Path(tempfile.gettempdir()) / "memwave.npy"  # for errors
    try:
        made = tempfile.TemporaryFile(buffering=0, dir=place.parent)  # noqa: SIM115
    except OSError as error:
        raise not_written(place, error) from error
    with made as file:
        yield _begun(file, shape, dtype, place)


def _begun(file: BinaryIO, shape: tuple[int, int], dtype: str, path: str | Path) -> MappedRows:
    """Write the header of a matrix, and reserve the space for its rows."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    reserve(file.fileno(), file.tell() + shape[0] * shape[1] * np.dtype(dtype).itemsize, path)
    file.seek(0)
    return MappedRows(file, writable=True)


def read_header(file: BinaryIO) -> tuple[tuple[int, int], np.dtype]:
    """Shape and dtype of a matrix; raises ValueError where the file holds none."""
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"has .npy format version {version}, expected (1, 0)")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran_order or dtype.kind != "f" or len(shape) != 2:
        raise ValueError(f"holds {dtype} {shape}, expected a C-ordered matrix of floats")
    return shape, dtype
