"""Which module reads which files: the table of all formats, by the endings of files."""

import importlib
from functools import cache
from pathlib import PurePath
from types import ModuleType

from memwave.core.errors import MemwaveError
from memwave.readers.base import file_of

# Modules of this package by suffix, lower case, with the dot. One is imported when a file asks
# for it.
FORMATS = {
    ".npy": "npy",
    ".dat": "raw",
    ".bin": "raw",
    ".raw": "raw",
    ".mmap": "raw",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".h5ad": "h5ad",
    ".zarr": "zarr",
    ".mat": "mat",
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".edf": "edf",
    ".bdf": "edf",
    ".hea": "wfdb",
    ".wav": "audio",
    ".flac": "audio",
}


@cache
def reader_named(name: str) -> ModuleType:
    """Import the module of a format."""
    return importlib.import_module(f"memwave.readers.{name}")


def format_of(path: str) -> str:
    """Return the name of the module that reads a file, without importing it.

    Raises
    ------
    MemwaveError
        If no module reads files of its ending.
    """
    name = PurePath(file_of(path)).name.lower()
    suffixes = PurePath(name).suffixes
    for ending in ("".join(suffixes[-2:]), "".join(suffixes[-1:])):
        if ending in FORMATS:
            return FORMATS[ending]
    raise MemwaveError(
        f"{path}: unknown kind of file {PurePath(name).suffix or '(no suffix)'}. Expected one of "
        f"{', '.join(sorted(FORMATS))}; convert it, for example with numpy.save."
    )


def reader_of(path: str) -> ModuleType:
    """Return the module that reads a file; raises MemwaveError if none does."""
    return reader_named(format_of(path))


def readers() -> list[ModuleType]:
    """Import the modules of all formats."""
    return [reader_named(name) for name in dict.fromkeys(FORMATS.values())]
