"""Shards are read block by block, in the order wanted, shifted by what loses nothing."""

import numpy as np
import pytest
from fitting import save_shard
from hypothesis import given
from hypothesis import strategies as st
from ranges import GAPS, ranges_of, rows_of

from memwave.core.ranges import spans
from memwave.pca.streaming import blocks, cut, sample_shift
from memwave.storage.shards import Shard


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
