"""The solvers: equal to dense PCA, for any blocks, batches, shards, threads and types."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fitting import (
    CASES,
    EXACT,
    SOLVERS,
    ArrayShard,
    assert_exact,
    assert_sound,
    decaying,
    dense,
    fit,
    options_of,
    same_bits,
    shards,
    some_k,
)
from hypothesis import given, settings
from sklearn.decomposition import PCA, IncrementalPCA

from memwave.core.errors import MemwaveError
from memwave.pca.solvers import make_solver, solver_module
from memwave.pca.streaming import summarize
from memwave.storage import hdf5

# Directions of well separated eigenvalues.
DIRECTIONS = {"float32": 1e-3, "float64": 1e-7}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
@settings(max_examples=60)
@given(**CASES)
def test_exact_options_give_dense_pca(name, dtype, rows, data, n_shards, block_rows):
    k = some_k(data, rows)
    stored = rows.astype(dtype)
    sizes = {"n_components": k, "block_rows": block_rows, "dtype": dtype}
    model = fit(name, shards(stored, n_shards), **sizes, **EXACT[name])
    spread = np.sqrt(max(dense(stored, 1)[0][0], 0.0))
    if spread > 1e-6 * np.abs(stored).max():
        assert_exact(model, stored, k, dtype)
    else:  # nothing varies: no number may come out of rounding
        assert_sound(model, stored, k)
        assert model.explained_variance.max() <= (1e-6 * np.abs(stored).max()) ** 2


@pytest.mark.parametrize("stored", ["float16", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
def test_all_types(name, stored, dtype):
    rows = (decaying(300, 20) + 2.0).astype(stored)
    assert_exact(fit(name, shards(rows, 3), dtype=dtype, **EXACT[name]), rows, 3, dtype)


@pytest.mark.parametrize(
    ("dtype", "offset", "allowed"), [("float64", 1e6, 1e-9), ("float32", 1e3, 1e-5)]
)
@pytest.mark.parametrize("drift", [0.0, 5.0])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_large_mean_does_not_cancel(name, dtype, offset, allowed, drift):
    rows = decaying(400, 20) * np.array([1.0, -1.0] * 10)
    rows += offset + drift * np.linspace(-1, 1, 400)[:, None]
    rows = rows.astype(dtype)
    model = fit(name, shards(rows, 3), dtype=dtype, n_components=4, **EXACT[name])
    values, vectors, covariance = dense(rows, 4)
    np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=allowed * values[0])
    assert model.total_variance == pytest.approx(np.trace(covariance), rel=allowed)
    np.testing.assert_allclose(np.abs(vectors @ model.components.T), np.eye(4), atol=1e-2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
def test_data_of_low_rank(name, dtype):
    random = np.random.default_rng(0)
    rows = (random.normal(size=(90, 2)) @ random.normal(size=(2, 15)) + 3.0).astype(dtype)
    for options in ({}, EXACT[name]):
        model = fit(name, shards(rows, 2), dtype=dtype, n_components=6, **options)
        assert_exact(model, rows, 6, dtype)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
def test_constant_data(name, dtype, value):
    rows = np.full((40, 8), value, dtype)
    model = fit(name, shards(rows, 3), dtype=dtype)
    assert_sound(model, rows, 3)
    assert model.explained_variance.tolist() == [0, 0, 0]
    assert model.explained_variance_ratio.tolist() == [0, 0, 0]
    assert model.total_variance == 0
    np.testing.assert_array_equal(model.mean, rows[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
def test_shards_and_blocks_change_nothing_beyond_rounding(name, dtype):
    rows = decaying(333, 24).astype(dtype)
    _, vectors, _ = dense(rows, 4)
    for n_shards in (1, 2, 7):
        for block_rows in (1, 32, 1000):
            sizes = {"block_rows": block_rows, "dtype": dtype, "n_components": 4}
            model = fit(name, shards(rows, n_shards), **sizes, **EXACT[name])
            assert_exact(model, rows, 4, dtype)
            cosines = np.abs(np.einsum("ij,ij->i", model.components, vectors))
            np.testing.assert_allclose(cosines, 1, rtol=0, atol=DIRECTIONS[dtype])


@pytest.mark.parametrize("name", SOLVERS)
def test_only_train_rows_count(name):
    rows = decaying(200, 16)
    spoilt = rows.copy()
    ranges = [[(5, 40), (60, 61)], [], [(0, 30), (31, 66)]]
    parts = np.split(spoilt, [70, 130])
    chosen = []
    for part, own in zip(parts, ranges, strict=True):
        keep = np.zeros(len(part), bool)
        for start, stop in own:
            keep[start:stop] = True
        chosen.append(part[keep].copy())
        part[~keep] = np.nan
    model = fit(name, parts, ranges=ranges, **EXACT[name])
    assert_exact(model, np.vstack(chosen), 3, "float64")
    assert model.n_samples == 35 + 1 + 30 + 35


@pytest.mark.parametrize("name", SOLVERS)
def test_signs_do_not_depend_on_those_of_the_data(name):
    rows = decaying(200, 16)
    models = [fit(name, shards(sign * rows, 2), **EXACT[name]) for sign in (1, -1)]
    np.testing.assert_allclose(models[0].components, models[1].components, atol=1e-7)


@pytest.mark.parametrize("name", SOLVERS)
def test_as_scikit_learn(name):
    rows = decaying(300, 20) + 5.0
    theirs = PCA(4, svd_solver="full").fit(rows)
    ours = fit(name, shards(rows, 3), n_components=4, **EXACT[name])
    np.testing.assert_allclose(ours.components, theirs.components_, atol=1e-7)
    for attribute in (
        "mean",
        "explained_variance",
        "explained_variance_ratio",
        "singular_values",
        "noise_variance",
    ):
        expected = getattr(theirs, f"{attribute}_")
        np.testing.assert_allclose(getattr(ours, attribute), expected, rtol=1e-9)


def test_as_the_incremental_pca_of_scikit_learn_where_it_drops_nothing():
    rows = decaying(300, 20) + 5.0
    theirs = IncrementalPCA(20, batch_size=50).fit(rows)
    ours = fit("incremental", [rows], n_components=20, batch_rows=50)
    np.testing.assert_allclose(ours.explained_variance, theirs.explained_variance_, rtol=1e-8)
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-12)
    cosines = np.abs(np.einsum("ij,ij->i", ours.components, theirs.components_))
    np.testing.assert_allclose(cosines, 1, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
def test_threads_change_no_bit(name, dtype):
    rows = decaying(2000, 96).astype(dtype)
    models = [fit(name, shards(rows, 7), dtype=dtype, threads=threads) for threads in (1, 2, 4)]
    assert same_bits(models[0], models[1])
    assert same_bits(models[0], models[2])


@pytest.mark.parametrize("d", [12, 200])
@pytest.mark.parametrize("name", ["covariance", "incremental"])
def test_a_part_comes_back_from_its_file(tmp_path, name, d):
    parts = shards(decaying(150, d), 3)
    options = options_of(name, batch_rows=40, inner_rank=6) if name != "covariance" else {}
    solvers = [make_solver(name, d, {"n_components": 3} | options, "float64") for _ in range(2)]
    for i, rows in enumerate(parts):
        for solver, stored in zip(solvers, (False, True), strict=True):
            whole = [(0, len(rows))]
            part = summarize(
                solver, ArrayShard(rows), whole, dtype="float64", block_rows=9, progress=len_of
            )
            if stored:
                hdf5.save_arrays(tmp_path / f"{i}.h5", part.arrays())
                part = solver.restore(hdf5.load_arrays(tmp_path / f"{i}.h5"))
            solver.merge(part)
    assert not any(solver.next_pass() for solver in solvers)
    assert same_bits(*(solver.finish() for solver in solvers))


def len_of(rows):
    assert rows > 0


def test_sizes_are_known_without_the_libraries_that_compute():
    """Snakemake's own process asks all solvers for their memory and time, and computes nothing."""
    code = (
        "import sys, memwave.workflow\n"
        "from memwave.pca.solvers import concrete_solvers, load_libraries\n"
        "assert len(concrete_solvers()) > 3\n"
        "assert not {'scipy.linalg', 'scipy.sparse'} & set(sys.modules)\n"
        "load_libraries('lag-covariance')\n"
        "assert {'scipy.linalg', 'scipy.sparse'} <= set(sys.modules)\n"
    )
    scripts = Path(__file__).parents[2] / "scripts"
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(scripts)}
    )


