"""Which windows of a shard touch no gap, on disk: runs of the rows that were planned."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from memwave.core.ranges import shard_range
from memwave.recordings.gaps import Range, kept_of
from memwave.storage import hdf5

# Runs of all shards together, and of one shard at least: what they take is within what every
# stage has to spare.
MOST_RUNS, FEWEST_RUNS = 20_000, 100


def save_kept(path: str | Path, kept: Sequence[Range]) -> None:
    """Write the planned rows of a shard, as ranges, whose windows are whole."""
    hdf5.save_arrays(path, {"kept": np.array(kept, np.int64).reshape(-1, 2)})


def load_kept(path: str | Path) -> list[Range]:
    """Read what `save_kept` wrote."""
    return [(int(start), int(stop)) for start, stop in hdf5.load_arrays(path)["kept"]]


def ranges_left(ranges: Sequence[Range], path: str | Path | None) -> list[Range]:
    """Ranges of planned rows of a shard, as ranges of the rows that it has.

    Parameters
    ----------
    ranges : sequence of (start, stop)
    path : path or None
        What `find_gaps` wrote for the shard; None if every planned window was kept.
    """
    return list(ranges) if path is None else kept_of(ranges, load_kept(path))


def pieces_left(windows: list[dict], path: str | Path | None) -> list[dict]:
    """Cut the pieces of recordings that a shard was planned to hold to those with whole windows.

    Parameters
    ----------
    windows : list of dict
        With the ``first`` window of each piece, their ``count``, and the ``row`` of the shard where
        they were planned to begin.
    path : path or None
        What `find_gaps` wrote for the shard; None if every planned window is kept.
    """
    if path is None:
        return windows
    kept, left = load_kept(path), []
    for piece in windows:
        row, before = piece["row"], piece["first"] - piece["row"]
        for start, stop in overlaps(kept, row, row + piece["count"]):
            left.append({**piece, "first": before + start, "count": stop - start, "row": start})
    return left


def overlaps(ranges: Sequence[Range], start: int, stop: int) -> list[Range]:
    """The parts of ranges within ``start:stop``."""
    parts = ((max(start, low), min(stop, high)) for low, high in ranges)
    return [(low, high) for low, high in parts if low < high]


def windows_left(counts: Sequence[int], paths: Sequence[str | Path] | None) -> list[list[Range]]:
    """Runs of windows that are left of each recording.

    Parameters
    ----------
    counts : sequence of int
        Windows of every recording, as planned, in sheet order.
    paths : sequence of path or None
        What `find_gaps` wrote for all shards, in their order; none if every window is kept.
    """
    ends = np.cumsum(counts).tolist()
    if not paths:
        return [[(0, count)] if count else [] for count in counts]
    kept: list[Range] = []
    for i, path in enumerate(paths):
        begin, _ = shard_range(ends[-1], i, len(paths))
        kept += [(begin + start, begin + stop) for start, stop in load_kept(path)]
    return [
        [(low - end + count, high - end + count) for low, high in overlaps(kept, end - count, end)]
        for count, end in zip(counts, ends, strict=True)
    ]
