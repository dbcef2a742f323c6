"""PCA by the Gram matrix of few rows: exact, in memory for the rows squared, whatever the width."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fitting import ArrayShard, assert_exact, decaying, dense, fit, options_of, save_shard
from oracles import make_spec
from sklearn.decomposition import PCA
from stage_run import StageRun
from stages import run_stage

from memwave.core.errors import MemwaveError
from memwave.core.ranges import rows_per_block
from memwave.pca.linalg.train_columns import ALIGNED, TrainColumns, block_columns
from memwave.results.model_file import load_model
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages

GRAM = options_of("gram", n_components=5)
BLOCK_MB = 4


def wide(n, d, seed=0):
    """Few rows of many features, with an offset far larger than their deviations."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, 20)) * 2.0 ** -np.arange(20) @ random.normal(size=(20, d))
    return rows + 0.01 * random.normal(size=(n, d)) + 100.0


def test_as_scikit_learn_on_wide_rows():
    rows = wide(90, 3000)
    theirs = PCA(5, svd_solver="full").fit(rows)
    ours = fit("gram", np.array_split(rows, 3), n_components=5)
    np.testing.assert_allclose(ours.components, theirs.components_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.explained_variance, theirs.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-13)
    assert ours.total_variance == pytest.approx(rows.var(axis=0, ddof=1).sum(), rel=1e-10)
    assert ours.residual.max() <= 1e-11 * ours.explained_variance[0]


@pytest.mark.parametrize("n", [30, 700])
def test_lanczos_and_lapack(n):
    rows = wide(n, 1500)
    assert_exact(fit("gram", [rows], n_components=5), rows, 5, "float64")


def test_more_rows_than_features():
    rows = decaying(300, 12)
    assert_exact(fit("gram", [rows], n_components=12), rows, 12, "float64")


def test_columns_are_read_in_blocks():
    rows = wide(40, 2 * ALIGNED + 10).astype(np.float16)
    columns = TrainColumns([ArrayShard(rows[:25]), ArrayShard(rows[25:])], [[(3, 25)], [(0, 9)]], 1)
    blocks = [(place, block.copy()) for place, block in columns.blocks()]
    assert [place.start for place, _ in blocks] == [0, ALIGNED, 2 * ALIGNED]
    whole = np.hstack([block for _, block in blocks])
    np.testing.assert_array_equal(whole, rows[3:34].astype(np.float64))
    assert block_columns(100, 10_000, 50) == 4 * ALIGNED


def test_standardized_features_are_those_of_the_correlation_matrix():
    rows = wide(60, 400) * np.geomspace(1, 1e4, 400)
    rows[:, 7] = 3.0
    model = fit("gram", [rows], n_components=4, standardize=True)
    deviation = rows.std(axis=0, ddof=1)
    deviation[7] = 1.0
    np.testing.assert_allclose(model.scale, deviation, rtol=1e-12)
    np.testing.assert_allclose(model.mean, rows.mean(axis=0), rtol=1e-13)
    values, vectors, covariance = dense(rows / deviation, 4)
    np.testing.assert_allclose(model.explained_variance, values, rtol=1e-9)
    np.testing.assert_allclose(np.abs(vectors @ model.components.T), np.eye(4), atol=1e-6)
    assert model.total_variance == pytest.approx(np.trace(covariance), rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*encountered in")
def test_squares_that_overflow_are_refused():
    rows = decaying(20, 40)
    with pytest.raises(MemwaveError, match="too large to be summed up"):
        fit("gram", [rows * 1e200], n_components=3)


def predicted(spec, n):
    model = {"solver": "gram", **GRAM, "compute_dtype": "auto"}
    return predict_stages(spec, model, Sizes(BLOCK_MB, 2, 2), n_train=n)["fit_model"]


def spec_of(d):
    return replace(make_spec(window=d, channels=2, dtype="float32"), store=True)


def run_in(folder, memory_mb, stage, request, **files):
    return run_stage(stage, folder, request, memory_mb=memory_mb, **files)


def run(folder, n, d):
    """Fit two shards of n rows together in a process that is held to the prediction."""
    spec = spec_of(d)
    rows = wide(n, d).astype(np.float32)
    for i, part in enumerate(np.array_split(rows, 2)):
        save_shard(folder / f"{i}.npy", part)
    stages = StageRun(
        folder,
        spec,
        {"solver": "gram", **GRAM},
        [[(0, -(-n // 2))], [(0, n // 2)]],
        n,
        block_rows=rows_per_block(BLOCK_MB, d, "float32"),
        threads=2,
        run=partial(run_in, folder, predicted(spec, n)),
    )
    ended = stages.fit()
    assert ended.status == 0, ended.told
    return rows, ended.usage


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_memory_follows_from_the_rows_and_not_from_the_width(tmp_path):
    peaks = []
    for d in (2000, 12_000):
        rows, usage = run(tmp_path, 600, d)
        model = load_model(tmp_path / "model.h5")
        values = dense_values(rows, 5)
        np.testing.assert_allclose(model.explained_variance, values, rtol=1e-9)
        assert usage["peak_anonymous_mb"] <= usage["predicted_mb"]
        peaks.append(usage["peak_anonymous_mb"])
    # 10 000 features more have 24 MB in the rows, and 0.4 MB for each of 5 components.
    assert peaks[1] - peaks[0] < 15, peaks


def dense_values(rows, k):
    """Leading eigenvalues of the covariance, by the singular values of all rows."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    return np.linalg.svd(centred, compute_uv=False)[:k] ** 2 / (len(rows) - 1)


def test_the_prediction_grows_with_the_rows():
    spec = spec_of(4000)
    needs = [predicted(spec, n) for n in (1000, 20_000)]
    # A triangle of 20 000 rows has 1.6 GB, the whole matrix, for LAPACK, twice as much beside.
    assert needs[0] < 350
    assert 1600 < needs[1] < 6000
