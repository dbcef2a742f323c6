"""Arrays that are stored uncompressed in C order, as in .npy and raw files."""

import io
import math
import os

import numpy as np

from memwave.readers.sources import ArraySource


class FlatSource(ArraySource):
    """An array that is stored uncompressed, in C order, from some byte of a file on.

    It is read, not mapped. If another program truncates the file, access to a map kills the
    process, while a read only returns fewer bytes.
    """

    def __init__(self, path: str):
        super().__init__(path)
        try:
            self._stream = io.BufferedReader(io.FileIO(self.file))
        except OSError as error:
            raise self.error(f"cannot be opened ({error.strerror})") from error

    def _begin(self, offset: int) -> None:
        """Set the offset of the array in the file, in bytes."""
        self._offset = offset
        self._row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize

    def _read(self, start: int, stop: int) -> np.ndarray:
        content = np.empty((stop - start) * self._row_bytes, np.uint8)
        self._stream.seek(self._offset + start * self._row_bytes)
        if self._stream.readinto(content.data) < len(content):
            raise OSError("the file ends early")
        return content.view(self.dtype).reshape(stop - start, *self.shape[1:])

    def _slice(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        piece = np.empty((stop - start, (high - low) * self.dtype.itemsize), np.uint8)
        for row, part in enumerate(piece, start):
            self._fill(part, self._offset + row * self._row_bytes + low * self.dtype.itemsize)
        return piece.view(self.dtype)

    def _fill(self, part: np.ndarray, place: int) -> None:
        """Read bytes from a place of the file on, and no byte beside them where that can be."""
        if not hasattr(os, "preadv"):
            self._stream.seek(place)
            done = self._stream.readinto(part.data)
        else:
            done = 0
            while done < len(part):
                read = os.preadv(self._stream.fileno(), [part.data[done:]], place + done)
                if not read:
                    break
                done += read
        if done < len(part):
            raise OSError("the file ends early")

    def read_ahead(self, start: int, stop: int) -> None:
        if hasattr(os, "posix_fadvise") and start < stop:
            begin, length = self._offset + start * self._row_bytes, (stop - start) * self._row_bytes
            os.posix_fadvise(self._stream.fileno(), begin, length, os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        self._stream.close()
