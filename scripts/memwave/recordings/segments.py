"""Recordings in a plan, the geometry of windows, and segments (consecutive windows of a recording).

Pure functions of sizes: no file is opened here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from xxhash import xxh3_64_hexdigest

from memwave.core.ranges import Range, shard_range
from memwave.readers import DEFAULTS, Options
from memwave.recordings.resampling import Ratio


@dataclass(frozen=True)
class ChannelGroup:
    """Channels of a recording that have one sampling rate, where others have another.

    Attributes
    ----------
    channels : tuple of str
    rate : float
        Stored rows per second.
    resample : (up, down) or None
        Resampling ratio.
    """

    channels: tuple[str, ...]
    rate: float
    resample: Ratio | None


@dataclass(frozen=True)
class PlannedRecording:
    """A recording in the plan of a run.

    Attributes
    ----------
    name : str
    path : str
        In the syntax of `memwave.readers.open_array`.
    dtype : str or None
        Type of the values of a raw file.
    rows : int
        Number of rows at the sampling rate of its dataset.
    resample : (up, down) or None
        Resampling ratio.
    missing : {"error", "drop", "interpolate"}
        Handling of missing values (NaN).
    max_gap : int or None
        Rows of the longest gap that is filled.
    converted : bool
        Whether `path` is what `convert_recordings` wrote: its rows have checksums.
    options : Options
        How its file is read.
    groups : tuple of ChannelGroup
        Channels by their sampling rate, if they have several; empty otherwise.
    """

    name: str
    path: str
    dtype: str | None
    rows: int
    resample: Ratio | None = None
    missing: str = "error"
    max_gap: int | None = None
    converted: bool = False
    options: Options = DEFAULTS
    groups: tuple[ChannelGroup, ...] = ()

    def __str__(self) -> str:
        return f"recording {self.name!r} ({self.path})"


@dataclass(frozen=True)
class LabelledRecording:
    """Windows of a recording, and where their labels are.

    Attributes
    ----------
    name : str
    split : {"train", "test"}
    n_windows : int
        As planned.
    labels : str or None
        Path of the labels of its rows.
    recording_label : str or None
        Label of all its rows. Both are None if the dataset has no labels.
    are_texts : bool
        Whether the labels of its rows were converted from texts.
    resample : (up, down) or None
        The ratio it is resampled by.
    """

    name: str
    split: str
    n_windows: int
    labels: str | None = None
    recording_label: str | None = None
    are_texts: bool = False
    resample: Ratio | None = None


@dataclass(frozen=True)
class Windows:
    """Geometry of sliding windows over a recording.

    Attributes
    ----------
    window, step : int
        Rows of a window, and rows from the start of one to the start of the next.
    """

    window: int
    step: int

    def count(self, rows: int) -> int:
        """Return the number of complete windows in a recording of `rows` rows."""
        return 0 if rows < self.window else (rows - self.window) // self.step + 1

    @property
    def apart(self) -> bool:
        """Whether there are rows between windows, which belong to none and are not read."""
        return self.step > self.window

    @property
    def distance(self) -> int:
        """Rows from one window to the next among the rows that are read."""
        return min(self.step, self.window)

    def n_rows(self, count: int) -> int:
        """Return the number of rows from the first to the last of `count` consecutive windows."""
        return (count - 1) * self.step + self.window

    def n_read(self, count: int) -> int:
        """Return the number of rows that are read for `count` consecutive windows."""
        return (count - 1) * self.distance + self.window

    def rows(self, first: int, count: int) -> Range:
        """Return the rows ``(start, stop)`` that `count` windows cover, starting with `first`."""
        start = first * self.step
        return start, start + self.n_rows(count)

    def without_gaps(self, rows: np.ndarray, count: int) -> np.ndarray:
        """Remove the rows between `count` windows from those that `rows` gives."""
        if not self.apart:
            return rows
        starts = range(0, count * self.step, self.step)
        return np.concatenate([rows[start : start + self.window] for start in starts])


@dataclass(frozen=True)
class Segment:
    """Consecutive windows of one recording in a shard.

    Attributes
    ----------
    recording : PlannedRecording
    first, count : int
        Index of the first window in its recording, and the number of windows.
    row : int
        Row of the shard at which the segment starts.
    """

    recording: PlannedRecording
    first: int
    count: int
    row: int


def segments(
    recordings: Sequence[PlannedRecording],
    windows: Windows,
    shard: int,
    n_shards: int,
    grain: int = 1,
) -> tuple[Segment, ...]:
    """Divide the windows of all recordings into shards; return the segments of one shard.

    Parameters
    ----------
    recordings : sequence of PlannedRecording
        In sheet order.
    windows : Windows
    shard, n_shards : int
        Which shard (0-based) of how many.
    grain : int
        Windows that are stored together.
    """
    counts = [windows.count(recording.rows) for recording in recordings]
    rows = shard_range(sum(counts), shard, n_shards, grain)
    return cut(recordings, counts, [rows])[0]


def cut(
    recordings: Sequence[PlannedRecording], counts: Sequence[int], ranges: Sequence[Range]
) -> list[tuple[Segment, ...]]:
    """Segments of each range of the windows of all recordings.

    Parameters
    ----------
    recordings : sequence of PlannedRecording
        In sheet order.
    counts : sequence of int
        Windows of each.
    ranges : sequence of (start, stop)
    """
    ends = list(accumulate(counts))
    shards = []
    for start, stop in ranges:
        found, i = [], bisect_right(ends, start)
        while i < len(ends) and ends[i] - counts[i] < stop:
            begin = ends[i] - counts[i]
            low, high = max(start, begin), min(stop, ends[i])
            if low < high:
                found.append(Segment(recordings[i], low - begin, high - low, low - start))
            i += 1
        shards.append(tuple(found))
    return shards


def file_name(recording: str) -> str:
    """A name for files of a recording: its own, or, where that is no name for files, alike.

    It depends on no other recording.
    """
    plain = re.sub("[^A-Za-z0-9_]+", "-", recording)[:40].strip("-")
    if plain == recording and not re.search("(^|-)[0-9a-f]{8}$", plain):
        return plain
    return f"{plain}-{xxh3_64_hexdigest(recording.encode())[:8]}".strip("-")


def count_windows(segments: Sequence[Segment]) -> int:
    """Return the number of windows in all segments."""
    return sum(segment.count for segment in segments)


def recordings_of(segments: Iterable[Segment]) -> list[PlannedRecording]:
    """The recordings that have rows in segments."""
    return [segment.recording for segment in segments]
