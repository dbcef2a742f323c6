"""Ranges of rows: shards, runs and blocks cover every row exactly once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranges import GAPS, ranges_of, rows_of

from memwave.core.ranges import (
    MEGABYTE,
    count_rows,
    count_shards,
    interleave,
    located,
    rows_per_block,
    shard_range,
    spans,
)

SIZES = st.integers(1, 10**12)


@pytest.mark.parametrize(
    ("wanted", "n_rows", "row_bytes", "expected"),
    [
        ("auto", 140_000, 2 * 3504, 4),
        ("auto", 1, 8, 1),
        ("auto", 0, 8, 1),
        ("auto", 32_000_000, 8, 1),
        ("auto", 32_000_001, 8, 2),
        ("auto", 3, 10**12, 3),  # no shard is empty
        ("auto", 10**12, 10**3, 10_000),
        (7, 10, 8, 7),
        (11, 10, 8, 11),  # refused later, with a reason
    ],
)
def test_the_number_of_shards_follows_from_the_size_alone(wanted, n_rows, row_bytes, expected):
    assert count_shards(wanted, n_rows, row_bytes) == expected


@given(n_rows=SIZES, n_shards=st.integers(1, 10_000), data=st.data())
def test_shards_are_neighbours_of_nearly_equal_size(n_rows, n_shards, data):
    shard = data.draw(st.integers(0, n_shards - 1))
    start, stop = shard_range(n_rows, shard, n_shards)
    assert stop - start in (n_rows // n_shards, -(-n_rows // n_shards))
    assert start == (shard_range(n_rows, shard - 1, n_shards)[1] if shard else 0)
    assert stop == n_rows or shard < n_shards - 1


@given(n_shards=st.integers(1, 50), extra=st.integers(0, 500))
def test_no_shard_is_empty_where_rows_suffice(n_shards, extra):
    for shard in range(n_shards):
        start, stop = shard_range(n_shards + extra, shard, n_shards)
        assert start < stop


@given(start=st.integers(0, 50), length=st.integers(0, 200), size=st.integers(1, 60))
def test_spans_cut_without_gap_or_overlap(start, length, size):
    cuts = list(spans(start, start + length, size))
    assert rows_of(cuts) == list(range(start, start + length))
    assert all(stop - low == size for low, stop in cuts[:-1])


@given(
    block_mb=st.integers(1, 10_000),
    n_features=st.integers(1, 10**6),
    dtype=st.sampled_from(["float16", "float32", "float64"]),
)
def test_a_block_is_the_largest_that_fits(block_mb, n_features, dtype):
    rows = rows_per_block(block_mb, n_features, dtype)
    row_bytes = n_features * np.dtype(dtype).itemsize
    assert rows == 1 or rows * row_bytes <= block_mb * MEGABYTE
    assert (rows + 1) * row_bytes > block_mb * MEGABYTE


@given(n_rows=st.integers(0, 400), run=st.integers(1, 50), combs=st.integers(1, 50))
def test_interleaving_reorders_rows_without_loss(n_rows, run, combs):
    runs = list(interleave(n_rows, run, combs))
    assert sorted(rows_of(runs)) == list(range(n_rows))
    assert all(0 < stop - start <= run for start, stop in runs)


@pytest.mark.parametrize(("n_rows", "run", "combs"), [(1000, 10, 5), (96, 1, 4), (640, 8, 16)])
def test_each_comb_takes_one_run_of_every_stretch(n_rows, run, combs):
    rows = np.array(rows_of(interleave(n_rows, run, combs)))
    groups = n_rows // (run * combs)
    for comb in np.array_split(rows, combs):
        assert np.array_equal(comb[::run] // (run * combs), np.arange(groups))


def test_the_place_of_a_comb_in_a_stretch_has_no_period():
    runs = np.array(list(interleave(10_000, 1, 100)))[:100, 0]
    places = runs % 100
    for period in range(1, 40):
        assert not np.array_equal(places[period:], places[:-period])
    assert np.histogram(places, bins=10, range=(0, 100))[0].min() >= 8


@given(gaps=GAPS, data=st.data())
def test_runs_of_counted_rows_are_found_in_the_shard(gaps, data):
    ranges = ranges_of(gaps)
    rows = rows_of(ranges)
    assert count_rows(ranges) == len(rows)
    low = data.draw(st.integers(0, len(rows)))
    high = data.draw(st.integers(low, len(rows)))
    assert rows_of(located((low, high), ranges)) == rows[low:high]
