"""XDF files of the Lab Streaming Layer, read by pyxdf: ``x.xdf::stream``.

`memwave.readers.formats.xdf.chunks` finds the streams. When a run is planned, the package reads
only the times of the samples; only a conversion reads the samples, of one stream.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np

from memwave.core.messages import did_you_mean, listed, rate_text, shown
from memwave.readers.base import Options, file_of, reason_of
from memwave.readers.formats.xdf.chunks import SAMPLE_BYTES, NotXDF, Stream, scan
from memwave.readers.shared.exact import require_exact
from memwave.readers.shared.libraries import library
from memwave.readers.shared.row_counts import remembered_rows
from memwave.readers.sources import Block, StreamSource

NEEDS_DTYPE = False
LIBRARIES = ("pyxdf",)
LIBRARY_MB = 40

# Memory of loading a stream, as a multiple of its samples and their times.
COPIES = 8
# Most samples of a stream: their times take some 90 bytes each when a run is planned.
MOST_SAMPLES = 40_000_000
BLOCK_ROWS = 1 << 16
# A step between two samples that is longer than this many regular steps is a gap.
LONGEST_STEP = 1.5
# The package smooths times between breaks, which are steps longer than both of these. Its defaults
# would smooth a gap of 500 samples, as if none were lost.
BREAK_SECONDS, BREAK_SAMPLES = 1.0, 2
# Samples on both sides of a shorter step that show whether the times after it remain late.
AROUND = 100


class Source(StreamSource):
    """Channels of a stream of constant rate; lost samples are NaN."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        self._pyxdf = library("pyxdf", path)
        self._stream = self._find()
        names = _channel_names(self._stream)
        self._columns = self._choose(names, options.channels)
        if len(self._stream.units) == len(names):
            chosen = zip(self.channel_names or (), self._columns, strict=True)
            units = ((name, self._stream.units[column]) for name, column in chosen)
            self.units = {name: unit for name, unit in units if unit}
        self.sampling_rate = self._stream.rate
        reading = f"{self._stream.name}, breaks of {BREAK_SECONDS:g} s"
        rows, remark = remembered_rows(self.file, self._count, reading)
        if remark:
            self.note(remark)
        small = self._stream.kind == "float32"
        self._describe((rows, len(self._columns)), np.dtype("f4" if small else "f8"))

    def _find(self) -> Stream:
        """The stream of the path, or the only one that has numbers at a rate."""
        try:
            streams, cut = scan(self.file)
        except (NotXDF, ParseError, ValueError) as error:
            raise self.error(
                f"cannot be read as XDF ({reason_of(error)}). Copy it again"
            ) from error
        wanted = self.path[len(self.file) + 2 :]
        names = [stream.name for stream in streams]
        found = [s for s in streams if (s.name == wanted if wanted else s.is_regular)]
        found = found if wanted else [s for s in found if s.samples] or found
        if len(found) != 1:
            raise self.error(
                f"holds the streams {listed(map(shown, names))}, of which {len(found)} fit. "
                f"Expected a path such as {self.file}::stream.{did_you_mean(wanted, names)}"
            )
        stream = found[0]
        if not stream.is_regular:
            raise self.error(
                f"stream {shown(stream.name)} has {stream.samples} markers or samples without a "
                "rate, expected numbers at a constant rate. Name another stream"
            )
        size = stream.samples * stream.width * SAMPLE_BYTES[stream.kind]
        if not 0 < size <= self.file_size and stream.samples:
            raise self.error(
                f"stream {shown(stream.name)} announces {stream.samples:,} samples of "
                f"{stream.width:,} channels, the file has {self.file_size:,} bytes. Copy it again"
            )
        if stream.samples > MOST_SAMPLES:
            raise self.error(
                f"stream {shown(stream.name)} has {stream.samples:,} samples, expected at most "
                f"{MOST_SAMPLES:,}. Convert it to .npy in parts"
            )
        if not stream.samples:
            raise self.error(
                f"stream {shown(stream.name)} has no sample"
                f"{f' before its last {cut} bytes, which are no whole chunk' if cut else ''}. "
                "Copy it again, or name another stream"
            )
        if cut:
            self.note(
                f"its last {cut} bytes are no whole chunk, since the recording was not finished or "
                f"the file was cut short; the {stream.samples} samples before them are read"
            )
        elif stream.announced not in (None, stream.samples):
            raise self.error(
                f"stream {shown(stream.name)} announces {stream.announced} samples, the file holds "
                f"{stream.samples}. Copy it again"
            )
        return stream

    def _load(self, stamps: list[np.ndarray] | None = None) -> dict:
        """Load the stream; given a list, only its times, and add those in the file to the list."""

        def times_only(rows: np.ndarray, times: np.ndarray, info: Any, number: int) -> tuple:
            assert stamps is not None
            stamps.append(np.array(times, np.float64))
            return rows[:, :0].copy(), times, info

        number, count = self._stream.number, self._stream.samples
        # Its remarks on standard error are not needed: the samples are counted.
        logging.getLogger("pyxdf").setLevel(logging.CRITICAL)
        try:
            (found,), _ = self._pyxdf.load_xdf(
                self.file,
                [number],
                on_chunk=None if stamps is None else times_only,
                jitter_break_threshold_seconds=BREAK_SECONDS,
                jitter_break_threshold_samples=BREAK_SAMPLES,
            )
        except Exception as error:  # the package raises nearly any
            raise self.error(
                f"cannot be read as XDF ({type(error).__name__}: {reason_of(error)}). Copy it again"
            ) from error
        # The package leaves out chunks that it cannot read, without an error.
        if len(found["time_stamps"]) < count:
            raise self.error(
                f"{count} samples are in its chunks, of which {len(found['time_stamps'])} can be "
                "read. Copy it again"
            )
        return found

    def _count(self) -> tuple[int, str]:
        """Rows, and a remark on lost samples and on the rate."""
        stamps: list[np.ndarray] = []
        found = self._load(stamps)
        places, gaps = self._places(found)
        rows = int(places[-1]) + 1 if len(places) else 0
        remarks = []
        if lost := rows - len(places):
            remarks.append(f"{lost} samples were lost in {gaps} gaps; they are missing")
        rate, effective = self._stream.rate, float(found["info"].get("effective_srate") or 0)
        if effective and abs(effective - rate) > 1e-3 * rate:
            remarks.append(
                f"it has {rate_text(rate)} rows a second by its header, {effective:.6g} by its "
                "clock"
            )
        jump = self._short_jump(np.concatenate(stamps), effective or rate)
        return rows, "; ".join([*remarks, *jump])

    def _short_jump(self, times: np.ndarray, rate: float) -> Iterator[str]:
        """A remark if times jump by less than a break, and those after the jump remain late."""
        late = times * rate - np.arange(len(times))
        jumps = np.diff(late)
        jumps[jumps >= max(BREAK_SECONDS * rate, BREAK_SAMPLES)] = 0
        last = int(np.argmax(jumps)) if len(jumps) else 0
        if not len(jumps) or jumps[last] < 1:
            return
        before, after = late[max(0, last + 1 - AROUND) : last + 1], late[last + 1 :][:AROUND]
        if np.median(after) - np.median(before) > jumps[last] / 2:
            yield (
                f"its times jump by {jumps[last]:.3g} samples after sample {last}, which is taken "
                "for jitter; if samples were lost there, cut it into recordings"
            )

    def _places(self, found: dict) -> tuple[np.ndarray, int]:
        """The row of each sample, consecutive except at gaps, and the number of gaps."""
        times = np.asarray(found["time_stamps"][: self._stream.samples], np.float64)
        steps = np.diff(times) * self._stream.rate
        if np.any(steps <= 0):
            row = int(np.flatnonzero(steps <= 0)[0]) + 1
            raise self.error(f"its sample {row} is not later than the one before. Repair its times")
        rows = np.where(steps > LONGEST_STEP, np.rint(steps), 1).astype(np.int64)
        places = np.concatenate([[0], np.cumsum(rows)]) if len(times) else np.zeros(0, np.int64)
        return places, int((rows > 1).sum())

    def _blocks(self) -> Iterator[Block]:
        found = self._load()
        stored, (places, _) = np.asarray(found["time_series"]), self._places(found)
        for start in range(0, self.shape[0], BLOCK_ROWS):
            stop = min(self.shape[0], start + BLOCK_ROWS)
            low, high = np.searchsorted(places, [start, stop])
            own = stored[low:high, self._columns]
            require_exact(self, own, places[low:high], self._channel_labels())
            values = np.full((stop - start, self.shape[1]), np.nan, self.dtype)
            values[places[low:high] - start] = own
            yield slice(start, stop), slice(0, self.shape[1]), values

    def close(self) -> None:
        """Do nothing: the file is open during a pass only."""


def _channel_names(stream: Stream) -> list[str]:
    """Labels of the channels in the description of a stream, else numbers from 1 on."""
    if len(stream.labels) == stream.width and all(stream.labels):
        return stream.labels
    return [str(i) for i in range(1, stream.width + 1)]


def file_bytes(path: str) -> int:
    """Memory of loading a stream; the largest one counts."""
    file = file_of(path)
    if not os.path.exists(file):
        return 0
    try:
        streams, _ = scan(file)
    except (NotXDF, ParseError, ValueError, OSError):
        return 0  # opening the file reports the error
    sizes = (s.samples * (s.width * SAMPLE_BYTES.get(s.kind, 8) + 8) for s in streams)
    return COPIES * max(sizes, default=0)
