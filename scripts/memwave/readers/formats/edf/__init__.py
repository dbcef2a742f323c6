"""EDF and BDF, EDF+ and BDF+ (electroencephalograms): physical values of named channels.

memwave reads them itself, since libraries reject common files, or return zeros if a read fails.
`memwave.readers.formats.edf.header` reads the headers.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, rate_text, shown
from memwave.readers.base import Options
from memwave.readers.formats.edf.annotations import annotations_of, record_onsets
from memwave.readers.formats.edf.header import Header, NotEDF, Signal, read_header
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 5

# Size of the records that are read at once. Of larger records only the wanted samples are read.
READ_BYTES = 1 << 20

# Half of the last digit of a duration below ten seconds, which has eight characters in a header.
DIGITS = 5e-7


class Source(ArraySource):
    """Signals of one sampling rate in an EDF or BDF file, as float64 in their physical unit."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        if self.file != path:
            raise self.error("an EDF file holds one recording, expected no '::' after it")
        self._stream = open(self.file, "rb", buffering=0)  # noqa: SIM115 - `close` closes it
        try:
            self._header = read_header(self._stream)
            self._find_records()
            self._find_signals(options)
            self._look_for_gaps()
        except NotEDF as error:
            self.close()
            raise self.error(
                f"cannot be read as EDF or BDF: {error}. Save it anew, or repair its header"
            ) from error
        except BaseException:
            self.close()
            raise
        for remark in self._header.notes:
            self.note(remark)

    def _find_records(self) -> None:
        """Compare the records that the header announces with those in the file."""
        header = self._header
        size = header.record_bytes
        if not size:
            raise NotEDF("its records hold no sample")
        self._records, rest = divmod(self.file_size - header.start, size)
        if header.records == -1:
            self.note(
                f"its header does not say how many records it has, since the recorder was never "
                f"stopped; the file holds {self._records}, which are read"
            )
        elif header.records < 0:
            raise NotEDF(f"its number of records is {header.records}")
        elif header.records > self._records:
            raise self.error(
                f"was cut short: its header announces {header.records} records of {size} bytes, "
                f"the file holds {self._records}. Copy it again, or correct the number of records "
                "in its header"
            )
        elif header.records < self._records:
            self.note(
                f"its header announces {header.records} records, the file holds {self._records}; "
                "all of them are read"
            )
        if rest:
            self.note(f"{rest} bytes after its last whole record are not read")

    def _find_signals(self, options: Options) -> None:
        """Choose signals, which must have one sampling rate."""
        signals = [signal for signal in self._header.signals if not signal.is_annotation]
        if not signals:
            raise self.error("has no signal, only annotations. Expected a recording")
        chosen = self._choose([signal.label for signal in signals], options.channels)
        self._signals = [signals[column] for column in chosen]
        self.units = {s.label: s.unit for s in self._signals if s.unit}
        if not self._header.duration > 0:
            raise NotEDF(
                f"the duration of a record is {self._header.duration:g} seconds, so that it has "
                "no sampling rate; expected more than 0"
            )
        counts = {signal.samples for signal in self._signals}
        if len(counts) > 1:
            rates = listed(f"{shown(s.label)} {rate_text(self._rate(s))} Hz" for s in self._signals)
            raise self.error(
                f"has channels of different sampling rates: {rates}. Choose channels of one rate, "
                "or set sampling_rate and resample: polyphase for the dataset"
            )
        self._samples = counts.pop()
        try:
            self._scaling = [signal.scaling() for signal in self._signals]
        except NotEDF as error:
            raise self.error(
                f"{error}. Leave it out of the channels of the dataset, or correct its header"
            ) from error
        self.sampling_rate = self._rate(self._signals[0])
        shape = self._records * self._samples, len(self._signals)
        self._describe(shape, np.dtype("f8"))

    def _rate(self, signal: Signal) -> float:
        return signal.samples / self._header.duration

    def _look_for_gaps(self) -> None:
        """Require of a file that may have gaps (EDF+D) that it has none.

        Of another one (EDF+C), the first and the last onset are compared, for a note.
        """
        if self._header.discontinuous:
            gap = self._gap(range(self._records))
            if gap is None:
                raise NotEDF("it is EDF+D, but has no annotations that say when its records begin")
            if gap:
                raise self.error(f"has a gap (EDF+D): {gap}. Cut it into recordings there")
            return
        with suppress(NotEDF):
            drift = DIGITS * max(1, self._header.duration)
            if self._records > 1 and self._gap([0, self._records - 1], drift):
                self.note(
                    "its header says that it has no gap (EDF+C), but by its annotations "
                    f"{self._gap(range(self._records), drift)}; its records are read one after "
                    "the other"
                )

    def _gap(self, records: Sequence[int], drift: float = 0) -> str | None:
        """The first of some records that is not where it should be; None if no onset is stated.

        `drift` is the error of the duration of a record, in seconds.
        """
        onsets = record_onsets(self._stream, self._header, records)
        if onsets is None:
            return None
        expected = onsets[0] + (np.asarray(records) - records[0]) * self._header.duration
        allowed = 0.5 / self._rate(self._signals[0]) + drift * np.asarray(records)
        wrong = np.flatnonzero(~(np.abs(onsets - expected) < allowed))
        if not len(wrong):
            return ""
        first = int(wrong[0])
        return (
            f"record {records[first]} begins at {onsets[first]:.12g} seconds, expected "
            f"{expected[first]:.12g}"
        )

    def _read(self, start: int, stop: int) -> np.ndarray:
        values = np.empty((stop - start, len(self._signals)))
        together = self._samples * max(1, READ_BYTES // self._header.record_bytes)
        row = start
        while row < stop:
            high = min(stop, (row // self._samples) * self._samples + together)
            for i, digital in enumerate(self._by_signal(row, high)):
                gain, offset = self._scaling[i]
                values[row - start : high - start, i] = gain * (offset + digital)
            row = high
        return values

    def _by_signal(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Read rows within a few records, or within a part of one, signal by signal."""
        header, size = self._header, self._header.record_bytes
        record, first = divmod(start, self._samples)
        if size > READ_BYTES:
            for signal in self._signals:
                at = record * size + signal.offset + first * header.width
                content = self._bytes(at, (stop - start) * header.width)
                yield self._digital(np.frombuffer(content, np.uint8))
            return
        last = -(-stop // self._samples)
        content = self._bytes(record * size, (last - record) * size)
        records = np.frombuffer(content, np.uint8).reshape(-1, size)
        for signal in self._signals:
            end = signal.offset + signal.samples * header.width
            stored = np.ascontiguousarray(records[:, signal.offset : end]).ravel()
            yield self._digital(stored)[first : first + stop - start]

    def _digital(self, stored: np.ndarray) -> np.ndarray:
        """Convert the bytes of samples to float64."""
        if self._header.width == 2:
            return stored.view("<i2").astype(np.float64)
        wide = np.zeros((len(stored) // 3, 4), np.uint8)
        wide[:, 1:] = stored.reshape(-1, 3)
        return (wide.view("<i4")[:, 0] >> 8).astype(np.float64)

    def _bytes(self, start: int, size: int) -> bytes:
        """Read bytes of the records."""
        self._stream.seek(self._header.start + start)
        content = bytearray(size)
        view, filled = memoryview(content), 0
        while filled < size:
            count = self._stream.readinto(view[filled:])
            if not count:
                raise OSError("the file ends early")
            filled += count
        return bytes(content)

    def close(self) -> None:
        self._stream.close()


def channel_rates(path: str, channels: Sequence[str]) -> list[float]:
    """Return the sampling rate of each channel; the rates may differ."""
    rates = []
    for channel in channels:
        with Source(path, Options(channels=[channel])) as source:
            rates.append(source.sampling_rate or 0.0)
    return rates


def annotations(path: str) -> Iterator[tuple[float, float, str]]:
    """Read the annotations of EDF+ or BDF+: onset and duration in seconds, and text.

    Seconds count from the first sample. An annotation without a duration has -1.

    Raises
    ------
    MemwaveError
        If the file has none.
    """
    try:
        with open(path, "rb") as file:
            header = read_header(file)
            file.seek(0, 2)
            records = (file.tell() - header.start) // max(1, header.record_bytes)
            yield from _annotations(path, file, header, records)
    except (NotEDF, OSError) as error:
        raise MemwaveError(
            f"{path}: its annotations cannot be read ({error}). Expected EDF+ or BDF+."
        ) from error


def _annotations(
    path: str, file: BinaryIO, header: Header, records: int
) -> Iterator[tuple[float, float, str]]:
    onsets = record_onsets(file, header, range(min(records, 1)))
    if onsets is None:
        raise MemwaveError(f"{path}: has no annotations. Expected EDF+ or BDF+.")
    for onset, duration, text in annotations_of(file, header, records):
        yield onset - float(onsets[0]), duration, text
