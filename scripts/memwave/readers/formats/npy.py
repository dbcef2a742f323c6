"""Arrays written by ``numpy.save``; pickles are never opened."""

import io
import math
from typing import IO

import numpy as np
from numpy.lib import format as npy

from memwave.core.errors import MemwaveError
from memwave.readers.base import FileSource, Options
from memwave.readers.shared.flat import FlatSource

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 0

# Bytes of the header of an array of numbers; NumPy writes about 120, and reads no more than this.
LONGEST_HEADER = 10_000

# Bytes of the length of the header, by the version of the format.
LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}


class Source(FlatSource):
    """An array in a .npy file."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        try:
            if self.file != path:
                raise self.error("a .npy file holds one array, expected no '::' after it")
            shape, fortran_order, stored = header_of(self, self._stream)
            self._describe(shape, stored)
            if fortran_order and len(shape) > 1 and min(shape) > 1:
                raise self.error(
                    "is stored column by column (Fortran order), expected row by row. "
                    "Save numpy.ascontiguousarray(array)"
                )
            self._begin(self._stream.tell())
            self._require_whole()
        except MemwaveError:
            self.close()
            raise

    def _require_whole(self) -> None:
        expected = self._offset + math.prod(self.shape) * self.dtype.itemsize
        if self.file_size < expected:
            raise self.error(
                f"has {self.file_size} bytes, expected {expected} for shape {self.shape} of type "
                f"{self.dtype}. It was cut short; copy or save it again"
            )
        if self.file_size > expected:
            raise self.error(
                f"announces {self.shape[0]} rows, which end {self.file_size - expected} bytes "
                f"before the end of the file ({self.file_size} bytes, expected {expected}). Save "
                "each array into a file of its own"
            )


def header_of(source: FileSource, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of an array: shape, whether it is stored column by column, and type.

    Its length is compared with `LONGEST_HEADER` before it is read: a file may announce 4 GB.
    """
    try:
        version = npy.read_magic(stream)
        if version in LENGTH_BYTES:
            length = stream.read(LENGTH_BYTES[version])
            header = io.BytesIO(length + _text_of(source, stream, length))
            # Version 3 differs in the encoding of names of fields, which no matrix has.
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            return read(header)
    except MemwaveError:
        raise
    except Exception as error:
        # NumPy evaluates the header as a literal: damage can end in nearly any exception.
        raise source.error(f"is not a whole .npy file ({error}). Save it again") from error
    raise source.error(
        f"is a .npy file of version {'.'.join(map(str, version))}, expected 1.0, 2.0 or 3.0. Save "
        "a plain array"
    )


def _text_of(source: FileSource, stream: IO[bytes], length: bytes) -> bytes:
    size = int.from_bytes(length, "little")
    if size > LONGEST_HEADER:
        raise source.error(
            f"announces a header of {size:,} bytes, expected at most {LONGEST_HEADER:,}. It is "
            "damaged, or holds a table with named fields; save a plain array of numbers"
        )
    return stream.read(size)