@pytest.mark.filterwarnings("ignore:.*encountered in")
@pytest.mark.parametrize("solver", ["covariance", "incremental", "randomized"])
@pytest.mark.parametrize("batch_rows", [16, 1024])
@pytest.mark.parametrize("rows_too_large", [slice(7, 8), slice(None)])
def test_squares_that_overflow_are_refused(solver, batch_rows, rows_too_large):
    rows = decaying(60, 40).astype(np.float32)
    rows[rows_too_large] *= np.float32(1e25)
    options = {"batch_rows": batch_rows, "inner_rank": 4} if solver == "incremental" else {}
    with pytest.raises(MemwaveError, match=r"too large to be summed up.*compute_dtype: float64"):
        fit(solver, [rows], dtype="float32", n_components=3, **options)
    model = fit(solver, [rows.astype(np.float64)], n_components=3, **options)
    exact = fit("covariance", [rows.astype(np.float64)], n_components=3)
    assert model.explained_variance[0] == pytest.approx(exact.explained_variance[0], rel=0.05)


@pytest.mark.parametrize("solver", ["covariance", "incremental", "randomized"])
@pytest.mark.parametrize("size", [1e-17, 1e-21, 1e-30])
def test_features_whose_squares_would_lose_digits_are_refused(solver, size):
    rows = decaying(60, 8)
    small = (rows * size).astype(np.float32)
    with pytest.raises(MemwaveError, match=r"array.npy.*float32 loses digits.*float64"):
        fit(solver, [small], dtype="float32", n_components=3)
    model = fit(solver, [small.astype(np.float64)], n_components=3)
    expected = fit(solver, [rows], n_components=3).explained_variance * size**2
    np.testing.assert_allclose(model.explained_variance, expected, rtol=1e-4)


def test_features_that_do_not_vary_have_no_digits_to_lose():
    rows = np.full((60, 8), np.float32(1e-30))
    model = fit("covariance", [rows], dtype="float32", n_components=3)
    assert model.total_variance == 0


@pytest.mark.parametrize("name", [name for name in SOLVERS if solver_module(name).Solver.ONE_PASS])
def test_reading_a_part_changes_nothing_and_needs_its_end(name):
    rows = decaying(50, 12) + 3.0
    solver = make_solver(name, 12, options_of(name), "float64")
    part = solver.start(np.zeros(12))
    part.update(rows.copy())
    with pytest.raises(ValueError, match="call finish first"):
        part.arrays()
    part.finish()
    first = {key: array.tobytes() for key, array in part.arrays().items()}
    part.finish()
    assert first == {key: array.tobytes() for key, array in part.arrays().items()}
