"""WFDB records, as on PhysioNet: a header (.hea) with the names of channels and signal files."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, rate_text, shown
from memwave.readers.base import Options, file_of, reason_of, require_short
from memwave.readers.formats.wfdb.segment import Segment
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES = ("wfdb",)
LIBRARY_MB = 80

# Stands for a file, or a segment, that does not exist.
NO_FILE = "~"

# Relative tolerance of rates, since files round them.
RATE_TOLERANCE = 1e-6


class Source(ArraySource):
    """Signals of a record, as float64 in their physical unit; an invalid sample is NaN.

    A frame of several samples becomes one row, the mean of its valid samples. If the requested rate
    is that of the samples of all channels, each sample becomes a row.
    """

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        if self.file != path:
            raise self.error("a WFDB header names one record, expected no '::' after it")
        self._wfdb = library("wfdb", path)
        header = _read_header(path)
        for file in _segment_headers(header, os.path.dirname(self.file)):
            self._watch(file)
        signals = self._chosen(header, options.channels)
        self._segments = list(self._find_segments(header, signals))
        self.units = self._find_units()
        for segment in self._segments:
            for file in segment.files():
                self._watch(file)
            segment.check(self)
        rows = self._rows(header)
        self._factor = self._samples_a_row(float(header.fs), options.sampling_rate)
        self.sampling_rate = float(header.fs) * self._factor
        self._describe((rows * self._factor, len(signals)), np.dtype("f8"))

    def _chosen(self, header: Any, wanted: Sequence[str] | None) -> list[int]:
        """Indices of the wanted signals; signals without names are taken in their order."""
        names = _names(header)
        if set(getattr(header, "file_name", None) or ()) == {NO_FILE}:
            raise self.error(
                "describes the signals of other segments, and has no samples. Name the header of "
                "the record"
            )
        if not any(_first(header).sig_name or ()):
            self.note("its signals have no names")
            if wanted is not None and len(wanted) == len(names) and not set(wanted) & set(names):
                self.channel_names = list(wanted)
                return list(range(len(names)))
        return self._choose(names, wanted)

    def _find_segments(self, header: Any, signals: list[int]) -> Iterator[Segment]:
        """The segments of a record in order; a record without segments is a single one."""
        folder = os.path.dirname(self.file)
        if getattr(header, "segments", None) is None:
            yield Segment(folder, header, 0, header.sig_len, list(signals))
            return
        names = _names(header)
        row = 0
        for part, length in zip(header.segments, header.seg_len, strict=True):
            if not length:
                continue  # the layout of the others
            columns: list[int | None] = [None] * len(signals)
            if part is not None:
                wanted = [names[column] for column in signals]
                columns = self._columns_of(part, header, signals, wanted)
            yield Segment(folder, part, row, length, columns)
            row += length

    def _columns_of(
        self, part: Any, header: Any, signals: list[int], wanted: list[str]
    ) -> list[int | None]:
        """Indices of the wanted signals in a segment; None for one that it does not have."""
        if abs(float(part.fs) - float(header.fs)) > RATE_TOLERANCE * float(header.fs):
            raise self.error(
                f"has {rate_text(float(header.fs))} frames a second, its segment "
                f"{part.record_name} {rate_text(float(part.fs))}. Correct its headers"
            )
        own, place = _names(part), f"segment {part.record_name}"
        if header.layout == "fixed":
            found = [dict(enumerate(own)).get(column) for column in signals]
            if found != wanted:
                raise self.error(
                    f"{place} has the signals {listed(map(shown, own))}, which are not those of "
                    "the first segment. Correct its header"
                )
            return list(signals)
        if twice := [name for name in wanted if own.count(name) > 1]:
            raise self.error(
                f"{place} has several signals called {shown(twice[0])}, expected one. Rename them "
                "in its header"
            )
        return [own.index(name) if name in own else None for name in wanted]

    def _find_units(self) -> dict[str, str]:
        """Units of the signals, which must be the same in all segments."""
        names = self.channel_names or ()
        units: dict[int, str] = {}
        for segment in self._segments:
            for i, column in enumerate(segment.columns):
                if segment.header is None or column is None:
                    continue
                unit = segment.header.units[column]
                if units.setdefault(i, unit) != unit:
                    raise self.error(
                        f"signal {shown(names[i])} is in {units[i]} in its first segment, in "
                        f"{unit} in {segment.header.record_name}. Convert one of them"
                    )
        return {names[i]: unit for i, unit in units.items()}

    def _rows(self, header: Any) -> int:
        """Frames of the record."""
        rows = sum(segment.rows for segment in self._segments)
        if header.sig_len is None:
            raise self.error(
                f"does not say how many samples the record has; its first file holds {rows}. Add "
                "the number to the first line of the header"
            )
        if header.sig_len != rows:
            raise self.error(
                f"announces {header.sig_len} samples, its segments have {rows}. Correct its header"
            )
        return rows

    def _samples_a_row(self, rate: float, wanted: float | None) -> int:
        """Rows for each frame: one, unless the requested rate is that of the samples."""
        counts = {count for segment in self._segments for count in segment.samples_a_frame()}
        if counts <= {1}:
            return 1
        factor = counts.pop() if len(counts) == 1 else 1
        if wanted and factor > 1 and abs(wanted - rate * factor) <= RATE_TOLERANCE * wanted:
            return factor
        more = f"; sampling_rate: {rate_text(rate * factor)} reads each" if factor > 1 else ""
        self.note(f"several samples a frame are averaged to {rate_text(rate)} rows a second{more}")
        return 1

    def channel_rates(self) -> list[float]:
        """Rows a second of the samples of each channel."""
        assert self.sampling_rate is not None
        frames = self.sampling_rate / self._factor
        rates = []
        for i in range(self.shape[1]):
            found = (segment.samples_of(i) for segment in self._segments)
            rates.append(frames * next((count for count in found if count), 1))
        return rates

    def _read(self, start: int, stop: int) -> np.ndarray:
        rows = np.full((stop - start, self.shape[1]), np.nan)
        if start == stop:
            return rows
        factor = self._factor
        first, last = start // factor, -(-stop // factor)
        for segment in self._segments:
            low, high = max(first, segment.start), min(last, segment.start + segment.rows)
            if low < high:
                values = segment.read(self._wfdb, low, high, factor)
                cut = max(0, start - low * factor)
                at = low * factor + cut - start
                values = values[cut : cut + stop - start - at]
                rows[at : at + len(values)] = values
        return rows

    def close(self) -> None:
        """Do nothing: the files are open during a read only."""


def channel_rates(path: str, channels: Sequence[str]) -> list[float]:
    """Return the sampling rate of each channel; the rates may differ."""
    with Source(path, Options(channels=channels)) as source:
        return source.channel_rates()


def files(path: str) -> list[str]:
    """List the header and the signal files of a record, or the file of its annotations."""
    file = file_of(path)
    if file != path:
        return [file, f"{os.path.splitext(file)[0]}.{path[len(file) + 2 :]}"]
    header, folder = _read_header(path), os.path.dirname(file)
    parts = getattr(header, "segments", None) or [header]
    names = [name for part in parts if part is not None for name in part.file_name or ()]
    found = [os.path.join(folder, name) for name in dict.fromkeys(names) if name != NO_FILE]
    # A missing file is no error here: its signals may not be wanted.
    return [file, *_segment_headers(header, folder), *filter(os.path.isfile, found)]


def _read_header(path: str) -> Any:
    read, record = library("wfdb", path).rdheader, os.path.splitext(path)[0]
    require_short(path, path)
    try:
        segments = _segment_headers(read(record), os.path.dirname(path))
        for file in segments:
            require_short(path, file)
        header = read(record, rd_segments=True)
        for part in getattr(header, "segments", None) or [header]:
            described = len(getattr(part, "file_name", None) or ())
            if part is not None and described != (part.n_sig or 0):
                raise MemwaveError(
                    f"{path}: announces {part.n_sig} signals and describes {described} of them. "
                    "Download the record again."
                )
        return header
    except MemwaveError:
        raise
    except Exception as error:  # the package raises nearly any
        raise MemwaveError(
            f"{path}: is not a WFDB header ({reason_of(error)}). Download the record again."
        ) from error


def _first(header: Any) -> Any:
    """The header with the names of the signals: of the record, or of its first segment."""
    segments = getattr(header, "segments", None)
    if segments is None:
        return header
    part = next((segment for segment in segments if segment is not None), None)
    if part is None:
        raise MemwaveError(
            f"{header.record_name}: all segments of the record are gaps. Expected signals."
        )
    return part


def _names(header: Any) -> list[str]:
    """Names of the signals; those without one have a number."""
    first = _first(header)
    names = first.sig_name or [None] * (first.n_sig or 0)
    return [name or f"signal {i}" for i, name in enumerate(names)]


def _segment_headers(header: Any, folder: str) -> list[str]:
    """Headers of the segments of a record; a gap between them has none."""
    names = [name for name in getattr(header, "seg_name", None) or () if name != NO_FILE]
    return [os.path.join(folder, f"{name}.hea") for name in dict.fromkeys(names)]


def annotations(path: str) -> Iterator[tuple[float, float, str]]:
    """Read annotations, ``x.hea`` or ``x.hea::annotator``: onset and duration in seconds, text.

    Annotations with a text, such as rhythms and sleep stages, last until the next one. If none has
    a text, each symbol, such as that of a beat, lasts until the next one.
    """
    wfdb = library("wfdb", path)
    file = file_of(path)
    annotator = path[len(file) + 2 :] or "atr"
    record = os.path.splitext(file)[0]
    try:
        header = wfdb.rdheader(record)
        found = wfdb.rdann(record, annotator)
    except Exception as error:  # the package raises nearly any
        raise MemwaveError(
            f"{path}: its annotations cannot be read ({reason_of(error)}). Expected the file "
            f"{record}.{annotator}; name another annotator as {file}::annotator."
        ) from error
    rate = float(found.fs or header.fs)
    texts = [text.strip("\0 ") for text in found.aux_note]
    kinds = texts if any(texts) else found.symbol
    states = [(int(s), kind) for s, kind in zip(found.sample, kinds, strict=True) if kind]
    if not states:
        raise MemwaveError(f"{path}: annotator {shown(annotator)} has no annotation.")
    ends = [sample for sample, _ in states[1:]]
    last = header.sig_len * rate / float(header.fs) if header.sig_len else states[-1][0] + 1
    for (sample, kind), end in zip(states, [*ends, max(last, states[-1][0] + 1)], strict=True):
        yield sample / rate, (end - sample) / rate, kind
