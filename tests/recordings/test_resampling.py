"""Resampling: what SciPy gives for a whole recording, in any pieces; labels; whole runs."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from memwave.recordings import resampling
from memwave.recordings.resampling import (
    LIBRARY_BYTES,
    Nearest,
    Resampled,
    nearest_rows,
    ratio_of,
    resampled_rows,
    resampling_bytes,
)

RATIOS = (
    st.tuples(*2 * [st.integers(1, 30)]).filter(lambda r: r[0] != r[1]).map(lambda r: ratio_of(*r))
)


class Stored:
    """An array that is read piece by piece, and how much of it at most."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.most = array, array.shape, array.dtype, 0

    def read(self, start, stop):
        assert 0 <= start < stop <= len(self.array)
        self.most = max(self.most, stop - start)
        return self.array[start:stop]


def accept(rows, start):
    assert rows.size


@settings(deadline=None, max_examples=150)
@given(RATIOS, st.integers(1, 600), st.integers(1, 3), st.data())
def test_any_pieces_are_those_of_the_whole(ratio, n, n_channels, data):
    random = np.random.default_rng(n)
    array = random.normal(size=(n, n_channels)).astype(data.draw(st.sampled_from(["f4", "f8"])))
    whole = resample_poly(array.astype(float), *ratio)
    recording = Resampled(Stored(array), ratio, accept)
    assert recording.shape == whole.shape == (resampled_rows(n, ratio), n_channels)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=6))
    ends = sorted({0, len(whole), *cuts})
    pieces = [recording.read(*ends[i : i + 2]) for i in range(len(ends) - 1)]
    # To the last bit, as filtering a piece adds the same products in the same order.
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_a_long_stretch_is_computed_in_pieces(monkeypatch):
    array = np.random.default_rng(1).normal(size=(20_000, 2))
    stored = Stored(array)
    monkeypatch.setattr(resampling, "BLOCK_BYTES", 10_000)
    read = Resampled(stored, (3, 7), accept).read(0, resampled_rows(20_000, (3, 7)))
    assert stored.most < 1000
    assert read.tobytes() == resample_poly(array, 3, 7).tobytes()


@pytest.mark.parametrize("ratio", [(1, 2), (7, 3), (1, 1000), (1000, 1), (999, 1000), (160, 147)])
@pytest.mark.parametrize("n_channels", [1, 40])
def test_memory_is_less_than_predicted(ratio, n_channels):
    stored = Stored(np.zeros((4_000_000 // n_channels, n_channels), np.int16))
    recording = Resampled(stored, ratio, accept)
    stop = min(resampled_rows(stored.shape[0], ratio), 1_000_000 // n_channels)
    tracemalloc.start()
    rows = recording.read(0, stop)
    used = tracemalloc.get_traced_memory()[1] - rows.nbytes
    tracemalloc.stop()
    assert used < resampling_bytes([None, ratio], n_channels) - LIBRARY_BYTES


def test_ratios():
    assert ratio_of(100, 50) == (1, 2)
    assert ratio_of(44_100, 48_000) == (160, 147)
    assert ratio_of(0.1, 0.3) == (3, 1)
    assert ratio_of(33.3333333333, 100) == (3, 1)
    assert ratio_of(33.333, 100) is ratio_of(44_100, 32) is ratio_of(1, 3.14159) is None


@given(RATIOS, st.integers(1, 300), st.data())
def test_labels_are_those_of_the_nearest_rows(ratio, n, data):
    up, down = ratio
    labels = Nearest(Stored(np.arange(n)), ratio)
    start = data.draw(st.integers(0, labels.shape[0] - 1))
    stop = data.draw(st.integers(start + 1, labels.shape[0]))
    places = np.arange(start, stop) * down
    distances = abs(labels.read(start, stop) * up - places)
    assert (distances <= np.maximum(up / 2, places - (n - 1) * up)).all()


def test_labels_of_a_long_stretch_are_read_in_pieces(monkeypatch):
    monkeypatch.setattr(resampling, "LABEL_ROWS", 100)
    stored = Stored(np.arange(5_000))
    read = Nearest(stored, (3, 70)).read(0, 215)
    assert stored.most <= 170
    assert read.tolist() == nearest_rows(0, 215, (3, 70), 5_000).tolist()
