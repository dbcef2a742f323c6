"""Windows of recordings, and the segments of them that shards hold: every window exactly once."""

import re

from hypothesis import given
from hypothesis import strategies as st

from memwave.core.ranges import MEGABYTE, SHARD_MB, recording_ranges, shard_range
from memwave.recordings.segments import (
    PlannedRecording,
    Windows,
    count_windows,
    file_name,
    segments,
)

COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=8)


@given(rows=st.integers(0, 80), window=st.integers(1, 90), step=st.integers(1, 90))
def test_windows_are_those_that_fit(rows, window, step):
    starts = [start for start in range(0, rows, step) if start + window <= rows]
    assert Windows(window, step).count(rows) == len(starts)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 50), st.integers(1, 50))
def test_windows_cover_the_rows_from_their_first_to_their_last(window, step, first, count):
    windows = Windows(window, step)
    starts = [i * step for i in range(first, first + count)]
    covered = {row for start in starts for row in (start, start + window - 1)}
    start, stop = windows.rows(first, count)
    assert (start, stop) == (min(covered), max(covered) + 1)
    assert windows.n_rows(count) == stop - start
    assert windows.count(stop) == first + count


@given(
    counts=COUNTS, n_shards=st.integers(1, 9), windows=st.builds(Windows, *[st.integers(1, 9)] * 2)
)
def test_segments_hold_every_window_once_and_in_order(counts, n_shards, windows):
    rows = [windows.n_rows(count) if count else windows.window - 1 for count in counts]
    recordings = [PlannedRecording(str(i), "", None, n) for i, n in enumerate(rows)]
    found = []
    for shard in range(n_shards):
        row = 0
        mine = segments(recordings, windows, shard, n_shards)
        for segment in mine:
            assert segment.count > 0
            assert segment.row == row
            row += segment.count
            number = recordings.index(segment.recording)
            found += [(number, segment.first + i) for i in range(segment.count)]
        start, stop = shard_range(sum(counts), shard, n_shards)
        assert row == count_windows(mine) == stop - start
    assert found == [(i, j) for i, count in enumerate(counts) for j in range(count)]


@given(
    counts=COUNTS,
    row_bytes=st.sampled_from([1, 20_000_000, 60_000_000, 300_000_000]),
    grain=st.integers(1, 5),
)
def test_shards_of_recordings_hold_rows_of_one_each_and_depend_on_no_other(
    counts, row_bytes, grain
):
    found = recording_ranges(counts, row_bytes, grain)
    for count, ranges in zip(counts, found, strict=True):
        assert ranges == recording_ranges([count], row_bytes, grain)[0]
        assert [row for start, stop in ranges for row in range(start, stop)] == list(range(count))
        longer = recording_ranges([count + 7], row_bytes, grain)[0]
        assert longer[: max(0, len(ranges) - 1)] == ranges[:-1]
        for start, stop in ranges:
            assert start % grain == 0
            assert (stop - start) * row_bytes <= SHARD_MB * MEGABYTE or stop - start <= grain


def test_names_of_files_tell_recordings_apart():
    names = ["monday", "mon day", "mon-day", "mon/day", "é", "è", "f7940a00", "x" * 200, "x" * 199]
    names.append(file_name("mon day"))
    found = list(map(file_name, names))
    assert len(set(found)) == len(names)
    assert found[0] == "monday"
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,60}", name) for name in found)
