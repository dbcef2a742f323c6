"""Scores by correlation with the signal: those of the features of every window by itself."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import all_bands, make_spec, oracle
from test_lag_covariance import MODES, fit, walk

from memwave.core.ranges import spans
from memwave.features.sliding import FeatureBlocks, surrogate_length
from memwave.pca.lags.lags import windows_of
from memwave.pca.lags.signal_scores import SignalScores, has_signal_scores


@st.composite
def specs(draw):
    """Feature sets of long windows that overlap much."""
    level = draw(st.integers(1, 3))
    known = all_bands(level)
    return make_spec(
        window=draw(st.integers(90, 130)),
        step=draw(st.integers(1, 5)),
        wavelet=draw(st.sampled_from(["haar", "db2", "bior2.2"])),
        level=level,
        bands=draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True)),
        layout=draw(st.sampled_from(["interleaved", "per-channel"])),
        mode=draw(st.sampled_from(MODES)),
        channels=draw(st.integers(1, 3)),
    )


@settings(max_examples=60)
@given(spec=specs(), rows=st.integers(140, 900), offset=st.sampled_from([0.0, 1.0, -1e4]))
def test_scores_and_distances_are_those_of_the_features(spec, rows, offset):
    recording = walk(rows, spec.n_channels) + offset
    model = fit(spec, [recording], 3)
    assume(has_signal_scores(spec, model))
    count = (rows - spec.window) // spec.step + 1
    projector, found = SignalScores(spec, model), []
    for low, high in spans(0, count, projector.chunk):
        start, covered = low * spec.step, windows_of(spec).n_rows(high - low)
        found.append(projector.project(recording[start : start + covered]))
    scores, distances = (np.concatenate(parts) for parts in zip(*found, strict=True))
    centred = oracle(recording, spec, count) - model.mean
    expected = centred @ model.components.T
    largest = np.abs(centred).max() + 1e-3 * np.abs(recording - recording.mean(axis=0)).max()
    # A sample of size 1e4 is itself rounded by 1e-12.
    allowed = 1e-10 * largest * np.sqrt(spec.n_features) + 1e-13 * abs(offset) * spec.n_features
    np.testing.assert_allclose(scores, expected, rtol=0, atol=allowed)
    squares = np.vecdot(centred, centred)
    np.testing.assert_allclose(distances, squares, rtol=1e-9, atol=allowed * largest)


@settings(max_examples=60)
@given(spec=specs(), count=st.integers(1, 200))
def test_squared_lengths_are_those_of_the_features(spec, count):
    assume(surrogate_length(spec) is not None)
    recording = walk((count - 1) * spec.step + spec.window, spec.n_channels)
    features = oracle(recording, spec, count)
    found = FeatureBlocks(spec).squared_lengths(recording, count)
    squares = np.vecdot(features, features)
    largest = np.abs(recording).max() ** 2 * spec.n_features
    np.testing.assert_allclose(found, squares, rtol=1e-10, atol=1e-13 * largest)


@pytest.mark.parametrize("changes", [{"step": 90}, {"window": 12}, {"window": 20, "level": 3}])
def test_windows_that_overlap_little_are_left_to_their_features(changes):
    spec = make_spec(**{"window": 100, "channels": 1} | changes)
    model = fit(spec, [walk(1000, 1)], 2)
    assert not has_signal_scores(spec, model)
