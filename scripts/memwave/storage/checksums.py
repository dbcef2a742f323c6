"""Checksums of files and of chunks of bytes: XXH3 of 64 bits, as fast as memory is read.

XXH3 (Y. Collet, https://xxhash.com) detects damage, not forgery: one in 2**64 damaged chunks is not
detected. The checksum is stored in three forms: 16 hexadecimal digits in text files
(`hex_checksum`), a line of text behind the last byte of an HDF5 file (`append_trailer`), and 8
bytes for each chunk beside a shard (`ChecksumWriter`), whose chunks are checked one by one.
"""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from xxhash import xxh3_64, xxh3_64_intdigest

from memwave.core.errors import DamagedFile

# Fits in the second-level cache, so that a chunk is still in the cache after its check. The
# checksum of a chunk has 8 bytes.
CHUNK_BYTES = 262_144

# Checksums in files: big-endian, as XXH3 writes its digests.
STORED = np.dtype(">u8")

# Behind the last byte of a file: the checksum of all bytes before.
TRAILER = b"memwave sealed: xxh3 %016x\n"
TRAILER_BYTES = len(TRAILER % 0)


def rows_per_chunk(row_bytes: int) -> int:
    """Whole rows of a chunk, at least one."""
    return max(1, CHUNK_BYTES // row_bytes)


class ChecksumWriter:
    """Writes the checksum of every chunk of a stream of bytes.

    Parameters
    ----------
    file : binary file
        8 bytes are written to it for each chunk.
    chunk_bytes : int
        Size of all chunks but the last.
    """

    def __init__(self, file: BinaryIO, chunk_bytes: int):
        self._file, self._chunk_bytes = file, chunk_bytes
        self._hash, self._filled = xxh3_64(), 0

    def update(self, data: memoryview) -> None:
        """Add the next bytes, of any number."""
        done = 0
        while done < len(data):
            taken = data[done : done + self._chunk_bytes - self._filled]
            self._hash.update(taken)
            self._filled += len(taken)
            done += len(taken)
            if self._filled == self._chunk_bytes:
                self.end_chunk()

    def end_chunk(self) -> None:
        """Write the checksum of the bytes since the last chunk, if there are any."""
        if self._filled:
            self._file.write(self._hash.digest())
            self._hash.reset()
            self._filled = 0


def damaged_chunk(data: memoryview, chunk_bytes: int, expected: np.ndarray) -> int | None:
    """Find the first chunk whose checksum differs from the expected one.

    Parameters
    ----------
    data : memoryview of bytes
        Whole chunks; the last one may be shorter.
    chunk_bytes : int
        Size of the others.
    expected : ndarray of uint64
        Checksum of every chunk.

    Returns
    -------
    int or None
        Index of the chunk; None if all checksums agree.
    """
    for i, checksum in enumerate(expected.tolist()):
        if xxh3_64_intdigest(data[i * chunk_bytes : (i + 1) * chunk_bytes]) != checksum:
            return i
    return None


def checksum(path: str | Path, size: int | None = None) -> int:
    """Checksum of a file, or of its first `size` bytes; reads a megabyte at once."""
    total, buffer = xxh3_64(), bytearray(2**20)
    left = Path(path).stat().st_size if size is None else size
    with open(path, "rb", buffering=0) as file:
        while left and (count := file.readinto(memoryview(buffer)[:left])):
            total.update(memoryview(buffer)[:count])
            left -= count
    return total.intdigest()


def hex_checksum(path: str | Path) -> str:
    """Checksum of a file as 16 hexadecimal digits."""
    return f"{checksum(path):016x}"


def append_trailer(path: str | Path) -> None:
    """Write the checksum of a file behind its last byte."""
    trailer = TRAILER % checksum(path)
    with open(path, "ab") as file:
        file.write(trailer)


def require_trailer(path: str | Path) -> None:
    """Read a file and compare its checksum with its trailer; see `append_trailer`.

    Raises
    ------
    DamagedFile
        If the file was truncated or changed after the trailer was written.
    OSError
        If it cannot be read.
    """
    size, found = _split(path)
    if found != TRAILER % checksum(path, size):
        raise DamagedFile(path, "has changed since it was written (checksums differ)")


def trailer_checksum(path: str | Path) -> str:
    """Return the checksum in the trailer of a file, hexadecimal, without reading the rest."""
    return _split(path)[1].split()[-1].decode("ascii", "replace")


def _split(path: str | Path) -> tuple[int, bytes]:
    """Return the number of bytes before the trailer, and the trailer."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END) - TRAILER_BYTES
        file.seek(max(size, 0))
        found = file.read()
    if size < 0 or not found.startswith(TRAILER[: TRAILER.index(b"%")]):
        raise DamagedFile(path, "has no checksum trailer: it was cut off or changed")
    return size, found
