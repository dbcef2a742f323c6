"""What models from the signal claim of their accuracy holds, and how sharp it is."""

import numpy as np
import pytest
from certifying import true_variances
from fitting import decaying, fit, shards
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import make_spec
from test_lag_covariance import features_of, tasks, walk
from test_lag_covariance import fit as fit_sums
from test_lag_randomized import fit as fit_products

from memwave.features.wavelet import transform_windows
from memwave.pca.lags.signal.rounding import LOW, squared_norm

SPECS = {
    "haar": {"window": 64, "channels": 3, "level": 2, "bands": ["a2", "d1"]},
    "long": {
        "window": 200,
        "channels": 2,
        "wavelet": "db4",
        "level": 3,
        "bands": ["a3", "d2"],
        "layout": "per-channel",
    },
    "apart": {"window": 20, "step": 25, "channels": 2},
    "biorthogonal": {
        "window": 128,
        "channels": 1,
        "wavelet": "bior3.1",
        "level": 3,
        "bands": ["a3", "d3"],
    },
}

# The worst case of rounding as a share of the largest variance, where windows overlap.
WORST = 1e-9


def errors_of(model, features):
    """How far each explained variance is from that in its place, in higher precision."""
    rows = features if model.scale is None else features / model.scale
    true = true_variances(rows, model.n_components)
    return np.abs(model.explained_variance - true.astype(np.float64)), float(true[0])


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "sums"])
@pytest.mark.parametrize("name", SPECS)
def test_bounds_of_models_from_the_signal_hold(name, dtype, standardize, offset):
    spec = make_spec(**SPECS[name])
    recordings = [walk(n, spec.n_channels, seed=n) + offset for n in (1500, 700)]
    features = features_of(spec, recordings)
    if dtype == "sums":
        model = fit_sums(spec, recordings, 4, standardize=standardize)
    else:
        model = fit_products(spec, recordings, 4, standardize=standardize, compute_dtype=dtype)
    errors, largest = errors_of(model, features)
    assert np.isfinite(model.error_bound).all()
    assert (errors <= model.error_bound).all()
    assert model.rounding > 0
    if not standardize:
        assert model.rounding <= WORST * largest


@settings(max_examples=60)
@given(task=tasks(), standardize=st.booleans(), data=st.data())
def test_bounds_of_any_signal_hold(task, standardize, data):
    spec, recordings = task
    features = features_of(spec, recordings)
    k = data.draw(st.integers(1, min(spec.n_features, len(features) - 1)), label="k")
    for fitted in (fit_sums, fit_products):
        model = fitted(spec, recordings, k, standardize=standardize)
        rows = features if model.scale is None else features / model.scale
        true = true_variances(rows, rows.shape[1]).astype(np.float64)
        nearest = np.abs(model.explained_variance[:, None] - true).min(axis=1)
        assert (nearest <= model.error_bound).all()


@settings(max_examples=40)
@given(task=tasks())
def test_the_norm_of_the_transform_is_not_too_small(task):
    spec, _ = task
    matrix = transform_windows(spec, np.eye(spec.window * spec.n_channels))
    exact = np.linalg.norm(matrix, 2) ** 2
    assert exact <= squared_norm(spec) <= 1.01 * LOW * exact + 1e-300


@pytest.mark.parametrize("solver", ["gram", "incremental", "covariance"])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_a_model_file_has_a_bound_before_any_projection(solver, offset):
    rows = decaying(300, 40) + offset
    options = {"inner_rank": 40} if solver == "incremental" else {}
    model = fit(solver, shards(rows, 2), n_components=5, **options)
    errors, largest = errors_of(model, rows)
    assert (errors <= model.error_bound).all()
    assert (model.error_bound <= 1e-9 * largest).all()
