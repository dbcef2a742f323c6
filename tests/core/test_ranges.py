"""What is computed where: windows, shards, runs and blocks cover every row exactly once."""

import numpy as np
import pytest
from fitting import save_shard
from hypothesis import given
from hypothesis import strategies as st

from memwave.core.ranges import (
    MEGABYTE,
    count_windows,
    interleave,
    pieces,
    rows_per_block,
    shard_range,
    spans,
)
from memwave.pca.streaming import blocks, count_rows, cut, located, sample_shift
from memwave.storage.shards import Shard
from memwave.workflow.planning.memory import KERNEL_ROWS, projection_rows

SIZES = st.integers(1, 10**12)
COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=8)
# Lengths of gaps and of ranges, in turn.
GAPS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=6)


def ranges_of(gaps):
    """Disjoint ascending ranges with the given gaps before them."""
    ranges, done = [], 0
    for gap, length in gaps:
        ranges.append((done + gap, done + gap + length))
        done += gap + length
    return ranges


def rows_of(ranges):
    return [row for start, stop in ranges for row in range(start, stop)]


@given(rows=st.integers(0, 80), window=st.integers(1, 90), step=st.integers(1, 90))
def test_windows_are_those_that_fit(rows, window, step):
    starts = [start for start in range(0, rows, step) if start + window <= rows]
    assert count_windows(rows, window, step) == len(starts)


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


@given(windows=COUNTS, n_shards=st.integers(1, 9))
def test_pieces_hold_every_window_once_and_in_order(windows, n_shards):
    found = []
    for shard in range(n_shards):
        row = 0
        for piece in pieces(windows, shard, n_shards):
            assert piece.count > 0
            assert piece.row == row
            row += piece.count
            found += [(piece.recording, piece.first + i) for i in range(piece.count)]
        start, stop = shard_range(sum(windows), shard, n_shards)
        assert row == stop - start
    assert found == [(i, j) for i, count in enumerate(windows) for j in range(count)]


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


@given(n_features=st.integers(1, 10**6), dtype=st.sampled_from(["float32", "float64"]))
def test_a_block_that_is_projected_is_of_whole_groups_of_rows(n_features, dtype):
    fit, rows = rows_per_block(4, n_features, dtype), projection_rows(n_features, 32, dtype)
    assert rows == fit if fit < KERNEL_ROWS else rows == fit // KERNEL_ROWS * KERNEL_ROWS


@given(n_rows=st.integers(0, 400), run=st.integers(1, 50), combs=st.integers(1, 50))
def test_interleaving_reorders_rows_without_loss(n_rows, run, combs):
    runs = list(interleave(n_rows, run, combs))
    assert sorted(rows_of(runs)) == list(range(n_rows))
    assert all(0 < stop - start <= run for start, stop in runs)


@pytest.mark.parametrize(("n_rows", "run", "combs"), [(1000, 10, 5), (96, 1, 4), (640, 8, 16)])
def test_each_comb_takes_one_run_of_every_stretch(n_rows, run, combs):
    rows = np.array(rows_of(interleave(n_rows, run, combs)))
    stretches = n_rows // (run * combs)
    for comb in np.array_split(rows, combs):
        assert np.array_equal(comb[::run] // (run * combs), np.arange(stretches))


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


@given(gaps=GAPS, size=st.integers(1, 12))
def test_cutting_keeps_the_order_of_rows(gaps, size):
    runs = ranges_of(gaps)[::-1]
    cuts = list(cut(iter(runs), size))
    assert rows_of(cuts) == rows_of(runs)
    assert all(stop - start <= size for start, stop in cuts)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """A shard whose rows tell their numbers: 90 x 3, float32."""
    path = tmp_path_factory.mktemp("shard") / "numbered.npy"
    rows = np.arange(90)[:, None] + np.array([0.0, 0.25, 0.5])
    save_shard(path, rows.astype("float32"))
    with Shard(path) as shard:
        yield shard


@given(gaps=GAPS, block_rows=st.integers(1, 100), backwards=st.booleans())
def test_blocks_hold_the_rows_of_all_runs_in_order(numbered, gaps, block_rows, backwards):
    runs = ranges_of(gaps)[:: -1 if backwards else 1]
    shift = np.array([1.0, 2.0, 3.0])
    found = [b.copy() for b in blocks(numbered, iter(runs), shift, "float64", block_rows)]
    rows = rows_of(runs)
    assert [len(b) for b in found] == [stop - low for low, stop in spans(0, len(rows), block_rows)]
    expected = np.array(rows, float).reshape(-1, 1) + np.array([0.0, 0.25, 0.5]) - shift
    np.testing.assert_array_equal(np.vstack([np.empty((0, 3)), *found]), expected)


@given(gaps=GAPS)
def test_the_shift_of_a_short_shard_is_its_mean(numbered, gaps):
    rows = rows_of(ranges_of(gaps))
    expected = np.mean(rows) if rows else 0.0
    found = sample_shift(numbered, ranges_of(gaps), "float64")
    np.testing.assert_allclose(found, expected + np.array([0.0, 0.25, 0.5]) * bool(rows))


@pytest.mark.parametrize(("offset", "needed"), [(0.0, False), (0.9, False), (1.1, True)])
def test_rows_about_as_long_as_their_spread_are_not_shifted(tmp_path, offset, needed):
    rows = np.array([[1.0, offset], [-1.0, offset]] * 50)
    path = tmp_path / "long.npy"
    save_shard(path, rows.astype("float32"))
    with Shard(path) as shard:
        shift = sample_shift(shard, [(0, 100)], "float64")
        (block,) = blocks(shard, iter([(0, 100)]), shift, "float32", 100)
        mapped = not block.flags.writeable
    np.testing.assert_allclose(shift, [0.0, offset * needed])
    np.testing.assert_allclose(block, rows - shift, atol=1e-7)
    assert mapped == (not needed)


def test_the_shift_of_a_long_shard_samples_all_of_it(tmp_path):
    path = tmp_path / "long.npy"
    save_shard(path, np.arange(5000.0)[:, None])
    with Shard(path) as shard:
        assert sample_shift(shard, [(0, 5000)], "float64")[0] == pytest.approx(2500, abs=5000 / 256)
