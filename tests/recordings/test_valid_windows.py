"""Valid windows: those without a missing value, in one shard or many, and no other."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memwave.core.errors import MemwaveError
from memwave.core.ranges import shard_range
from memwave.recordings.segments import PlannedRecording, Segment, Windows, segments
from memwave.recordings.valid_windows import (
    find_valid,
    save_valid,
    valid_ranges,
    valid_segments,
    valid_windows,
)

NAMES = ("a", "b")


def save(folder, rows):
    np.save(folder / "a.npy", rows)
    return PlannedRecording("monday", str(folder / "a.npy"), None, len(rows), missing="drop")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), block_rows=st.integers(1, 30))
def test_valid_windows_are_those_without_a_missing_value(tmp_path, data, block_rows):
    rows = np.ones((data.draw(st.integers(1, 60)), 2), np.float32)
    for _ in range(data.draw(st.integers(0, 4))):
        rows[data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 1))] = np.nan
    windows = Windows(data.draw(st.integers(1, 12)), data.draw(st.integers(1, 15)))
    total = windows.count(len(rows))
    if not total:
        return
    first = data.draw(st.integers(0, total - 1))
    count = data.draw(st.integers(1, total - first))
    segment, read = Segment(save(tmp_path, rows), first, count, 0), []
    found = list(find_valid(segment, windows, NAMES, block_rows, read.append))
    expected = [
        w
        for w in range(first, first + count)
        if np.isfinite(rows[w * windows.step :][: windows.window]).all()
    ]
    assert [w for start, stop in found for w in range(start, stop)] == expected
    assert sum(read) == windows.n_rows(count)


def test_an_infinite_value_is_not_a_missing_one(tmp_path):
    rows = np.ones((30, 2))
    rows[7, 1] = np.inf
    segment = Segment(save(tmp_path, rows), 0, 10, 0)
    with pytest.raises(MemwaveError, match=r"'monday'.*row 7, channel b is inf"):
        list(find_valid(segment, Windows(9, 1), NAMES, 4))


@st.composite
def shards(draw):
    """Windows of recordings, a number of shards, and which windows are valid, by recording."""
    counts = draw(st.lists(st.integers(0, 12), min_size=1, max_size=5))
    flags = [draw(st.lists(st.booleans(), min_size=n, max_size=n)) for n in counts]
    return counts, draw(st.integers(1, 4)), flags


def ranges_of(flags):
    edges = np.flatnonzero(np.diff(np.array(flags, bool), prepend=False, append=False))
    return [tuple(pair) for pair in edges.reshape(-1, 2).tolist()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=shards())
def test_files_of_shards_tell_valid_windows_and_segments(tmp_path, case):
    counts, n_shards, flags = case
    together = [flag for mine in flags for flag in mine]
    recordings = [PlannedRecording(str(i), "", None, n) for i, n in enumerate(counts)]
    paths, found = [], []
    for shard in range(n_shards):
        start, stop = shard_range(len(together), shard, n_shards)
        paths.append(tmp_path / f"{shard}.h5")
        save_valid(paths[shard], ranges_of(together[start:stop]))
        planned = segments(recordings, Windows(1, 1), shard, n_shards)
        rows = []  # as planned
        for segment in valid_segments(planned, paths[shard]):
            rows += range(segment.row, segment.row + segment.count)
            found += [(segment.recording.name, segment.first + i) for i in range(segment.count)]
        assert rows == np.flatnonzero(together[start:stop]).tolist()
        whole = valid_ranges([(0, stop - start)], paths[shard])
        assert whole == ([(0, len(rows))] if rows else [])
        assert valid_segments(planned, None) == planned
    expected = [(str(i), j) for i, mine in enumerate(flags) for j, flag in enumerate(mine) if flag]
    assert found == expected
    starts = [shard_range(len(together), i, len(paths))[0] for i in range(len(paths))]
    by_recording = valid_windows(counts, paths, starts)
    rows = [[w for start, stop in ranges for w in range(start, stop)] for ranges in by_recording]
    assert rows == [[j for j, flag in enumerate(mine) if flag] for mine in flags]


def test_without_files_every_window_is_valid():
    assert valid_windows([3, 0, 2], []) == [[(0, 3)], [], [(0, 2)]]
    assert valid_ranges([(2, 5)], None) == [(2, 5)]
