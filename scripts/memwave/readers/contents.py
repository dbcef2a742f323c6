"""Checksums of arrays as they lie on the disk, piece by piece, in one file or several.

The bytes of all files of an array are cut into pieces, so that jobs take the checksums of different
pieces in parallel. The checksum of the array follows from those of the pieces.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice

from xxhash import xxh3_64, xxh3_64_hexdigest

from memwave.readers import contents_of

PIECE_BYTES = 2**23

# Bytes read at once.
BUFFER_BYTES = 2**20


def contents_checksum(path: str) -> str:
    """Compute the checksum of a recording or of labels (XXH3, 64 bits, hexadecimal).

    Parameters
    ----------
    path : str
        As in the sheet. All its files are read, a megabyte at once.
    """
    files = contents_of(path)
    return joined(files, piece_checksums(files))


def count_pieces(size: int) -> int:
    """Return the number of pieces of `size` bytes, at least one."""
    return max(1, -(-size // PIECE_BYTES))


def piece_checksums(files: Sequence[str], first: int = 0, stop: int | None = None) -> list[str]:
    """Checksums of the pieces ``first:stop`` of the bytes of all files, one after another.

    A piece is `PIECE_BYTES` long; only the last one may be shorter.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    sizes = [os.path.getsize(file) for file in files]
    end = count_pieces(sum(sizes))
    wanted = (end if stop is None else min(stop, end)) - first
    if wanted <= 0:
        return []
    return list(islice(_checksums(files, sizes, first * PIECE_BYTES), wanted))


def joined(files: Sequence[str], pieces: Sequence[str]) -> str:
    """Checksum of an array: of its only piece, or of the names of its files and of all pieces."""
    if len(files) == len(pieces) == 1:
        return pieces[0]
    names = list(map(os.path.basename, files)) if len(files) > 1 else []
    return xxh3_64_hexdigest(repr((names, list(pieces))).encode())


def _checksums(files: Sequence[str], sizes: Sequence[int], begin: int) -> Iterator[str]:
    """Yield the checksum of each piece from byte `begin` on."""
    total, filled = xxh3_64(), 0
    for buffer in _bytes(files, sizes, begin):
        while buffer:
            part = buffer[: PIECE_BYTES - filled]
            total.update(part)
            filled, buffer = filled + len(part), buffer[len(part) :]
            if filled == PIECE_BYTES:
                yield total.hexdigest()
                total.reset()
                filled = 0
    if filled or not sum(sizes):
        yield total.hexdigest()


def _bytes(files: Sequence[str], sizes: Sequence[int], begin: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(BUFFER_BYTES))
    for name, size in zip(files, sizes, strict=True):
        if begin < size:
            with open(name, "rb", buffering=0) as file:
                file.seek(begin)
                while count := file.readinto(buffer):
                    yield buffer[:count]
        begin = max(0, begin - size)
