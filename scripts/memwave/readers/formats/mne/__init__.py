"""Brain recordings that MNE-Python reads: BrainVision, EEGLAB, FIF, CNT, GDF, EGI, CTF, ...

Values are in SI units: volts, tesla, metres.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np

from memwave.core.messages import listed, printable
from memwave.readers.base import Options, file_of, reason_of
from memwave.readers.formats.mne.further import further_files
from memwave.readers.formats.mne.whole import (
    compare,
    first_rows_of_blocks,
    require_sound_file,
)
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES = ("mne", "scipy.io")
# Memory of the package, and of the rows that it reads, converts and returns.
LIBRARY_MB = 150

# Suffixes of further files of a recording.
COMPANIONS = (
    *(".eeg", ".vmrk", ".amrk", ".fdt", ".dat", ".avg", ".seg", ".pnt", ".log", ".21e"),
    *(".dpa", ".dpo", ".cef", ".ceo", ".rs3", ".dap", ".mrk", ".elp", ".hsp"),
)

# A file whose samples are in a MATLAB matrix is loaded as a whole; number of copies in memory.
COPIES = 6
MOST_WARNINGS, MOST_BREAKS = 5, 5

# Packages that MNE-Python needs for some files, by suffix.
NEEDED = {".mff": "mffpy", ".cdt": "curryreader", ".mefd": "pymef"}
# Units by their numbers in FIF files.
UNITS = {107: "V", 112: "T", 201: "T/m"}
# The annotation of samples that were not recorded. MNE-Python reads them as zeros.
NOT_RECORDED = "BAD_ACQ_SKIP"
# Annotations where the recording was interrupted, and went on without rows for the time between.
BREAKS = ("New Segment/", "boundary", "BAD boundary", "EDGE boundary")
# Samples by which its times may be late.
ROUNDING = 0.01
# The first bytes of a .cnt file of ANT Neuro; those of Neuroscan differ.
ANT_MAGIC = (b"RIFF", b"RF64")


class Source(ArraySource):
    """A recording, as float64; its channels have names."""

    def __init__(self, path: str, options: Options):
        found = files(path)
        super().__init__(path, found[0])
        if self.file != path:
            raise self.error("the file holds one recording, expected no '::' after it")
        for file in found[1:]:
            self._watch(file)
        require_sound_file(self)
        self._raw = _open(self)
        compare(self, self._raw)
        self._watch_all()
        self._columns = self._choose(list(self._raw.ch_names), options.channels)
        kinds = (int(self._raw.info["chs"][column]["unit"]) for column in self._columns)
        named = zip(self.channel_names or (), kinds, strict=True)
        self.units = {name: UNITS[kind] for name, kind in named if kind in UNITS}
        self.sampling_rate = float(self._raw.info["sfreq"])
        self._describe((int(self._raw.n_times), len(self._columns)), np.dtype("f8"))
        self._skipped = sorted(set(_skipped(self._raw)))
        if lost := sum(stop - start for start, stop in self._skipped):
            self.note(f"{lost} rows were not recorded, since it was paused; they are missing")
        self._cuts = first_rows_of_blocks(self)
        self._note_breaks()

    def _note_breaks(self) -> None:
        """Add a note if rows follow each other that were not recorded one after the other."""
        rate = float(self._raw.info["sfreq"])
        found = {_row(onset * rate) for onset, _, text in _annotated(self._raw) if text in BREAKS}
        rows = sorted(row for row in found if 0 < row < self.shape[0])
        if rows:
            more = f" and {len(rows) - MOST_BREAKS} more" if len(rows) > MOST_BREAKS else ""
            self.note(
                "its recording was interrupted: time is missing before row "
                f"{listed(map(str, rows[:MOST_BREAKS]))}{more}. Windows reach across; cut it "
                "there into recordings"
            )

    def _watch_all(self) -> None:
        """Watch the files that are read; raise MemwaveError if one is unknown to a plan."""
        known = set(map(os.path.realpath, contents(self.path)))
        for name in self._raw.filenames:
            if name is None or not os.path.isfile(name):
                continue
            if os.path.realpath(name) not in known:
                raise self.error(
                    f"its samples are in {os.path.basename(name)}, a name that does not belong to "
                    "it: changes of that file would not be noticed. Save the recording again, so "
                    "that its files have one name"
                )
            self._watch(os.fspath(name))

    def _read(self, start: int, stop: int) -> np.ndarray:
        if start == stop:
            return np.empty((0, len(self._columns)))
        # Columns in the order of the file, since the package sorts them.
        order = sorted(set(self._columns))
        places = [order.index(column) for column in self._columns]
        rows = np.empty((stop - start, len(places)))
        for low, high in pairwise([start, *(r for r in self._cuts if start < r < stop), stop]):
            values = self._raw.get_data(picks=order, start=low, stop=high, verbose="error")
            rows[low - start : high - start] = values[places].T
        for low, high in self._skipped:
            if low < stop and high > start:
                rows[max(low - start, 0) : high - start] = np.nan
        return rows

    def close(self) -> None:
        self._raw.close()


def _annotated(raw: Any) -> Iterator[tuple[float, float, str]]:
    """Onset and duration of annotations in seconds from the first sample, and their texts."""
    # Onsets count from the start of the measurement, of which the file may be a later part.
    for entry in raw.annotations:
        yield (
            float(entry["onset"]) - raw.first_time,
            float(entry["duration"]),
            str(entry["description"]),
        )


def _skipped(raw: Any) -> Iterator[tuple[int, int]]:
    """Ranges of rows that were not recorded; some readers of the package name them twice."""
    rate = float(raw.info["sfreq"])
    for onset, duration, text in _annotated(raw):
        if text == NOT_RECORDED:
            yield _row(onset * rate), _row((onset + duration) * rate)


def _row(place: float) -> int:
    """The first row at or after a place: times may be half a sample before the row, or rounded."""
    return ceil(place - ROUNDING)


def _reader(source: ArraySource) -> Callable[..., Any]:
    """The function of MNE-Python that reads a file; the suffix does not always determine it."""
    mne, name = library("mne", source.path), source.file.lower()
    needed = [package for suffix, package in NEEDED.items() if name.endswith(suffix)]
    read = mne.io.read_raw
    if name.endswith(".cnt"):
        with open(source.file, "rb") as file:
            is_ant = file.read(4) in ANT_MAGIC
        read = mne.io.read_raw_ant if is_ant else mne.io.read_raw_cnt
        needed = ["antio"] if is_ant else []
    elif name.endswith(".set") and library("h5py", source.path).is_hdf5(source.file):
        needed = ["pymatreader"]
    elif name.endswith(".eeg"):
        for header in (f"{source.file[:-4]}.vhdr", f"{source.file[:-4]}.ahdr"):
            if os.path.isfile(header):
                raise source.error(
                    f"has the samples of a BrainVision recording. Name its header, {header}"
                )
    for package in needed:
        library(package, source.path)
    return read


def _open(source: ArraySource) -> Any:
    """Open a recording; warnings of the library become notes."""
    read = _reader(source)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            raw = read(source.file, preload=False, verbose="warning")
        except Exception as error:  # the package raises nearly any
            raise source.error(
                f"cannot be read by MNE-Python ({type(error).__name__}: {reason_of(error)}). "
                "Check that all files of the recording are there, or export it to FIF or EDF"
            ) from error
    ours = [w for w in caught if not issubclass(w.category, DeprecationWarning | FutureWarning)]
    for text in list(dict.fromkeys(printable(w.message) for w in ours))[:MOST_WARNINGS]:
        source.note(text.rstrip("."))
    return raw


def files(path: str) -> list[str]:
    """List the file and further files of its recording; for a folder, its first file."""
    file = file_of(path)
    if os.path.isdir(file):
        return contents(path)[:1]
    folder, name = os.path.split(file)
    stem = name.split(".")[0]
    names = sorted(os.listdir(folder or ".")) if os.path.isdir(folder or ".") else []
    found = [
        os.path.join(folder, other)
        for other in names
        if other != name and other.split(".")[0] == stem and other.lower().endswith(COMPANIONS)
    ]
    beside = filter(os.path.isfile, found)
    return list(dict.fromkeys([file, *beside, *further_files(file)]))


def contents(path: str) -> list[str]:
    """List all files of a recording."""
    file = file_of(path)
    if not os.path.isdir(file):
        return files(path)
    found = (os.path.join(place, name) for place, _, names in os.walk(file) for name in names)
    return sorted(found)


def file_bytes(path: str) -> int:
    """Memory of loading a file as a whole: an EEGLAB file that contains its samples."""
    file = file_of(path)
    if not file.lower().endswith(".set") or os.path.exists(f"{file[:-4]}.fdt"):
        return 0
    return COPIES * os.path.getsize(file) if os.path.exists(file) else 0


def annotations(path: str) -> Iterator[tuple[float, float, str]]:
    """Read annotations: onset and duration in seconds from the first sample, and text."""
    with Source(path, Options()) as source:
        for onset, duration, text in _annotated(source._raw):
            if text != NOT_RECORDED:
                yield onset, duration, text
