"""HDF5 files that appear whole or not at all, with the same bytes for the same content.

A checksum trailer follows the last byte of HDF5 data. The HDF5 library ignores bytes after the end
of file that the header states, so any program can read such a file.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.storage.atomic import not_written, replacing, require_space
from memwave.storage.checksums import append_trailer, require_trailer

# Upper bound of the bytes of a file that are not data.
OVERHEAD_BYTES = 200_000

# Deflate expands a byte to at most 1032 bytes. Files of memwave stay close to that limit at most.
MOST_EXPANDED = 1100

# First bytes of an HDF5 file.
SIGNATURE = b"\x89HDF\r\n\x1a\n"

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
        Upper bound of the size of the data; the disk must have that many free bytes.

    Raises
    ------
    MemwaveError
        If the disk is full or a write fails; names the file and the reason.
    """
    require_space(path, data_bytes + OVERHEAD_BYTES)
    with replacing(path) as temporary:
        options = {"libver": ("earliest", "v110"), "rdcc_nbytes": CACHE_BYTES}
        with _Written(temporary, path) as written:
            try:
                with h5py.File(written, "w", **options) as file:
                    yield file
                    file.flush()
            except Exception as error:  # once a write has failed, h5py raises nearly any
                if failed := _first_of(written, path, data_bytes):
                    raise failed from error
                raise
            if failed := _first_of(written, path, data_bytes):
                raise failed
        append_trailer(temporary)


class _Written(io.FileIO):
    """A file that HDF5 writes to; stores the first error of a write.

    HDF5 writes some data only when it closes a file or when h5py frees an object. h5py does not
    report errors that occur then.
    """

    def __init__(self, path: Path, final: str | Path):
        super().__init__(path, "w+")
        self.failed: BaseException | None = None
        self._final = final

    def __repr__(self) -> str:
        """Name the file as its users know it: h5py takes this for the name of the file."""
        return str(self._final)

    def write(self, data) -> int:
        """Write all of `data`; a single system call may write only some of it."""
        view, done = memoryview(data).cast("B"), 0
        try:
            while done < len(view):
                done += super().write(view[done:]) or 0
        except BaseException as error:
            self.failed = self.failed or error
            raise
        return done

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except BaseException as error:
            self.failed = self.failed or error
            raise


def _first_of(written: _Written, path: str | Path, size: int) -> BaseException | None:
    """The first error of a write; an error of the system becomes a MemwaveError."""
    failed = written.failed
    return not_written(path, failed, size) if isinstance(failed, OSError) else failed


@contextmanager
def open_read_only(path: str | Path, encoding: str, version: str = "1") -> Iterator[h5py.File]:
    """Open an HDF5 file that memwave wrote, after a check of all of its bytes.

    Raises
    ------
    MemwaveError
        If it is missing, cut off, changed, or not of that encoding type and version.
    """
    try:
        _require_file(path, encoding)
        require_trailer(path)
        file = h5py.File(path, "r", locking=False)
    except DamagedFile as error:
        if not _is_of_others(path):
            raise
        raise MemwaveError(
            f"{path}: was not written by memwave, expected a {_name(encoding)}. Give the files "
            "in the order that the help says."
        ) from error
    except OSError as error:
        raise DamagedFile(path, f"cannot be read ({error})") from error
    with file:
        _require_held(file, path)
        found = file.attrs.get("encoding-type")
        if found != encoding:
            raise MemwaveError(
                f"{path}: is of type {found!r}, expected {encoding!r}. Name a {_name(encoding)}."
            )
        stored = file.attrs.get("encoding-version")
        if stored != version:
            raise MemwaveError(
                f"{path}: has version {stored} of its format, expected {version}: another version "
                "of memwave wrote it. Use that one, or make the file again with this one."
            )
        yield file


def _require_file(path: str | Path, encoding: str) -> None:
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "No such file"
        raise MemwaveError(
            f"{path}: {what}, expected a {_name(encoding)}. Relative paths start in {os.getcwd()}."
        )


def _name(encoding: str) -> str:
    """How a file of that type is called: "model.h5"."""
    return f"{encoding.removeprefix('memwave-')}.h5"


def _is_of_others(path: str | Path) -> bool:
    """Whether a file without a checksum is whole and of another program: nobody is to delete that.

    A damaged file is treated as one of memwave.
    """
    with open(path, "rb") as file:
        begin = file.read(len(SIGNATURE))
    if begin != SIGNATURE:
        return bool(begin.strip(b"\0")) and Path(path).suffix != ".h5"
    try:
        with h5py.File(path, "r", locking=False) as held:
            return not str(held.attrs.get("encoding-type", "")).startswith("memwave-")
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def given(path: str | Path, name: str) -> Iterator[None]:
    """Convert the error of a file that a user names, which may be another one than he means.

    Such a file is not to be deleted: nothing remakes it.

    Parameters
    ----------
    path : path
    name : str
        What is expected: ``model.h5`` or ``projection.h5``.
    """
    try:
        yield
    except DamagedFile as error:
        if str(error.path) != str(path):
            raise
        if os.path.isfile(path):
            raise MemwaveError(
                f"{path}: {error.what}. It is not a whole {name}: copy it again, or make it again."
            ) from error
        reason = "is a folder" if os.path.isdir(path) else "No such file or directory"
        raise MemwaveError(
            f"{path}: {reason}. Expected a {name}; relative paths start in {os.getcwd()}."
        ) from error


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Convert an error of reading an array to an error that names the damaged file.

    The body may only read: any of its errors is treated as damage of the file.
    """
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        raise DamagedFile(path, f"is damaged ({error})") from error


def _require_held(file: h5py.File, path: str | Path) -> None:
    """Reject datasets that declare more bytes than they can have, before they are read.

    A dataset can have what is stored of it, which is no more than the file, as deflate makes it.
    """
    size = os.path.getsize(path)
    for name, held in file.items():
        if not isinstance(held, h5py.Dataset):
            continue
        stored = min(size, held.id.get_storage_size())
        most = stored * (MOST_EXPANDED if held.compression else 1)
        if held.size * held.dtype.itemsize > most + CACHE_BYTES:
            raise DamagedFile(path, f"declares {held.nbytes:,} bytes of {name}, has {stored:,}")


def mark(file: h5py.File, encoding: str, version: str) -> None:
    """Write the type of the file and the version of its format."""
    file.attrs["encoding-type"] = encoding
    file.attrs["encoding-version"] = version


def dataset(
    parent: h5py.Group, name: str, data: np.ndarray, description: str, **options
) -> h5py.Dataset:
    """Write an array with a description, but without a time stamp."""
    written = parent.create_dataset(name, data=data, track_times=False, **options)
    written.attrs["description"] = description
    return written


def save_arrays(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Store arrays by name; `load_arrays` reads them."""
    with create(path, sum(array.nbytes for array in arrays.values())) as file:
        mark(file, "memwave-arrays", "1")
        for name, array in arrays.items():
            file.create_dataset(name, data=array, track_times=False)


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` stored."""
    with reading(path), open_read_only(path, "memwave-arrays") as file:
        return {name: file[name][()] for name in file}
