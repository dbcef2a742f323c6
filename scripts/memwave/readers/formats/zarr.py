"""Zarr arrays, versions 2 and 3, in folders: ``x.zarr``, in groups ``x.zarr::/path/to/array``."""

import json
import math
import os
import re
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed, printable
from memwave.readers.base import LARGEST_CHUNK, Options, file_of, reason_of, require_short
from memwave.readers.shared.libraries import library
from memwave.readers.shared.packing import Packing, units_of, unpacked, unpacked_slice
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES = ("zarr",)
# Memory of the package, of the stacks of its threads, and of a few chunks.
LIBRARY_MB = 90

# Files that tell what an array is.
HEADERS = ("zarr.json", ".zarray")
# The file of a group in version 2.
GROUP = ".zgroup"


class Source(ArraySource):
    """An array in a folder; a chunk that is not there holds the fill value, as Zarr has it."""

    def __init__(self, path: str, options: Options):
        (header,) = files(path)
        super().__init__(path, header)
        require_short(path, header)
        zarr = library("zarr", path)
        # One chunk after the other: each that is read meanwhile needs memory.
        zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})
        try:
            node = zarr.open(os.path.dirname(header), mode="r")
        except Exception as error:  # the package and its codecs raise nearly any
            codecs = _codecs(header)
            named = f" (it has {listed(codecs)})" if codecs else ""
            raise self.error(
                f"is not a Zarr array ({reason_of(error)}). Install the package of its codec, if "
                f"it has one that is not known{named}, or copy or save it again"
            ) from error
        if not isinstance(node, zarr.Array):
            raise self._is_group(node)
        self._array = node
        self._describe(node.shape, np.dtype(getattr(node, "dtype", object)))
        self._require_small_chunks()
        self.grain = node.chunks[0]
        self._compare_chunks()
        self._packing = None if options.values == "stored" else self._find_packing(options)
        self.dtype = self._packing.dtype if self._packing else self.dtype

    def _find_packing(self, options: Options) -> Packing | None:
        """The conversion by the attributes, if they change any value."""
        attributes = dict(self._array.attrs)
        self.units = units_of(attributes, options.channels)
        fill = self._array.fill_value
        if self._array.metadata.zarr_format == 2 and "_ARRAY_DIMENSIONS" in attributes:
            # In version 2, xarray stores its marker of missing values as the array's fill value.
            attributes |= {"_FillValue": fill} if fill is not None else {}
        columns = self.shape[1] if len(self.shape) == 2 else 1
        packing = Packing(self, attributes, self.dtype, columns)
        return packing if packing.needed else None

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

    def _compare_chunks(self) -> None:
        """Add a note if chunks of the array are not there, or others are."""
        size = getattr(self._array, "shards", None) or self._array.chunks
        most = [-(-length // chunk) for length, chunk in zip(self.shape, size, strict=True)]
        folder = os.path.dirname(files(self.path)[0])
        held = beyond = 0
        for file in contents(self.path):
            parts = re.split(r"[/.]", os.path.relpath(file, folder).replace(os.sep, "/"))
            place = [int(part) for part in parts if part.isdecimal()]
            if len(place) == len(most) and all(part.isdecimal() or part == "c" for part in parts):
                is_beyond = any(i >= n for i, n in zip(place, most, strict=True))
                held, beyond = held + (not is_beyond), beyond + is_beyond
        if beyond:
            self.note(
                f"its header announces shape {self.shape}, and {beyond} chunks in its folder lie "
                "beyond it; they are not read"
            )
        if absent := math.prod(most) - held:
            self.note(
                f"{absent} of its {math.prod(most)} chunks are not there; their values are the "
                f"fill value, {self._array.fill_value}"
            )

    def _read(self, start: int, stop: int) -> np.ndarray:
        try:
            if self._packing is not None:
                return unpacked(self._array, self._packing, start, stop, self.shape[1:])
            return np.ascontiguousarray(self._array[start:stop])
        except Exception as error:  # the package and its codecs raise nearly any
            raise OSError(printable(error)) from error

    def _slice(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        try:
            if self._packing is not None:
                return unpacked_slice(self._array, self._packing, start, stop, slice(low, high))
            return np.ascontiguousarray(self._array[start:stop, low:high])
        except Exception as error:  # the package and its codecs raise nearly any
            raise OSError(printable(error)) from error

    def close(self) -> None:
        """Do nothing: files are open during a read only."""


def _codecs(header: str) -> list[str]:
    """Names of the codecs of an array; empty if its header cannot be read."""
    try:
        with open(header, encoding="utf-8") as file:
            described = json.load(file)
        if "codecs" in described:
            return [codec["name"] for codec in described["codecs"]]
        used = [described.get("compressor"), *(described.get("filters") or ())]
        return [codec["id"] for codec in used if codec]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def files(path: str) -> list[str]:
    """Return the file with the metadata of the array."""
    folder = file_of(path)
    inner = path[len(folder) + 2 :].strip("/")
    array = os.path.join(folder, *inner.split("/")) if inner else folder
    for name in HEADERS:
        if os.path.isfile(os.path.join(array, name)):
            return [os.path.join(array, name)]
    if os.path.isfile(os.path.join(array, GROUP)):
        held = sorted(name for name in os.listdir(array) if not name.startswith("."))
        raise MemwaveError(
            f"{path}: is a group, which holds {listed(held[:20])}. Expected the path of an array, "
            f"such as {folder}::/array; a sparse matrix is read from .h5ad."
        )
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
