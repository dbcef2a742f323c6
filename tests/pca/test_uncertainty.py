"""Standard errors of components, against the spread of components of simulated matrices."""

import numpy as np
import pytest

from memwave.features.spec import FeatureSpec
from memwave.pca.diagnostics.uncertainty import loading_errors, turning
from memwave.pca.model import Model
from memwave.results.figures.components import wave_errors

VALUES = np.array([9.0, 4.0, 2.0, 0.5, 0.5, 0.5, 0.5])
ROWS = 1000


def model_of(values, components, k, n):
    d = components.shape[1]
    mean, total = np.zeros(d), float(values.sum())
    found = Model(components[:k], mean, values[:k], total, n, "covariance")
    found.selection = {"effective_rows": n}
    return found


@pytest.mark.parametrize("k", [3, 7])
def test_errors_are_the_spread_of_loadings_over_samples(k):
    random = np.random.default_rng(0)
    d = len(VALUES)
    true = np.linalg.qr(random.normal(size=(d, d)))[0]
    found = []
    for _ in range(400):
        rows = (random.normal(size=(ROWS, d)) * np.sqrt(VALUES)) @ true
        vectors = np.linalg.eigh(np.cov(rows.T))[1][:, ::-1].T[:2]
        found.append(vectors * np.sign(np.vecdot(vectors, true[:2]))[:, None])
    errors = loading_errors(model_of(VALUES, true, k, ROWS), 2)
    # The standard error of a standard deviation of 400 numbers is 3.5 %.
    np.testing.assert_allclose(errors, np.std(found, axis=0), rtol=0.15)


def test_equal_eigenvalues_leave_their_components_undetermined():
    values = np.array([4.0, 4.0, 1.0])
    found = turning(model_of(values, np.eye(3), 3, 100), 2)
    assert found.known[0].tolist() == [0.0, 0.5, pytest.approx(4 / 900)]
    assert np.isfinite(loading_errors(model_of(np.zeros(3) + 1, np.eye(3), 1, 100), 1)).all()


def test_without_a_number_of_independent_rows_there_are_no_errors():
    model = model_of(VALUES, np.eye(7), 3, ROWS)
    model.selection = {}
    assert loading_errors(model, 2) is None


@pytest.mark.parametrize("layout", ["per-channel", "interleaved"])
def test_errors_of_waves_are_those_of_loadings(layout):
    spec = FeatureSpec(
        16, 1, "haar", 2, ("a2", "d2", "d1"), layout, "periodization", "float64", ("x", "y")
    )
    random = np.random.default_rng(0)
    components = np.linalg.qr(random.normal(size=(32, 32)))[0]
    model = model_of(np.linspace(9, 1, 32) ** 2, components, 5, 300)
    loadings, waves = loading_errors(model, 3), wave_errors(model, spec, 3)
    assert waves.shape == (3, 16, 2)
    np.testing.assert_allclose((waves**2).sum(axis=(1, 2)), (loadings**2).sum(axis=1), rtol=1e-9)
