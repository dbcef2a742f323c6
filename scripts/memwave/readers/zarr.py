"""Zarr arrays, versions 2 and 3, in folders: ``x.zarr``, in groups ``x.zarr::/path/to/array``."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed, printable
from memwave.readers.base import LARGEST_CHUNK, ArraySource, file_of
from memwave.readers.libraries import library

NEEDS_DTYPE = False
LIBRARIES = ("zarr",)
# The package, the stacks of the threads that it reads with, and a few chunks.
LIBRARY_MB = 90

# Files that tell what an array is.
HEADERS = ("zarr.json", ".zarray")


class Source(ArraySource):
    """An array in a folder; a chunk that is not there holds the fill value, as Zarr has it."""

    def __init__(self, path: str, dtype: str | None, channels: Sequence[str] | None):
        (header,) = files(path)
        super().__init__(path, header)
        zarr = library("zarr", path)
        # One chunk after the other: each that is read meanwhile needs memory.
        zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})
        try:
            node = zarr.open(os.path.dirname(header), mode="r")
        except Exception as error:  # the package and its codecs raise nearly any
            raise self.error(
                f"is not a Zarr array ({printable(error)}). Copy or save it again"
            ) from error
        if not isinstance(node, zarr.Array):
            raise self._is_group(node)
        self._array = node
        self._describe(node.shape, np.dtype(getattr(node, "dtype", object)))
        self._require_small_chunks()
        self.grain = node.chunks[0]

    def _is_group(self, group: Any) -> MemwaveError:
        names = sorted(group.array_keys())
        return self.error(
            f"is a group. It holds the arrays {listed(names)}. Expected a path such as "
            f"{self.file}::/array"
        )

    def _require_small_chunks(self) -> None:
        size = int(np.prod(self._array.chunks, dtype=object)) * self.dtype.itemsize
        if size > LARGEST_CHUNK:
            raise self.error(
                f"has chunks of {size:,} bytes, expected at most {LARGEST_CHUNK:,}, since a chunk "
                "is read as a whole. Store it in smaller chunks"
            )

    def _read(self, start: int, stop: int) -> np.ndarray:
        try:
            return np.ascontiguousarray(self._array[start:stop])
        except Exception as error:  # the package and its codecs raise nearly any
            raise OSError(printable(error)) from error

    def close(self) -> None:
        """Do nothing: files are open during a read only."""


def files(path: str) -> list[str]:
    """Return the file that tells what the array is; its folder stands for the others."""
    folder = file_of(path)
    inner = path[len(folder) + 2 :].strip("/")
    array = os.path.join(folder, *inner.split("/")) if inner else folder
    for name in HEADERS:
        if os.path.isfile(os.path.join(array, name)):
            return [os.path.join(array, name)]
    if inner and os.path.isdir(folder):
        names = sorted(os.listdir(folder))
        raise MemwaveError(
            f"{path}: there is no array /{inner}.{did_you_mean(inner, names)} {folder} holds "
            f"{listed(names[:20])}. Expected a path such as {folder}::/array."
        )
    return [os.path.join(array, HEADERS[0])]


def contents(path: str) -> list[str]:
    """List all files of an array."""
    folder = os.path.dirname(files(path)[0])
    found = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return sorted(found)
