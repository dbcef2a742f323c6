"""Matrices in plain .npy files, mapped one stretch of rows at a time.

A map lives as long as the array made of it; with the array go its pages and its addresses. So
neither resident memory nor address space grows with the file.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from memwave.storage.atomic import replacing, reserve

# Make pages that can be written to all at once: one fault each, instead of one to read and one to
# write. Linux 5.14 and newer; Python has no name for it yet.
MADV_POPULATE_WRITE = 23

# Rows to be read are mapped from one multiple of this to another: a huge page of the page cache
# that is mapped whole costs one entry instead of 512. What is not touched costs addresses only.
HUGE_PAGE = 2_097_152


class MappedRows:
    """Rows of a C-ordered matrix of floats in an open .npy file.

    Parameters
    ----------
    file : binary file
        At its beginning; stays open as long as this is used.
    writable : bool
        Whether rows may be written to.

    Raises
    ------
    ValueError
        If the file is no such .npy file, or its size is not what its header says.
    """

    def __init__(self, file: BinaryIO, *, writable: bool = False):
        self._file, self._writable = file, writable
        self.shape, self.dtype = read_header(file)
        self.offset = file.tell()
        self.row_bytes = self.shape[1] * self.dtype.itemsize
        self._size = os.fstat(file.fileno()).st_size
        if self._size != self.offset + self.shape[0] * self.row_bytes:
            raise ValueError(f"its header promises shape {self.shape}, it has {self._size:,} bytes")

    def header(self) -> bytes:
        return os.pread(self._file.fileno(), self.offset, 0)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Map rows ``start:stop``; the map goes when the array goes."""
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

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask the kernel to fetch rows ``start:stop`` while we compute, unless they are there."""
        if hasattr(os, "posix_fadvise") and start < stop:
            begin = self.offset + start * self.row_bytes
            length = (stop - start) * self.row_bytes
            if not self._cached(begin + length - 1):
                os.posix_fadvise(self._file.fileno(), begin, length, os.POSIX_FADV_WILLNEED)

    def _cached(self, place: int) -> bool:
        """Whether the page cache has a byte of the file, as far as the system tells."""
        if not hasattr(os, "RWF_NOWAIT"):
            return False
        try:
            return os.preadv(self._file.fileno(), [bytearray(1)], place, os.RWF_NOWAIT) == 1
        except OSError:  # it would have to wait, or the file system cannot tell
            return False


@contextmanager
def create_matrix(path: str | Path, shape: tuple[int, int], dtype: str) -> Iterator[MappedRows]:
    """Create a .npy file of a known size, to be filled through `MappedRows.rows`.

    The space is reserved first, and the file gets its name when it is complete and on the disk.

    Raises
    ------
    MemwaveError
        If the disk has too little space: says how much is needed and how much is free.
    """
    with replacing(path) as temporary, open(temporary, "w+b", buffering=0) as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        reserve(file.fileno(), file.tell() + shape[0] * shape[1] * np.dtype(dtype).itemsize, path)
        file.seek(0)
        yield MappedRows(file, writable=True)


def read_header(file: BinaryIO) -> tuple[tuple[int, int], np.dtype]:
    """Shape and dtype of a matrix; raises ValueError where the file holds none."""
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"has .npy format version {version}, expected (1, 0)")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran_order or dtype.kind != "f" or len(shape) != 2:
        raise ValueError(f"holds {dtype} {shape}, expected a C-ordered matrix of floats")
    return shape, dtype
