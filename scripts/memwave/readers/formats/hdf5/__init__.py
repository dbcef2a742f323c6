"""Datasets of HDF5 files, ``x.h5::/path/to/dataset``, without leaving the file."""

from math import prod
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed
from memwave.readers.base import LARGEST_CHUNK, Options
from memwave.readers.formats.hdf5.filters import missing_filters
from memwave.readers.shared.packing import Packing, units_of, unpacked, unpacked_slice
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 0

# Values that the netCDF library fills arrays with, by type (``NC_FILL_...`` of netcdf.h).
DEFAULT_FILL = {
    "i2": -(2**15) + 1,
    "u2": 2**16 - 1,
    "i4": -(2**31) + 1,
    "u4": 2**32 - 1,
    "i8": -(2**63) + 2,
    "u8": 2**64 - 2,
    "f4": 9.9692099683868690e36,
    "f8": 9.9692099683868690e36,
}


class Source(ArraySource):
    """A dataset in an HDF5 file."""

    def __init__(self, path: str, options: Options):
        import h5py  # only here: other formats do not need it

        super().__init__(path)
        try:
            self._store = h5py.File(self.file, "r", locking="best-effort")
        except OSError as error:
            raise self.error(
                f"cannot be opened as an HDF5 file ({error}). {_remedy(self.file)}"
            ) from error
        try:
            self._dataset = self._find()
            self._describe(self._dataset.shape or (), self._dataset.dtype)
            self._require_own_data()
            self.grain = (self._dataset.chunks or (1,))[0]
            self._require_filters()
            self._packing = self._find_packing(options)
            self._note_unwritten()
            self.dtype = self._packing.dtype if self._packing else self.dtype
        except MemwaveError:
            self.close()
            raise
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            self.close()
            raise self.error(f"is a damaged HDF5 file ({error}). Copy it again") from error

    def _find_packing(self, options: Options) -> Packing | None:
        """The conversion by the attributes, if they change any value."""
        if options.values == "stored":
            return None
        columns = self.shape[1] if len(self.shape) == 2 else 1
        attributes = _default_marker(self._dataset) | dict(self._dataset.attrs.items())
        self.units = units_of(attributes, options.channels)
        packing = Packing(self, attributes, self._dataset.dtype, columns)
        return packing if packing.needed else None

    def _note_unwritten(self) -> None:
        """Add a note if a part of the values was never written."""
        for array in self._arrays():
            if array.chunks is not None:
                sides = zip(array.shape, array.chunks, strict=True)
                most = prod(-(-length // chunk) for length, chunk in sides)
                absent = most - array.id.get_num_chunks()
                found = f"{absent} of its {most} chunks were" if absent else ""
            else:
                found = "its values were" * bool(array.size and not array.id.get_storage_size())
            if found:
                self.note(f"{found} never written; they are the fill value, {_fill(array)}")

    def _require_filters(self) -> None:
        found = (name for array in self._arrays() for name in missing_filters(array))
        missing = list(dict.fromkeys(found))
        if missing:
            raise self.error(
                f"is compressed with {listed(missing)}, which this HDF5 library does not have. "
                "Install hdf5plugin with `make formats-hdf5` or pip install hdf5plugin, "
                "or store the dataset with gzip, for example with h5repack"
            )

    def _find(self) -> Any:
        """Find the dataset; follow hard links only."""
        import h5py

        node, walked = self._store, ""
        for part in self.path[len(self.file) + 2 :].strip("/").split("/"):
            names = list(node) if isinstance(node, h5py.Group) else []
            if part not in names:
                raise self.error(
                    f"there is no {walked}/{part}.{did_you_mean(part, names)} "
                    f"{walked or '/'} holds {listed(sorted(names)[:20])}. "
                    "Expected a path such as file.h5::/group/dataset"
                )
            if not isinstance(node.get(part, getlink=True), h5py.HardLink):
                raise self.error(
                    f"{walked}/{part} is a link to elsewhere, which is not followed. "
                    "Name the file and the dataset that hold the data"
                )
            node, walked = node[part], f"{walked}/{part}"
        self._require_dataset(node, walked)
        return node

    def _require_dataset(self, node: Any, walked: str) -> None:
        if hasattr(node, "keys"):
            raise self.error(f"{walked} is no dataset. It holds {listed(sorted(node)[:20])}")

    def _arrays(self) -> list[Any]:
        """Return the datasets of the file that are read."""
        return [self._dataset]

    def _require_own_data(self) -> None:
        for array in self._arrays():
            if array.external or array.is_virtual:
                raise self.error(
                    "keeps its data in other files, which are not opened. "
                    "Copy it into one file, for example with h5repack"
                )
            size = int(np.prod(array.chunks or (0,), dtype=object)) * array.dtype.itemsize
            if size > LARGEST_CHUNK:
                raise self.error(
                    f"has chunks of {size:,} bytes, expected at most {LARGEST_CHUNK:,}, since a "
                    "chunk is read as a whole. Store it in smaller chunks, for example with "
                    "h5repack"
                )

    def _read(self, start: int, stop: int) -> np.ndarray:
        if self._packing is None:
            return self._dataset[start:stop]
        return unpacked(self._dataset, self._packing, start, stop, self.shape[1:])

    def _slice(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        if self._packing is None:
            return self._dataset[start:stop, low:high]
        return unpacked_slice(self._dataset, self._packing, start, stop, slice(low, high))

    def group(self) -> Any:
        """Return the group that the dataset is in."""
        return self._dataset.parent

    def attribute(self, name: str) -> Any:
        """Return an attribute of the dataset, text as text; None if there is none."""
        value = self._dataset.attrs.get(name)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def close(self) -> None:
        self._store.close()


def _default_marker(dataset: Any) -> dict[str, Any]:
    """The marker of missing values of a netCDF file without an attribute for it.

    The netCDF library fills arrays with a value for each type, and takes it for missing, other than
    in those of one byte (*NetCDF User's Guide*, "Attribute Conventions").
    """
    marker, fill = DEFAULT_FILL.get(dataset.dtype.str[1:]), _fill(dataset)
    is_filled = None not in (marker, fill) and fill == dataset.dtype.type(marker)
    return {"_FillValue": fill} if is_filled else {}


def _fill(dataset: Any) -> Any:
    """The value of what was never written; None if it is undefined."""
    is_defined = getattr(dataset, "id", None) and dataset.id.get_create_plist().fill_value_defined()
    return dataset.fillvalue if is_defined else None


def _remedy(file: str) -> str:
    """The remedy for a file that is no HDF5 file."""
    with open(file, "rb") as content:
        if content.read(3) == b"CDF":
            return "It is netCDF of version 3: convert it with nccopy -k netCDF-4"
    return "Copy it again, or save it anew"
