"""A share of the variance: solvers that iterate stop when their components explain it."""

import numpy as np
import pytest
from fitting import dense, fit
from oracles import make_spec
from test_lag_covariance import features_of, walk
from test_lag_randomized import fit as fit_signal

from memwave.pca.diagnostics.selection import select
from memwave.pca.model import components_for, pairs_for

MOST = 60


def spiked(n, d, decay, seed=0):
    """Rows whose eigenvalues decay, in turned axes."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.normal(size=(d, d)))[0]
    return random.normal(size=(n, d)) * np.exp(-decay * np.arange(d)) @ axes + 3.0


def require_like_dense(model, rows, fraction, tolerance):
    """As few components as dense PCA needs, near its own."""
    values, vectors, covariance = dense(rows, MOST)
    expected = components_for(values / np.trace(covariance), fraction)
    found = select(model, {"fraction": fraction}, len(rows))
    assert found.n_components == expected
    assert found.selection["reached"]
    error = np.abs(found.explained_variance - values[:expected]).max()
    assert error <= tolerance * values[0]
    apart = np.abs(np.vecdot(found.components[0], vectors[0]))
    assert apart == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("n", "fraction"), [(1500, 0.9), (5000, 0.3), (5000, 0.97)])
def test_blocks_are_added_until_the_share_is_reached(n, fraction):
    """With a sample of the rows, which only many of them have, and without."""
    rows = spiked(n, 250, 0.03)
    model = fit(
        "randomized", [rows], n_components=MOST, select={"fraction": fraction}, block_rows=500
    )
    assert model.n_components < MOST
    assert model.notes["columns"] < 2 * MOST + 20
    require_like_dense(model, rows, fraction, 2e-4)


def test_a_share_out_of_reach_gives_as_many_components_as_there_may_be():
    rows = spiked(2000, 250, 0.001)
    model = fit("randomized", [rows], n_components=30, select={"fraction": 0.9}, block_rows=500)
    assert model.n_components == 30
    assert not select(model, {"fraction": 0.9}, 2000).selection["reached"]
    values = dense(rows, 30)[0]
    assert np.abs(model.explained_variance - values).max() <= 2e-3 * values[0]


def test_rows_of_low_rank_end_the_blocks():
    rows = spiked(900, 200, 0.0)[:, :8] @ np.random.default_rng(1).normal(size=(8, 200))
    model = fit("randomized", [rows], n_components=MOST, select={"fraction": 0.9999999})
    assert select(model, {"fraction": 0.9999999}, 900).explained_variance_ratio.sum() > 0.9999999


def test_rows_without_variance_have_no_share():
    model = fit("randomized", [np.ones((50, 40))], n_components=5, select={"fraction": 0.9})
    assert not model.explained_variance.any()


@pytest.mark.parametrize(("dtype", "standardize"), [("float32", True), ("float64", False)])
def test_passes_over_the_signal_end_when_the_share_is_reached(dtype, standardize):
    spec = make_spec(window=60, step=2, channels=2, layout="per-channel", bands=("a1", "d1"))
    recordings = [walk(700, 2, seed) for seed in range(2)]
    features = features_of(spec, recordings)
    if standardize:
        features = features / features.std(axis=0, ddof=1)
    changes = {"compute_dtype": dtype, "standardize": standardize, "columns": 40}
    whole = fit_signal(spec, recordings, 24, **changes)
    fraction = float(whole.explained_variance_ratio[:6].sum()) - 1e-4
    model = fit_signal(spec, recordings, 24, select={"fraction": fraction}, **changes)
    assert model.n_components == 6
    assert model.notes["passes"] < whole.notes["passes"]
    require_like_dense(model, features, fraction, 2e-6)


def test_a_share_is_met_with_a_margin():
    values = np.array([5.0, 3.0, 1.0])
    assert pairs_for(values, 10.0, 0.8, 9) == 3  # more than the share, and not as much
    assert pairs_for(values, 10.0, 0.79, 9) == 2
    assert pairs_for(values, 10.0, 0.95, 9) == 9
    assert pairs_for(values, 0.0, 0.5, 9) == 9
