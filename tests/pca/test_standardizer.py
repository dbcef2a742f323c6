"""``standardize: true`` is PCA on correlations, whatever the solver, and is undone in the model."""

import numpy as np
import pytest
from fitting import EXACT, SOLVERS, options_of, save_shard
from oracles import make_spec
from stage_run import StageRun

from memwave.pca.solvers import solver_module
from memwave.results.model_file import load_model
from memwave.results.partial_projection import open_partial

N, D, K = 300, 12, 4
# Error of what is computed in float32 or float64, as a share of the largest eigenvalue.
ROUNDING = {"float32": 2e-5, "float64": 1e-11}
CUTS = [(0, 100), (100, 130), (130, N)]
TRAIN = [[(0, 60), (70, 100)], [], [(0, 170)]]


def some_rows(dtype):
    """Correlated features of very different size, far from zero; one is constant."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(N, 3)) @ random.normal(size=(3, D))
    rows = (rows + random.normal(size=(N, D))) * 10.0 ** (np.arange(D) % 5) + 300.0
    rows[:, 5] = 0.1
    return rows.astype(dtype)


class Standardized:
    """All stages of a model that standardizes, on three shards."""

    def __init__(self, folder, solver, dtype):
        self.rows = some_rows(dtype)
        self.train = np.concatenate([self.rows[:60], self.rows[70:100], self.rows[130:]])
        options = options_of(solver, n_components=K, standardize=True, **EXACT[solver])
        run = StageRun(
            folder,
            make_spec(window=12, channels=2, dtype=dtype),
            {"solver": solver, **options},
            TRAIN,
            N,
            block_rows=37,
            dtype=dtype,
            score_dtype="float64",
            threads=2,
        )
        for i, (start, stop) in enumerate(CUTS):
            save_shard(run.path(f"{i}.npy"), self.rows[start:stop])
            run.measure(i)
        if solver_module(solver).Solver.ONE_PASS:
            for i in range(len(CUTS)):
                run.summarize(i)
        run.fit()
        run.project()
        self.model = load_model(run.path("model.h5"))
        with open_partial(run.path("partial0.h5")) as partial:
            self.scores, self.errors = partial["scores"][:100], partial["reconstruction_error"][()]


def correlations(rows):
    """Standardized rows, by float64 means and deviations; the constant feature becomes zero."""
    rows = rows.astype(np.float64)
    deviation = rows.std(axis=0, ddof=1)
    deviation[5] = 1.0
    return (rows - rows.mean(axis=0)) / deviation, deviation


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_fits_the_correlations(tmp_path, solver, dtype):
    run = Standardized(tmp_path, solver, dtype)
    standardized, deviation = correlations(run.train)
    values, vectors = np.linalg.eigh(standardized.T @ standardized / (len(run.train) - 1))
    model, allowed = run.model, ROUNDING[dtype] * values[-1]
    np.testing.assert_allclose(model.explained_variance, values[::-1][:K], rtol=0, atol=allowed)
    assert model.total_variance == pytest.approx(D - 1, rel=ROUNDING[dtype])
    np.testing.assert_allclose(model.scale, deviation, rtol=1e-12)
    mean = run.train.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose((model.mean - mean) / deviation, 0, atol=ROUNDING[dtype])
    turned = np.abs(model.components @ vectors[:, ::-1][:, :K])
    np.testing.assert_allclose(turned, np.eye(K), rtol=0, atol=50 * ROUNDING[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_are_those_of_standardized_features(tmp_path, dtype):
    run = Standardized(tmp_path, "covariance", dtype)
    z = (run.rows[:100].astype(np.float64) - run.model.mean) / run.model.scale
    expected = z @ run.model.components.T
    allowed = ROUNDING[dtype] * np.abs(expected).max()
    np.testing.assert_allclose(run.scores, expected, rtol=0, atol=allowed)
    left = ((z - expected @ run.model.components) ** 2).sum(axis=1)
    allowed = ROUNDING[dtype] * (z**2).sum(axis=1).max()
    np.testing.assert_allclose(run.errors, left, rtol=1e-6, atol=allowed)


def test_a_model_that_does_not_standardize_has_no_scale(tmp_path):
    rows = some_rows("float64")
    save_shard(tmp_path / "0.npy", rows)
    model = {"solver": "randomized", **options_of("randomized", n_components=K, passes=1)}
    spec = make_spec(window=12, channels=2)
    StageRun(tmp_path, spec, model, [[(0, N)]], N, dtype="float64").fit()
    assert load_model(tmp_path / "model.h5").scale is None
