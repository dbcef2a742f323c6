"""How many components: spiked covariances of known rank, and agreement with scikit-learn."""

import numpy as np
import pytest
from fitting import fit
from sklearn.decomposition import PCA
from sklearn.decomposition._pca import _assess_dimension

import memwave
from memwave.core.errors import MemwaveError
from memwave.pca.diagnostics import selection
from memwave.pca.diagnostics.selection import (
    CRITERIA,
    effective_rows,
    select,
    suggestions,
    truncated,
)


def spiked(n, d, spikes, seed=0):
    """Rows of white noise with some strong directions."""
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(d, len(spikes))))[0]
    return random.normal(size=(n, d)) + random.normal(size=(n, len(spikes))) * spikes @ turn.T


def spectrum(rows):
    return np.sort(np.linalg.eigvalsh(np.cov(rows.T)))[::-1]


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("shape", [(2000, 60), (400, 400)])
@pytest.mark.parametrize("rank", [1, 3, 8])
def test_every_criterion_finds_the_rank_of_a_spiked_covariance(name, shape, rank):
    # The profile likelihood looks for a gap between two groups.
    spikes = np.linspace(8.0, 8.0 if name == "profile-likelihood" else 4.0, rank)
    rows = spiked(*shape, spikes)
    values = spectrum(rows)
    found = suggestions(values[:40], float(values.sum()), shape[1], shape[0])
    assert found[name] == rank


@pytest.mark.parametrize("name", ["parallel", "gavish-donoho"])
def test_noise_alone_has_no_components(name):
    values = spectrum(spiked(500, 50, [0.0]))
    assert suggestions(values[:20], float(values.sum()), 50, 500)[name] == 0


def test_quantiles_of_noise_are_those_of_simulated_matrices(monkeypatch):
    monkeypatch.setattr(selection, "SPECTRA", 400)
    for n, d in ((60, 20), (30, 80), (300, 250)):
        random = np.random.default_rng(1)
        simulated = [spectrum(random.normal(size=(n, d)))[:5] for _ in range(400)]
        expected = np.quantile(simulated, 0.95, axis=0)
        np.testing.assert_allclose(selection.noise_quantiles(5, d, n), expected, rtol=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_evidence_is_that_of_scikit_learn(seed):
    random = np.random.default_rng(seed)
    n, d = 300, 15
    rows = random.normal(size=(n, d)) * np.linspace(4, 1, d) + spiked(n, d, [5.0, 4.0], seed)
    theirs = PCA("mle").fit(rows)
    values = PCA().fit(rows).explained_variance_
    assert suggestions(values, float(values.sum()), d, n)["mle"] == theirs.n_components_
    ours = [selection._evidence(values, 0.0, k, d, n) for k in range(1, d)]
    expected = [_assess_dimension(values, k, n) for k in range(1, d)]
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8, 0.95, 0.999])
def test_fractions_are_those_of_scikit_learn(fraction):
    rows = spiked(300, 20, [6.0, 5.0, 3.0])
    theirs = PCA(fraction).fit(rows)
    model = select(fit("covariance", [rows], n_components=20), {"fraction": fraction}, 300)
    assert model.n_components == theirs.n_components_
    assert model.selection["reached"]
    assert len(model.spectrum) == 20


def test_a_fraction_out_of_reach_is_said():
    rows = spiked(300, 20, [2.0])
    model = select(fit("covariance", [rows], n_components=3), {"fraction": 0.99}, 300)
    assert model.n_components == 3
    assert not model.selection["reached"]


def test_a_cut_model_is_the_model_of_fewer_components():
    rows = spiked(400, 30, [6.0, 5.0, 3.0])
    few = fit("covariance", [rows], dtype="float64", n_components=4)
    cut = truncated(fit("covariance", [rows], dtype="float64", n_components=9), 4)
    np.testing.assert_allclose(np.abs(cut.components @ few.components.T), np.eye(4), atol=1e-10)
    np.testing.assert_allclose(cut.explained_variance, few.explained_variance, rtol=1e-12)
    np.testing.assert_allclose(cut.residual_moments, few.residual_moments, rtol=1e-9)
    values = spectrum(rows)
    assert values[4] <= cut.next_variance <= values[4] * (1 + 1e-6)
    assert cut.residual.shape == (4,)


@pytest.mark.parametrize(("n", "window", "step", "expected"), [(1000, 50, 1, 20), (9, 4, 8, 9)])
def test_overlapping_windows_count_as_those_that_fit_side_by_side(n, window, step, expected):
    assert effective_rows(n, window, step) == expected


def test_parallel_analysis_of_overlapping_windows_takes_fewer_components():
    """White noise in windows with step 1: with all rows as independent, noise would stand out."""
    random = np.random.default_rng(0)
    signal = random.normal(size=3000)
    window = 600
    rows = np.lib.stride_tricks.sliding_window_view(signal, window)
    values, n = spectrum(rows), len(rows)
    total = float(values.sum())
    naive = suggestions(values[:30], total, window, n)["parallel"]
    honest = suggestions(values[:30], total, window, effective_rows(n, window, 1))["parallel"]
    assert honest < naive
    assert honest == 0


@pytest.mark.parametrize("solver", ["covariance", "randomized", "incremental"])
@pytest.mark.parametrize("wanted", [0.9, "auto", "gavish-donoho", "mle"])
def test_an_estimator_chooses_as_the_model_of_all_components(solver, wanted):
    rows = spiked(600, 40, [9.0, 7.0, 5.0])
    pca = memwave.PCA(wanted, solver=solver, max_components=30).fit(rows)
    if wanted == 0.9:
        assert pca.n_components_ == PCA(0.9).fit(rows).n_components_
    else:
        assert pca.n_components_ == pca.selection_["suggested"][wanted.replace("auto", "parallel")]
        assert pca.n_components_ == 3
    assert pca.transform(rows).shape == (600, pca.n_components_)


def test_blocks_that_come_one_by_one_choose_too():
    rows = spiked(600, 40, [9.0, 7.0, 5.0])
    pca = memwave.PCA("auto", max_components=10).fit(block for block in np.split(rows, 4))
    assert pca.n_components_ == 3


@pytest.mark.parametrize(
    ("n_components", "message"),
    [("paralel", r"n_components is .*paralel.*parallel"), (1.5, "a share of the variance")],
)
def test_what_is_no_number_of_components_is_refused(n_components, message):
    with pytest.raises(MemwaveError, match=message):
        memwave.PCA(n_components).fit(spiked(50, 5, [3.0]))
