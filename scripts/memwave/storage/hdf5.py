"""HDF5 files that appear whole or not at all, with the same bytes for the same content.

Behind its last byte each file has a checksum trailer. HDF5 does not look beyond the end that a
file states of itself, so that any program reads such a file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.storage.atomic import disk_full, replacing, require_space
from memwave.storage.checksums import append_trailer, require_trailer

# Room for a file's own structure beside its data.
OVERHEAD_BYTES = 200_000

# Chunks that HDF5 keeps of each open dataset.
CACHE_BYTES = 1_048_576


@contextmanager
def create(path: str | Path, data_bytes: int) -> Iterator[h5py.File]:
    """Create an HDF5 file under a temporary name; it is renamed to `path` when complete.

    Times of creation are left out, so that equal content makes equal bytes.

    Parameters
    ----------
    path : path
        Final name.
    data_bytes : int
        Upper bound of what will be written; that much must be free.

    Raises
    ------
    MemwaveError
        If the disk is full.
    """
    require_space(path, data_bytes + OVERHEAD_BYTES)
    with replacing(path) as temporary:
        try:
            # The lock is ours already; see `replacing`.
            options = {"libver": ("earliest", "v110"), "rdcc_nbytes": CACHE_BYTES, "locking": False}
            with h5py.File(temporary, "w", **options) as file:
                yield file
            append_trailer(temporary)
        except (OSError, RuntimeError) as error:
            if "errno = 28" in str(error) or "errno = 122" in str(error):
                raise disk_full(path, data_bytes) from error
            raise


@contextmanager
def open_read_only(path: str | Path, encoding: str) -> Iterator[h5py.File]:
    """Open an HDF5 file that memwave wrote, after a look at all of its bytes.

    Raises
    ------
    MemwaveError
        If it is missing, cut off, changed, or not of that encoding type.
    """
    try:
        require_trailer(path)
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise DamagedFile(path, f"cannot be read ({error})") from error
    with file:
        found = file.attrs.get("encoding-type")
        if found != encoding:
            raise MemwaveError(f"{path}: is of type {found!r}, expected {encoding!r}.")
        yield file


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Say which file is damaged where an array cannot be read or is missing.

    The body is to read and do nothing else: any of its errors is taken for one of the file.
    """
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        raise DamagedFile(path, f"is damaged ({error})") from error


def mark(file: h5py.File, encoding: str, version: str) -> None:
    """Say what kind of file this is, so that the kind can evolve."""
    file.attrs["encoding-type"] = encoding
    file.attrs["encoding-version"] = version


def dataset(
    parent: h5py.Group, name: str, data: np.ndarray, description: str, **options
) -> h5py.Dataset:
    """Write an array with a description, without the time of writing."""
    written = parent.create_dataset(name, data=data, track_times=False, **options)
    written.attrs["description"] = description
    return written


def save_arrays(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Store arrays by name, to be read by `load_arrays`."""
    with create(path, sum(array.nbytes for array in arrays.values())) as file:
        mark(file, "memwave-arrays", "1")
        for name, array in arrays.items():
            file.create_dataset(name, data=array, track_times=False)


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` stored."""
    with reading(path), open_read_only(path, "memwave-arrays") as file:
        return {name: file[name][()] for name in file}
