"""The table of all formats: which module reads a file, by its suffix."""

import importlib
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import PurePath
from types import ModuleType
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.readers.base import Options, file_of

# Modules of `memwave.readers.formats` by suffix, lower case, with the dot.
FORMATS = {
    ".npy": "npy",
    ".dat": "raw",
    ".bin": "raw",
    ".raw": "raw",
    ".mmap": "raw",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".h5ad": "h5ad",
    ".nc": "hdf5",
    ".nc4": "hdf5",
    ".zarr": "zarr",
    ".mat": "mat",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".txt.gz": "csv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".edf": "edf",
    ".bdf": "edf",
    ".hea": "wfdb",
    ".wav": "audio",
    ".flac": "audio",
    ".npz": "npz",
    ".nwb": "nwb",
    ".tdms": "tdms",
    ".xdf": "xdf",
    ".vhdr": "mne",
    ".ahdr": "mne",
    ".set": "mne",
    ".fif": "mne",
    ".cnt": "mne",
    ".gdf": "mne",
    ".mff": "mne",
    ".eeg": "mne",
    ".snirf": "mne",
    ".ds": "mne",
    ".sqd": "mne",
    ".con": "mne",
    ".lay": "mne",
    ".cdt": "mne",
    ".nxe": "mne",
    ".mefd": "mne",
    ".ns3": "mne",
    ".mseed": "obspy",
    ".miniseed": "obspy",
    ".sac": "obspy",
    ".sgy": "obspy",
    ".segy": "obspy",
    ".su": "obspy",
    ".seg2": "obspy",
    ".gse": "obspy",
    ".gse2": "obspy",
    ".gcf": "obspy",
}

# Remedies for files of formats that memwave does not read.
CONVERTED_ELSEWHERE = {
    ".cwa": "export it to CSV with OmGui, or with cwa-convert of openmovement",
    ".gt3x": "export it to CSV with ActiLife, or read it with pygt3x and save numpy arrays",
    ".nedf": "save it as FIF with MNE-Python, which reads parts of it incorrectly",
    ".xlsx": "save it as CSV",
    ".mp3": "convert it to FLAC or WAV",
    ".pkl": "save numpy arrays; pickles are never opened",
}

# Formats with annotations, which may be labels.
ANNOTATED = frozenset({"edf", "mne", "wfdb"})

# Options of formats, other than dtype and channels; see `memwave.readers.Options`.
TEXT_OPTIONS = ("skip_lines", "header", "decimal", "comment")
OPTIONS = {
    "csv": TEXT_OPTIONS,
    "h5ad": ("values",),
    "hdf5": ("values",),
    "nwb": ("values",),
    "wfdb": ("sampling_rate",),
    "zarr": ("values",),
}


# Paths whose format is remembered: a plan asks for each some twenty times.
MOST_PATHS = 100_000


@cache
def reader_named(name: str) -> ModuleType:
    """Import the module of a format."""
    return importlib.import_module(f"memwave.readers.formats.{name}")


@lru_cache(MOST_PATHS)
def format_of(path: str) -> str:
    """Return the name of the module that reads a file, without importing it.

    Raises
    ------
    MemwaveError
        If no module reads files with its suffix.
    """
    name = PurePath(file_of(path)).name.lower()
    suffixes = PurePath(name).suffixes
    for ending in ("".join(suffixes[-2:]), "".join(suffixes[-1:])):
        if ending in FORMATS:
            return FORMATS[ending]
    for ending, remedy in CONVERTED_ELSEWHERE.items():
        if name.endswith(ending):
            raise MemwaveError(f"{path}: {ending} files cannot be read; {remedy}.")
    store = next((p for p in PurePath(path).parents if p.suffix == ".zarr"), None)
    if store is not None:
        inner = PurePath(path).relative_to(store)
        raise MemwaveError(f"{path}: is in a Zarr store. Did you mean {store}::/{inner}?")
    if os.path.isdir(file_of(path)):
        raise MemwaveError(
            f"{path}: is a folder. Expected a file; a sheet has a line for each file of a folder."
        )
    raise MemwaveError(
        f"{path}: unknown kind of file {PurePath(name).suffix or '(no suffix)'}. Expected one of "
        f"{', '.join(sorted(FORMATS))}; convert it, for example with numpy.save."
    )


def options_of(path: str, chosen: Mapping[str, Any]) -> Options:
    """Return those options of a dataset that apply to the format of a file."""
    known = OPTIONS.get(format_of(path), ())
    given: dict[str, Any] = {n: chosen[n] for n in known if chosen.get(n) is not None}
    if isinstance(given.get("header"), list):
        given["header"] = tuple(given["header"])
    return Options(**given)


def reader_of(path: str) -> ModuleType:
    """Return the module that reads a file; raises MemwaveError if none does."""
    return reader_named(format_of(path))


def readers() -> list[ModuleType]:
    """Import the modules of all formats."""
    return [reader_named(name) for name in dict.fromkeys(FORMATS.values())]
