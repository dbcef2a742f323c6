"""The map from windows to features and its adjoint, on columns: as PyWavelets has them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import all_bands, make_spec
from test_lag_covariance import tasks

from memwave.features.feature_map import FeatureMap
from memwave.features.wavelet import transform_windows


@settings(max_examples=300)
@given(task=tasks(), width=st.integers(1, 5))
def test_features_of_columns_are_those_of_windows(task, width):
    spec = task[0]
    random = np.random.default_rng(width)
    windows = random.normal(size=(spec.window * spec.n_channels, width))
    expected = transform_windows(spec, np.ascontiguousarray(windows.T)).T
    found = FeatureMap(spec).features(windows)
    scale = np.abs(transform_windows(spec, np.eye(len(windows)))).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * len(windows) * max(1, scale))


@settings(max_examples=300)
@given(task=tasks(), width=st.integers(1, 5))
def test_the_adjoint_is_the_transposed_map(task, width):
    spec = task[0]
    size = spec.window * spec.n_channels
    dense = transform_windows(spec, np.eye(size))
    vectors = np.random.default_rng(width).normal(size=(spec.n_features, width))
    found = FeatureMap(spec).windows(vectors)
    allowed = 1e-12 * size * max(1, np.abs(dense).max())
    np.testing.assert_allclose(found, dense @ vectors, rtol=0, atol=allowed)


@pytest.mark.parametrize("layout", ["interleaved", "per-channel"])
@pytest.mark.parametrize("mode", ["symmetric", "periodization", "smooth", "periodic"])
@pytest.mark.parametrize("window", [1001, 1000])
def test_long_windows_of_long_filters(layout, mode, window):
    bands = all_bands(3)
    spec = make_spec(
        window=window, channels=3, wavelet="db8", level=3, bands=bands, layout=layout, mode=mode
    )
    random = np.random.default_rng(0)
    windows = random.normal(size=(window * 3, 2))
    expected = transform_windows(spec, np.ascontiguousarray(windows.T)).T
    maps = FeatureMap(spec)
    np.testing.assert_allclose(maps.features(windows), expected, rtol=0, atol=1e-11)
    vectors = random.normal(size=(spec.n_features, 2))
    ours, theirs = (maps.windows(vectors) * windows).sum(), (vectors * expected).sum()
    assert ours == pytest.approx(theirs, rel=1e-10)
