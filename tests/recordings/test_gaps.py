"""Gaps of recordings: found across blocks, windows that touch none, straight lines across them."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memwave.recordings.gaps import filled, gaps, renumbered, whole_windows
from memwave.recordings.segments import Windows


@st.composite
def recordings(draw):
    """A recording with gaps, float64, of one to three channels."""
    n, width = draw(st.integers(1, 60)), draw(st.integers(1, 3))
    rows = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(n, width))
    for _ in range(draw(st.integers(0, 4))):
        start, channel = draw(st.integers(0, n - 1)), draw(st.integers(0, width - 1))
        rows[start : start + draw(st.integers(1, 9)), channel] = np.nan
    return rows


def some_cuts(data, n):
    return sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))


@given(rows=recordings(), data=st.data())
def test_gaps_are_the_runs_of_rows_with_missing_values(rows, data):
    blocks = np.split(rows, some_cuts(data, len(rows)))
    found = list(gaps(blocks, 7))
    flags = np.zeros(len(rows) + 8, bool)
    for start, stop in found:
        flags[start:stop] = True
    np.testing.assert_array_equal(flags[7:-1], np.isnan(rows).any(axis=1))
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


@given(rows=recordings(), data=st.data())
def test_whole_windows_are_those_without_a_missing_value(rows, data):
    window, step = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 25))
    total = Windows(window, step).count(len(rows))
    first = data.draw(st.integers(0, total))
    count = data.draw(st.integers(0, total - first))
    found = list(whole_windows(first, count, window, step, gaps([rows], 0)))
    expected = [
        w for w in range(first, first + count) if np.isfinite(rows[w * step :][:window]).all()
    ]
    assert [w for start, stop in found for w in range(start, stop)] == expected
    assert all(start < stop for start, stop in found)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


@st.composite
def range_lists(draw, n):
    cuts = sorted(draw(st.lists(st.integers(0, n), max_size=8, unique=True)))
    return list(zip(cuts[::2], cuts[1::2], strict=False))


@given(ranges=range_lists(40), valid=range_lists(40))
def test_ranges_are_renumbered_as_if_rows_were_taken_out(ranges, valid):
    rows = [row for start, stop in valid for row in range(start, stop)]
    wanted = {row for start, stop in ranges for row in range(start, stop)}
    expected = [i for i, row in enumerate(rows) if row in wanted]
    found = renumbered(ranges, valid)
    assert [i for start, stop in found for i in range(start, stop)] == expected
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


@given(rows=recordings(), most=st.integers(0, 9))
def test_short_gaps_are_bridged_by_straight_lines(rows, most):
    found = filled(rows.copy(), most)
    for column, original in zip(found.T, rows.T, strict=True):
        known = np.flatnonzero(np.isfinite(original))
        np.testing.assert_array_equal(column[known], original[known])
        for row in np.flatnonzero(np.isnan(original)):
            before, after = known[known < row], known[known > row]
            inner = len(before) and len(after) and after[0] - before[-1] - 1 <= most
            if inner:
                expected = np.interp(row, known, original[known])
                np.testing.assert_allclose(column[row], expected, rtol=1e-12, atol=1e-14)
            else:
                assert np.isnan(column[row])


@given(rows=recordings(), most=st.integers(0, 5), data=st.data())
def test_a_stretch_with_margins_is_filled_as_the_whole(rows, most, data):
    start = data.draw(st.integers(0, len(rows) - 1))
    stop = data.draw(st.integers(start + 1, len(rows)))
    low, high = max(0, start - most - 1), stop + most + 1
    piece = filled(rows[low:high].copy(), most)[start - low : stop - low]
    np.testing.assert_array_equal(piece, filled(rows.copy(), most)[start:stop])


def test_what_has_no_gap_is_not_copied():
    rows = np.ones((4, 2), np.float32)
    assert filled(rows, 3) is rows
    whole = np.ones((4, 2), np.int16)
    assert filled(whole, 3) is whole
    assert list(gaps([whole], 0)) == []
