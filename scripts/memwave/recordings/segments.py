"""Which windows of which recordings: recordings as planned, windows over their rows, segments.

Pure functions of sizes; no file is opened here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from memwave.core.ranges import Range, shard_range
from memwave.recordings.resampling import Ratio


@dataclass(frozen=True)
class PlannedRecording:
    """A recording as a run was planned with it.

    Attributes
    ----------
    name : str
    path : str
        As `memwave.readers.open_array` understands it.
    dtype : str or None
        Type of the values of a raw file.
    rows : int
        Its length at the rate of its dataset.
    resample : (up, down) or None
        The ratio it is resampled by.
    missing : {"error", "drop", "interpolate"}
        What happens to missing values (NaN).
    max_gap : int or None
        Rows of the longest gap that is filled.
    """

    name: str
    path: str
    dtype: str | None
    rows: int
    resample: Ratio | None = None
    missing: str = "error"
    max_gap: int | None = None

    def __str__(self) -> str:
        return f"recording {self.name!r} ({self.path})"


@dataclass(frozen=True)
class Windows:
    """How windows lie over a recording.

    Attributes
    ----------
    window, step : int
        Rows of a window, and rows from the start of one to the start of the next.
    """

    window: int
    step: int

    def count(self, rows: int) -> int:
        """Number of whole windows in a recording of so many rows."""
        return 0 if rows < self.window else (rows - self.window) // self.step + 1

    def n_rows(self, count: int) -> int:
        """Number of rows that `count` consecutive windows cover."""
        return (count - 1) * self.step + self.window

    def rows(self, first: int, count: int) -> Range:
        """First and one past last row that `count` windows from window `first` on cover."""
        start = first * self.step
        return start, start + self.n_rows(count)


@dataclass(frozen=True)
class Segment:
    """Consecutive windows of one recording that a shard holds.

    Attributes
    ----------
    recording : PlannedRecording
    first, count : int
        The first window, counted in its recording, and the number of windows.
    row : int
        Row of the shard where they begin.
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
    """Cut the windows of all recordings into shards; return the segments of one shard.

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
    start, stop = shard_range(sum(counts), shard, n_shards, grain)
    found, begin = [], 0
    for recording, count in zip(recordings, counts, strict=True):
        low, high = max(start, begin), min(stop, begin + count)
        if low < high:
            found.append(Segment(recording, low - begin, high - low, low - start))
        begin += count
    return tuple(found)


def count_windows(segments: Sequence[Segment]) -> int:
    """Number of windows of all segments."""
    return sum(segment.count for segment in segments)
