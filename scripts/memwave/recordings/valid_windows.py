"""Valid windows, which contain no missing value: their search, and their file for each shard."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from memwave.core.ranges import Range, spans
from memwave.recordings.gaps import gaps, missing_rows, renumbered, whole_windows
from memwave.recordings.prepared import check_rows, open_stored, require_shape
from memwave.recordings.segments import Segment, Windows
from memwave.storage import hdf5

# Most ranges of all shards together, and at least per shard: every stage has memory for them.
MOST_RANGES, FEWEST_RANGES = 20_000, 100

# Most ranges of a shard whose boundaries follow recordings, however many shards there are.
MOST_OF_RECORDING = 500


def find_valid(
    segment: Segment,
    windows: Windows,
    channels: Sequence[str],
    block_rows: int,
    progress: Callable[[int], None] = lambda rows: None,
) -> Iterator[Range]:
    """Find the valid windows of a segment. The recording is read block by block.

    Parameters
    ----------
    segment : Segment
    windows : Windows
    channels : sequence of str
    block_rows : int
        Rows read at once.
    progress : callable
        Called with the number of rows of each block.

    Yields
    ------
    (start, stop) : tuple of int
        Ranges of windows of the recording.

    Raises
    ------
    MemwaveError
        If the recording differs from the plan, or has an infinite value.
    """
    if windows.apart:
        yield from _find_apart(segment, windows, channels, block_rows, progress)
        return
    first, last = windows.rows(segment.first, segment.count)

    def blocks() -> Iterator[np.ndarray]:
        recording = segment.recording
        with open_stored(recording, channels) as source:
            require_shape(source.shape, recording, len(channels))
            for start, stop in spans(first, last, block_rows):
                rows = source.read(start, stop)
                check_rows(rows, start, recording, channels, may_miss=True)
                yield rows
                progress(stop - start)

    missing = gaps(blocks(), first)
    yield from whole_windows(segment.first, segment.count, windows.window, windows.step, missing)


def _find_apart(
    segment: Segment,
    windows: Windows,
    channels: Sequence[str],
    block_rows: int,
    progress: Callable[[int], None],
) -> Iterator[Range]:
    """Find valid windows where rows between windows belong to none, and may hold anything."""
    recording, begin = segment.recording, None
    with open_stored(recording, channels) as source:
        require_shape(source.shape, recording, len(channels))
        last = segment.first + segment.count - 1
        for window in range(segment.first, last + 1):
            misses = False
            for start, stop in spans(*windows.rows(window, 1), block_rows):
                rows = source.read(start, stop)
                check_rows(rows, start, recording, channels, may_miss=True)
                misses = misses or bool(missing_rows(rows).any())
            if not misses and begin is None:
                begin = window
            elif misses and begin is not None:
                yield begin, window
                begin = None
            progress(windows.step if window < last else windows.window)
    if begin is not None:
        yield begin, last + 1


def save_valid(path: str | Path, valid: Sequence[Range]) -> None:
    """Write which planned rows of a shard are valid windows, as ranges."""
    hdf5.save_arrays(path, {"kept": np.array(valid, np.int64).reshape(-1, 2)})


def load_valid(path: str | Path) -> list[Range]:
    """Read the ranges that `save_valid` wrote."""
    return [(int(start), int(stop)) for start, stop in hdf5.load_arrays(path)["kept"]]


def valid_rows(path: str | Path | None) -> list[Range] | None:
    """Return the ranges of a file, if there is one; None if every planned window is valid."""
    return None if path is None else load_valid(path)


def valid_ranges(ranges: Sequence[Range], path: str | Path | None) -> list[Range]:
    """Translate ranges of planned rows of a shard into ranges of its valid rows.

    Parameters
    ----------
    ranges : sequence of (start, stop)
    path : path or None
        Output of `find_gaps` for the shard; None if every planned window is valid.
    """
    return list(ranges) if path is None else renumbered(ranges, load_valid(path))


def valid_segments(segments: Sequence[Segment], path: str | Path | None) -> tuple[Segment, ...]:
    """Reduce the planned segments of a shard to their valid windows.

    Parameters
    ----------
    segments : sequence of Segment
    path : path or None
        Output of `find_gaps` for the shard; None if every planned window is valid.
    """
    if path is None:
        return tuple(segments)
    valid, left = load_valid(path), []
    for segment in segments:
        before = segment.first - segment.row
        for start, stop in _overlaps(valid, segment.row, segment.row + segment.count):
            left.append(replace(segment, first=before + start, count=stop - start, row=start))
    return tuple(left)


def valid_windows(
    counts: Sequence[int], paths: Sequence[str | Path], first_rows: Sequence[int] = ()
) -> list[list[Range]]:
    """Return the ranges of valid windows of each recording.

    Parameters
    ----------
    counts : sequence of int
        Planned number of windows of every recording, in sheet order.
    paths : sequence of path
        Outputs of `find_gaps` for all shards, in order; empty if every window is valid.
    first_rows : sequence of int
        Row, as planned, that each shard begins with.
    """
    ends = np.cumsum(counts).tolist()
    if not paths:
        return [[(0, count)] if count else [] for count in counts]
    valid: list[Range] = []
    for begin, path in zip(first_rows, paths, strict=True):
        valid += [(begin + start, begin + stop) for start, stop in load_valid(path)]
    return [
        [
            (low - end + count, high - end + count)
            for low, high in _overlaps(valid, end - count, end)
        ]
        for count, end in zip(counts, ends, strict=True)
    ]


def _overlaps(ranges: Sequence[Range], start: int, stop: int) -> list[Range]:
    """Return the parts of the ranges within ``start:stop``."""
    parts = ((max(start, low), min(stop, high)) for low, high in ranges)
    return [(low, high) for low, high in parts if low < high]
