"""Windows of recordings, and the segments of them that shards hold: every window exactly once."""

from hypothesis import given
from hypothesis import strategies as st

from memwave.core.ranges import shard_range
from memwave.recordings.segments import PlannedRecording, Windows, count_windows, segments

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
