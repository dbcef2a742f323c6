"""Features lead back to the signal, if no band is missing."""

import numpy as np
import pywt
from hypothesis import given
from hypothesis import strategies as st
from oracles import all_bands, make_spec, oracle

from memwave.features.overlap_add import Overlap, windows_of
from memwave.recordings.channels import Scaling

MODES = ["zero", "symmetric", "periodic", "smooth", "periodization", "reflect"]


@st.composite
def specs(draw):
    """Feature sets that keep all bands, in any order."""
    level = draw(st.integers(1, 3))
    return make_spec(
        window=draw(st.integers(24, 45)),
        step=draw(st.integers(1, 50)),
        wavelet=draw(st.sampled_from(["haar", "db2", "bior2.2"])),
        level=level,
        bands=draw(st.permutations(all_bands(level))),
        layout=draw(st.sampled_from(["interleaved", "per-channel"])),
        mode=draw(st.sampled_from(MODES)),
        channels=draw(st.integers(1, 3)),
    )


@given(spec=specs(), count=st.integers(1, 6), block=st.integers(1, 6), seed=st.integers(0, 99))
def test_all_bands_give_back_the_signal(spec, count, block, seed):
    random = np.random.default_rng(seed)
    rows = (count - 1) * spec.step + spec.window
    recording = random.normal(size=(rows, spec.n_channels)) * 5 + 3
    scaling = Scaling(random.normal(size=spec.n_channels), random.uniform(1, 9, spec.n_channels))
    windows = windows_of(spec, oracle(scaling.apply(recording), spec, count), scaling)
    starts = np.arange(count) * spec.step
    for start, window in zip(starts, windows, strict=True):
        expected = recording[start : start + spec.window]
        np.testing.assert_allclose(window, expected, rtol=0, atol=1e-10)
    overlap, parts = Overlap(spec), []
    for first in range(0, count, block):
        piece = slice(first, first + block)
        parts.append(overlap.add(starts[piece], windows[piece]))
    found = np.concatenate([*parts, overlap.rest()])
    assert found.shape == recording.shape
    covered = np.zeros(rows, bool)
    for start in starts:
        covered[start : start + spec.window] = True
    np.testing.assert_allclose(found[covered], recording[covered], rtol=0, atol=1e-10)
    assert np.isnan(found[~covered]).all()


def test_bands_that_were_not_kept_are_zeros():
    spec = make_spec(window=32, level=2, bands=["d1"], channels=1)
    signal = np.random.default_rng(0).normal(size=32)
    (window,) = windows_of(spec, oracle(signal[:, None], spec, 1))
    a, d2, d1 = pywt.wavedec(signal, "haar", level=2)
    expected = pywt.waverec([0 * a, 0 * d2, d1], "haar")
    np.testing.assert_allclose(window[:, 0], expected, atol=1e-12)
