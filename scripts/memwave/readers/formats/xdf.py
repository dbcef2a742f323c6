"""XDF files of the Lab Streaming Layer, read by pyxdf: ``x.xdf::stream``."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from memwave.core.messages import did_you_mean, listed, rate_text, shown
from memwave.readers.base import Options, file_of, reason_of
from memwave.readers.shared.libraries import library
from memwave.readers.sources import Block, StreamSource

NEEDS_DTYPE = False
LIBRARIES = ("pyxdf",)
LIBRARY_MB = 40

# Memory of loading a file as a whole, as a multiple of its size: samples, their times, and copies.
COPIES = 8
BLOCK_ROWS = 1 << 16
# A step between two samples that is longer than this many regular steps is a gap.
LONGEST_STEP = 1.5


class Source(StreamSource):
    """Channels of a stream of constant rate; lost samples are NaN."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        self._data = self._load()
        info = self._data["info"]
        values = np.asarray(self._data["time_series"])
        rate = float(info["nominal_srate"][0])
        if values.dtype.kind not in "iuf" or values.ndim != 2 or not rate > 0:
            raise self.error(
                f"stream {shown(info['name'][0])} has {len(values)} markers or samples without a "
                "rate, expected numbers at a constant rate. Name another stream"
            )
        names = _channel_names(info, values.shape[1])
        self._columns = self._choose(names, options.channels)
        self._rows = self._places(rate, len(values))
        self.sampling_rate = rate
        shape = int(self._rows[-1]) + 1 if len(values) else 0, len(self._columns)
        small = values.dtype == np.float32
        self._describe(shape, np.dtype("f4" if small else "f8"))
        effective = info.get("effective_srate")
        if effective and abs(float(effective) - rate) > 1e-3 * rate:
            self.note(
                f"it has {rate_text(rate)} rows a second by its header, {float(effective):.6g} by "
                "its clock"
            )

    def _load(self) -> dict:
        """Load the stream of the path, or the only one that has a rate."""
        pyxdf = library("pyxdf", self.path)
        try:
            streams, _ = pyxdf.load_xdf(self.file, verbose=False)
        except Exception as error:  # the package raises nearly any
            raise self.error(
                f"cannot be read as XDF ({type(error).__name__}: {reason_of(error)}). Copy it again"
            ) from error
        wanted = self.path[len(self.file) + 2 :]
        names = [stream["info"]["name"][0] for stream in streams]
        if wanted:
            found = [s for s, name in zip(streams, names, strict=True) if name == wanted]
        else:
            found = [s for s in streams if float(s["info"]["nominal_srate"][0]) > 0]
        if len(found) != 1:
            raise self.error(
                f"holds the streams {listed(map(shown, names))}, of which {len(found)} fit. "
                f"Expected a path such as {self.file}::stream.{did_you_mean(wanted, names)}"
            )
        return found[0]

    def _places(self, rate: float, count: int) -> np.ndarray:
        """The row of each sample: rows are consecutive except at gaps."""
        steps = np.diff(np.asarray(self._data["time_stamps"][:count], np.float64)) * rate
        if np.any(steps <= 0):
            row = int(np.flatnonzero(steps <= 0)[0]) + 1
            raise self.error(f"its sample {row} is not later than the one before. Repair its times")
        rows = np.where(steps > LONGEST_STEP, np.rint(steps), 1).astype(np.int64)
        lost = int((rows - 1).sum())
        if lost:
            self.note(f"{lost} samples were lost in {int((rows > 1).sum())} gaps; they are missing")
        return np.concatenate([[0], np.cumsum(rows)]) if count else np.zeros(0, np.int64)

    def _blocks(self) -> Iterator[Block]:
        stored = np.asarray(self._data["time_series"])
        for start in range(0, self.shape[0], BLOCK_ROWS):
            stop = min(self.shape[0], start + BLOCK_ROWS)
            low, high = np.searchsorted(self._rows, [start, stop])
            values = np.full((stop - start, self.shape[1]), np.nan, self.dtype)
            values[self._rows[low:high] - start] = stored[low:high, self._columns]
            yield slice(start, stop), slice(0, self.shape[1]), values

    def close(self) -> None:
        self._data = {}


def _channel_names(info: Any, count: int) -> list[str]:
    """Labels of the channels in the description of a stream, else numbers from 1 on."""
    try:
        entries = info["desc"][0]["channels"][0]["channel"]
        labels = [entry["label"][0] for entry in entries]
    except (KeyError, IndexError, TypeError):
        labels = []
    return labels if len(labels) == count else [str(i) for i in range(1, count + 1)]


def file_bytes(path: str) -> int:
    """Memory of loading a file."""
    file = file_of(path)
    return COPIES * os.path.getsize(file) if os.path.exists(file) else 0
