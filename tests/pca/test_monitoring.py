"""Limits of T2 and SPE: a published example, false alarm rates in simulations, exact sums."""

import h5py
import numpy as np
import pytest
from fitting import SOLVERS, decaying, fit, triangle_of
from scipy import stats

import memwave
from memwave.core.errors import MemwaveError
from memwave.pca.diagnostics.monitoring import LEVELS, spe_limits, t2_limits
from memwave.pca.linalg.eigenpairs import (
    PROBES,
    eigenvalue_moments,
    other_moments_in_place,
    with_eigenvalue,
)

# Standard errors that a share of simulated rows may be from its level.
SIGMAS = 4


def within(share, expected, count, *, model_error=0.0):
    """Whether a share of `count` rows is `expected`, but for the sampling error."""
    return abs(share - expected) <= model_error + SIGMAS * np.sqrt(
        expected * (1 - expected) / count
    )


def test_the_ballistic_missiles_of_jackson():
    """J. E. Jackson, A User's Guide to Principal Components (Wiley 1991), section 2.7.2."""
    roots = np.array([29.33, 16.41])
    (limit,) = spe_limits(moments(roots), [0.95])
    assert limit == pytest.approx(140.45, rel=1e-3)


def test_the_chemical_example_of_jackson():
    """Ibid., section 1.7: T2 of two variables, 15 rows, is 8.187; for a new row n + 1 over n."""
    (limit,) = t2_limits(2, 15, [0.95])
    assert limit * 15 / 16 == pytest.approx(8.187, rel=2e-3)


@pytest.mark.parametrize("n", [12, 40])
def test_false_alarms_of_t2_are_as_many_as_the_level_says(n):
    """All components: then the distribution is exact, however few the rows."""
    random, k, runs = np.random.default_rng(n), 3, 3000
    above = np.zeros((2, 2))
    levels = [0.95, 0.99]
    limits = [t2_limits(k, n, levels, is_train=True), t2_limits(k, n, levels)]
    for _ in range(runs):
        rows = random.normal(size=(2 * n, k)) * [3.0, 2.0, 1.0]
        train = rows[:n]
        inverse = np.linalg.inv(np.cov(train.T))
        for i, part in enumerate((train, rows[n:])):
            centred = part - train.mean(axis=0)
            t2 = np.einsum("ij,jk,ik->i", centred, inverse, centred)
            above[i] += (t2[:1, None] > limits[i]).sum(axis=0)  # one row: they are dependent
    for share, level in zip((above / runs).T, levels, strict=True):
        assert all(within(s, 1 - level, runs) for s in share), (share, level)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.5])
def test_false_alarms_of_spe_are_as_many_as_the_level_says(decay):
    random, roots, n = np.random.default_rng(0), np.arange(1, 31.0) ** -decay, 400_000
    spe = np.zeros(n)
    for root in roots:
        spe += root * random.normal(size=n) ** 2
    known = moments(roots)
    for level in (0.9, 0.95, 0.99):  # Box knows two moments only, which shows in the tail
        exact, box = spe_limits(known, [level])[0], spe_limits([*known[:2], np.nan], [level])[0]
        assert within(np.mean(spe > exact), 1 - level, n, model_error=0.1 * (1 - level))
        assert within(np.mean(spe > box), 1 - level, n, model_error=0.5 * (1 - level))


def test_fitted_models_give_the_false_alarm_rates_of_their_levels():
    random = np.random.default_rng(1)
    scales = np.concatenate([[20.0, 15.0, 10.0], np.linspace(2, 0.5, 17)])
    turn = np.linalg.qr(random.normal(size=(20, 20)))[0]
    train, new = ((random.normal(size=(n, 20)) * scales) @ turn for n in (20_000, 100_000))
    for solver in ("covariance", "randomized", "incremental"):
        pca = memwave.PCA(3, solver=solver).fit(train)
        found = pca.monitor(new, levels=(0.95, 0.99))
        for above in (found.above_t2, found.above_spe):
            for i, level in enumerate(found.levels):
                share = np.mean(above > i)
                assert within(share, 1 - level, 20_000, model_error=0.1 * (1 - level)), solver


def moments(values):
    """See `Model.residual_moments`."""
    sums = [(values**power).sum() for power in (1, 2, 3)]
    return np.array([sums[0], sums[1] / sums[0], sums[2] / sums[1]])


