"""Seismic recordings that ObsPy reads: miniSEED, SAC, SEG-Y, GSE2, SEG-2, ...

The library loads a file as a whole, so recordings are converted. Consecutive traces of one channel
are put on one time axis; values between them are missing.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from memwave.core.messages import listed, printable, rate_text, shown
from memwave.readers.base import Options, file_of, reason_of
from memwave.readers.formats.obspy.whole import require_sound_file, require_whole_segy
from memwave.readers.shared.libraries import library
from memwave.readers.sources import Block, StreamSource

NEEDS_DTYPE = False
LIBRARIES = ("obspy",)
LIBRARY_MB = 120

# Formats in which each trace is a channel without a name.
GATHERS = ("SEGY", "SU", "SEG2", "RG16")
# Memory of loading a file, as a multiple of its size. Some formats compress four bytes to less than
# one, and compressed and decompressed samples are in memory at the same time.
COPIES = 4
PACKED_COPIES = 14
PACKED = (".mseed", ".miniseed", ".gse", ".gse2", ".gcf")
# Largest distance of a trace from the samples of the others, in samples.
JITTER = 0.1
RATE_TOLERANCE = 1e-6
BLOCK_ROWS = 1 << 18
MOST_WARNINGS = 5


class Source(StreamSource):
    """Channels of a file, as float64 in the stored unit, mostly counts; gaps are NaN."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        if self.file != path:
            raise self.error("the file holds one recording, expected no '::' after it")
        require_sound_file(self)
        traces = self._load(headonly=True)
        names = _names(traces, options.channels)
        distinct = list(dict.fromkeys(names))
        self._columns = self._choose(distinct, options.channels)
        self._wanted = [distinct[column] for column in self._columns]
        self._names = names
        chosen = [trace for trace, name in zip(traces, names, strict=True) if name in self._wanted]
        self.sampling_rate = self._rate(chosen)
        self._begin = min(trace.stats.starttime for trace in chosen)
        spans = [self._span(trace) for trace in chosen]
        self._describe((max(stop for _, stop in spans), len(self._wanted)), np.dtype("f8"))
        self._require_no_overlap(chosen)

    def _load(self, *, headonly: bool) -> list[Any]:
        """Read all traces that have samples; warnings of the library become notes."""
        obspy = library("obspy", self.path)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                traces = list(obspy.read(self.file, headonly=headonly))
            except Exception as error:  # the package raises nearly any
                raise self.error(
                    f"cannot be read by ObsPy ({type(error).__name__}: {reason_of(error)}). Copy "
                    "it again, or convert it to miniSEED"
                ) from error
        ours = [w for w in caught if "Deprecat" not in w.category.__name__]
        said = list(dict.fromkeys(printable(w.message) for w in ours))
        if headonly:
            self._said = said
            for text in said[:MOST_WARNINGS]:
                self.note(text.rstrip("."))
            self._compare_records(traces)
        elif new := [text for text in said if text not in self._said]:
            # Warnings that occur only when samples are decompressed, such as of a checksum.
            raise self.error(f"has damaged samples ({new[0]}). Copy it again")
        return [trace for trace in traces if trace.stats.npts]

    def _compare_records(self, traces: list[Any]) -> None:
        """Compare the traces with the file, of which the library may skip bytes without a warning.

        It raises MemwaveError if a SEG-Y file was cut, and adds a note if bytes of a miniSEED file
        hold no samples.
        """
        kind = traces[0].stats.get("_format") if traces else ""
        if kind == "SEGY":
            require_whole_segy(self, [int(trace.stats.npts) for trace in traces])
        if kind != "MSEED":
            return
        counts = [trace.stats.mseed.number_of_records for trace in traces if "mseed" in trace.stats]
        size = sum(
            trace.stats.mseed.number_of_records * trace.stats.mseed.record_length
            for trace in traces
            if "mseed" in trace.stats
        )
        if size != self.file_size:
            self.note(
                f"{sum(counts)} records of samples are {size} bytes, the file has "
                f"{self.file_size}; the rest holds none that can be read"
            )

    def _rate(self, traces: Sequence[Any]) -> float:
        rates = sorted({float(trace.stats.sampling_rate) for trace in traces})
        if rates[-1] - rates[0] > RATE_TOLERANCE * rates[-1]:
            raise self.error(
                f"has channels of different sampling rates: {listed(map(rate_text, rates))} Hz. "
                "Choose channels of one rate"
            )
        if not rates[0] > 0:
            raise self.error(f"has a sampling rate of {rates[0]:g}, expected more than 0")
        return rates[0]

    def _span(self, trace: Any) -> tuple[int, int]:
        """Rows of a trace."""
        assert self.sampling_rate is not None
        place = float(trace.stats.starttime - self._begin) * self.sampling_rate
        start = round(place)
        if abs(place - start) > JITTER:
            remark = "some traces begin between two samples of the others; the nearest is taken"
            if remark not in self.notes:
                self.note(remark)
        return start, start + int(trace.stats.npts)

    def _require_no_overlap(self, traces: Sequence[Any]) -> None:
        ends: dict[str, int] = {}
        by_name = [
            (self._span(trace), name)
            for trace, name in zip(
                traces, [n for n in self._names if n in self._wanted], strict=True
            )
        ]
        for (start, stop), name in sorted(by_name):
            if start < ends.get(name, 0):
                raise self.error(
                    f"channel {shown(name)} has two traces for row {start}. Merge them before, "
                    "with Stream.merge of ObsPy"
                )
            ends[name] = stop

    def _blocks(self) -> Iterator[Block]:
        traces = self._load(headonly=False)
        # Without their samples, traces of different types that follow each other are one.
        names = _names(traces, self._wanted)
        by_column: list[list[tuple[int, np.ndarray]]] = [[] for _ in self._wanted]
        for trace, name in zip(traces, names, strict=True):
            if name in self._wanted:
                if trace.data.dtype.kind not in "iuf":
                    raise self.error(
                        f"channel {shown(name)} holds values of type {trace.data.dtype}, expected "
                        "numbers. Leave it out of the channels"
                    )
                place = self._wanted.index(name)
                by_column[place].append((self._span(trace)[0], trace.data))
        for start in range(0, self.shape[0], BLOCK_ROWS):
            stop = min(self.shape[0], start + BLOCK_ROWS)
            for column, own_traces in enumerate(by_column):
                values = np.full((stop - start, 1), np.nan)
                for first, data in own_traces:
                    low, high = max(start, first), min(stop, first + len(data))
                    if low < high:
                        samples = np.ma.asarray(data[low - first : high - first], np.float64)
                        values[low - start : high - start, 0] = np.ma.filled(samples, np.nan)
                yield slice(start, stop), slice(column, column + 1), values

    def close(self) -> None:
        """Do nothing: the file is open during a read only."""


def _names(traces: Sequence[Any], wanted: Sequence[str] | None) -> list[str]:
    """The channel of each trace: its code if codes are unique, else the whole identifier.

    Identifiers may be asked for in any case. Traces of a gather are numbered from 1.
    """
    formats = {trace.stats.get("_format") for trace in traces}
    if formats & set(GATHERS):
        return [str(i) for i in range(1, len(traces) + 1)]
    ids = [trace.id for trace in traces]
    codes = [trace.stats.channel for trace in traces]
    asked_by_id = wanted is not None and set(wanted) <= set(ids)
    unique = len(set(zip(codes, ids, strict=True))) == len(set(codes))
    if asked_by_id or not unique:
        return ids
    return [code or name.strip(".") or "trace" for code, name in zip(codes, ids, strict=True)]


def file_bytes(path: str) -> int:
    """Memory of loading a file."""
    file = file_of(path)
    copies = PACKED_COPIES if file.lower().endswith(PACKED) else COPIES
    return copies * os.path.getsize(file) if os.path.exists(file) else 0
