"""The checksum of an array on the disk, in one file or several."""

import os
from collections.abc import Iterable

from xxhash import xxh3_64_hexdigest

from memwave.readers import contents_of
from memwave.storage.checksums import checksum


def contents_checksum(path: str) -> str:
    """Compute the checksum of a recording or of labels (XXH3, 64 bits, hexadecimal).

    Parameters
    ----------
    path : str
        Path as in the sheet. All its files are read.
    """
    files = contents_of(path)
    return joined(files, (f"{checksum(file):016x}" for file in files))


def joined(files: list[str], checksums: Iterable[str]) -> str:
    """Checksum of all files of an array: that of a single file, else of all names and checksums."""
    sums = list(checksums)
    if len(files) == 1:
        return sums[0]
    names = map(os.path.basename, files)
    return xxh3_64_hexdigest(repr(list(zip(names, sums, strict=True))).encode())