@pytest.mark.parametrize("d", [20, 3 * PROBES])
@pytest.mark.parametrize("unit", [1.0, 1e120])
def test_moments_are_those_of_the_eigenvalues(d, unit):
    random = np.random.default_rng(0)
    rows = random.normal(size=(500, d)) * np.arange(1, d + 1) ** -0.5
    matrix = rows.T @ rows * unit
    values, vectors = np.linalg.eigh(matrix)
    expected = moments(values[:-3] / unit) * unit
    found = other_moments_in_place(triangle_of(matrix), values[-3:], vectors[:, -3:])
    np.testing.assert_allclose(found[:2], expected[:2], rtol=1e-10)
    assert found[2] == pytest.approx(expected[2], rel=1e-10 if d <= PROBES else 0.1)
    shifted = triangle_of(values[-1] * np.eye(d) - matrix)
    whole = moments(values / unit) * unit
    np.testing.assert_allclose(eigenvalue_moments(shifted, values[-1])[:2], whole[:2], rtol=1e-10)
    more = with_eigenvalue(expected, values[-3])
    np.testing.assert_allclose(more, moments(values[:-2] / unit) * unit, rtol=1e-10)


@pytest.mark.parametrize("solver", ["covariance", "gram"])
@pytest.mark.parametrize("shape", [(300, 40), (60, 500), (900, 450)])
def test_solvers_that_know_the_covariance_know_its_other_eigenvalues(solver, shape):
    rows = decaying(*shape, seed=3)
    model = fit(solver, np.array_split(rows, 3), dtype="float64", n_components=4)
    expected = moments(np.sort(np.linalg.eigvalsh(np.cov(rows.T)))[::-1][4:])
    np.testing.assert_allclose(model.residual_moments[:2], expected[:2], rtol=1e-8)
    assert model.residual_moments[2] == pytest.approx(expected[2], rel=0.2)


@pytest.mark.parametrize("solver", SOLVERS)
def test_components_without_variance_do_not_count(solver):
    rows = decaying(100, 3) @ np.eye(3, 6) + 1.0
    model = fit(solver, [rows], dtype="float64", n_components=5)
    pca = memwave.PCA(5, solver="covariance").fit(rows)
    found = pca.monitor(rows)
    assert np.isfinite(found.hotelling_t2).all()
    assert found.hotelling_t2.mean() == pytest.approx(3 * 99 / 100, rel=1e-6)
    assert model.n_components == 5


def test_a_model_file_holds_limits(tmp_path):
    rows = decaying(200, 12)
    pca = memwave.PCA(3, solver="covariance").fit(rows)
    pca.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        assert file["limit_level"][()].tolist() == list(LEVELS)
        t2, spe = file["t2_limit"][()], file["spe_limit"][()]
    assert t2.shape == spe.shape == (2, len(LEVELS))
    quantile = stats.f.ppf(0.99, 3, 197) * 3 * (200**2 - 1) / (200 * 197)
    assert t2[1, 2] == pytest.approx(quantile)
    again = memwave.load_model(tmp_path / "model.h5").monitor(rows)
    known = pca.monitor(rows)
    np.testing.assert_array_equal(again.spe, known.spe)
    np.testing.assert_array_equal(again.spe_limit, known.spe_limit)


@pytest.mark.parametrize("standardize", [False, True])
def test_contributions_add_up_to_the_statistics_and_name_the_column(standardize):
    rows = decaying(300, 12) + 2.0
    pca = memwave.PCA(3, solver="covariance", standardize=standardize).fit(rows)
    odd = rows[:5].copy()
    odd[2, 7] += 50 * rows[:, 7].std()
    found = pca.monitor(odd)
    t2, spe = pca.contributions(odd)
    np.testing.assert_allclose(t2.sum(axis=1), found.hotelling_t2, rtol=1e-9)
    np.testing.assert_allclose(spe.sum(axis=1), found.spe, rtol=1e-6, atol=1e-12)
    assert (t2 + spe)[2].argmax() == 7


@pytest.mark.parametrize("levels", [(), (0.0,), (0.95, 1.0), (95,)])
def test_levels_are_shares(levels):
    rows = decaying(50, 6)
    with pytest.raises(MemwaveError, match=r"levels are .* between 0 and 1"):
        memwave.PCA(2).fit(rows).monitor(rows, levels=levels)


def test_without_a_residual_no_row_is_above_the_limit_of_spe():
    rows = np.random.default_rng(0).normal(size=(200, 5)) + 9.0
    for X, k in ((rows, 5), (rows[:, :2] @ np.ones((2, 4)) * [1, 2, 3, 4], 1)):
        found = memwave.PCA(k).fit(X).monitor(X, levels=0.95)
        assert found.levels == (0.95,)
        assert found.spe.max() < found.spe_limit[0] < 1e-9
        assert not found.above_spe.any()
