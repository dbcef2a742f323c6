"""WFDB records, as on PhysioNet: a header (.hea), which names the channels and the signal files."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from memwave.core.messages import printable
from memwave.readers.base import ArraySource
from memwave.readers.libraries import library

NEEDS_DTYPE = False
LIBRARIES = ("wfdb",)
LIBRARY_MB = 80


class Source(ArraySource):
    """Signals of a record, as float64 in their physical unit; an invalid sample is NaN."""

    def __init__(self, path: str, dtype: str | None, channels: Sequence[str] | None):
        super().__init__(path)
        if self.file != path:
            raise self.error("a WFDB header names one record, expected no '::' after it")
        self._wfdb = library("wfdb", path)
        header = self._header()
        names = [name or "" for name in _first(header).sig_name or ()]
        self._names = [names[column] for column in self._choose(names, channels)]
        if header.sig_len is None:
            raise self.error("does not say how many samples the record has. Add it to the header")
        self.sampling_rate = float(header.fs)
        self._describe((int(header.sig_len), len(self._names)), np.dtype("f8"))
        for file in _other_files(header, os.path.dirname(self.file)):
            self._watch(file)
        try:
            self._read(self.shape[0] - 1, self.shape[0])
        except OSError as error:
            raise self.error(
                f"the last of {self.shape[0]} samples cannot be read ({error}). Download the "
                "record again"
            ) from error

    def _header(self) -> Any:
        try:
            return self._wfdb.rdheader(self._record(), rd_segments=True)
        except Exception as error:  # the package raises nearly any
            raise self.error(
                f"is not a WFDB header ({printable(error)}). Download the record again"
            ) from error

    def _record(self) -> str:
        return os.path.splitext(self.file)[0]

    def _read(self, start: int, stop: int) -> np.ndarray:
        if start == stop:
            return np.empty((0, len(self._names)))
        try:
            record = self._wfdb.rdrecord(
                self._record(), sampfrom=start, sampto=stop, channel_names=self._names
            )
        except Exception as error:  # the package raises nearly any
            raise OSError(printable(error)) from error
        if record.sig_name != self._names or record.p_signal.shape[0] != stop - start:
            raise OSError("a signal is shorter than the header says")
        return record.p_signal

    def close(self) -> None:
        """Do nothing: the files are open during a read only."""


def files(path: str) -> list[str]:
    """List the header and the signal files of a record."""
    with Source(path, None, None) as source:
        return source.watched()


def _first(header: Any) -> Any:
    """The header that names the signals: of the record, or of its first segment."""
    return header.segments[0] if getattr(header, "segments", None) else header


def _other_files(header: Any, folder: str) -> list[str]:
    """Files of a record beside its header: of all its segments; a gap between them has none."""
    parts = getattr(header, "segments", None) or [header]
    names = [f"{name}.hea" for name in getattr(header, "seg_name", None) or () if name != "~"]
    names += [name for part in parts if part is not None for name in part.file_name or ()]
    return [os.path.join(folder, name) for name in dict.fromkeys(names) if name != "~"]
