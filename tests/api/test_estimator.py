"""`memwave.PCA`: scikit-learn's names and numbers, for files and arrays of every kind."""

import doctest

import h5py
import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
import zarr
from sklearn.base import clone
from small_matrices import COLUMNS, GOOD, ROWS, K, matrix

import memwave
from memwave.api import estimator
from memwave.pca.solvers import feature_solvers


@pytest.fixture
def files(tmp_path):
    """The same matrix in files and arrays of all kinds: what `fit` takes, and how."""
    rows = matrix("float16")
    np.save(tmp_path / "x.npy", rows)
    rows.tofile(tmp_path / "x.mmap")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        options = {"compression": "gzip", "chunks": (64, 4)}
        file.create_dataset("deep/x", data=rows, **options)
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file.create_dataset("X", data=rows)
        names = [f"gene{i}" for i in range(COLUMNS)]
        file.create_dataset("var/_index", data=names, dtype=h5py.string_dtype())
        file["var"].attrs["_index"] = "_index"
    zarr.create_array(str(tmp_path / "x.zarr"), data=rows, chunks=(50, COLUMNS))
    store = h5py.File(tmp_path / "x.h5")
    mapped = np.memmap(tmp_path / "x.mmap", "float16", "r", shape=rows.shape)
    text = {name: str(tmp_path / name) for name in ("x.npy", "x.mmap", "x.h5", "x.h5ad", "x.zarr")}
    raw = {"dtype": "float16", "columns": COLUMNS}
    yield {
        "npy": (text["x.npy"], {}),
        "path": (tmp_path / "x.npy", {}),
        "raw": (text["x.mmap"], raw),
        "hdf5": (text["x.h5"] + "::/deep/x", {}),
        "h5ad": (text["x.h5ad"], {}),
        "zarr": (text["x.zarr"], {}),
        "array": (rows, {}),
        "fortran": (np.asfortranarray(rows), {}),
        "map": (mapped, {}),
        "dataset": (store["deep/x"], {}),
        "zarr array": (zarr.open_array(text["x.zarr"], mode="r"), {}),
        "list": ([mapped[:100], rows[100:200], mapped[200:]], {}),
        "table": (pd.DataFrame(rows.astype("float32")).astype("float16"), {}),
    }
    store.close()


KINDS = ("npy", "path", "raw", "hdf5", "h5ad", "zarr", "array", "fortran", "map", "dataset")
KINDS = (*KINDS, "zarr array", "list", "table")
CHUNKED = ("hdf5", "zarr", "dataset", "zarr array")


@pytest.mark.parametrize("solver", feature_solvers())
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_matrix_gives_the_same_bytes(files, kind, solver):
    X, how = files[kind]
    options = {"batch_rows": 64} if solver == "incremental" else None
    pca = memwave.PCA(K, solver=solver, block_mb=0.001, solver_options=options)
    expected = clone(pca).fit(files["npy"][0])
    pca.fit(X, **how)
    if kind in CHUNKED:  # shards and batches follow the chunks of the file
        np.testing.assert_allclose(pca.explained_variance_, expected.explained_variance_, rtol=1e-4)
    else:
        np.testing.assert_array_equal(pca.components_, expected.components_)
    np.testing.assert_array_equal(expected.transform(X, **how), expected.transform(files["npy"][0]))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i1", "u1", "i2", "i4", "i8", "u8"])
@pytest.mark.parametrize("solver", feature_solvers())
def test_numbers_are_those_of_scikit_learn(solver, dtype):
    rows = matrix(dtype)
    ours = memwave.PCA(K, solver=solver, block_mb=0.01).fit(rows)
    theirs = sklearn.decomposition.PCA(K).fit(rows.astype("float64"))
    exact = {"rtol": 1e-4 if solver == "incremental" else 1e-5}
    for name in ("explained_variance_", "singular_values_", "noise_variance_", "mean_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), **exact)
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, theirs.explained_variance_ratio_, **exact
    )
    aligned = np.abs(np.sum(ours.components_ * theirs.components_, axis=1))
    np.testing.assert_allclose(aligned, 1, atol=1e-5)
    assert (ours.n_samples_, ours.n_features_in_, ours.solver_) == (ROWS, COLUMNS, solver)
    left = 1 - theirs.explained_variance_ratio_.sum()
    assert ours.reconstruction_error_ == pytest.approx(left, rel=1e-3)
    assert (ours.residual_ <= 1e-3 * ours.explained_variance_[0]).all()
    assert ours.score(rows) == pytest.approx(theirs.score(rows.astype("float64")), rel=1e-4)
    back = ours.inverse_transform(ours.transform(rows))
    expected = theirs.inverse_transform(theirs.transform(rows.astype("float64")))
    np.testing.assert_allclose(back, expected, atol=0.05)


def test_standardized_columns_give_correlations():
    rows = matrix("float64")
    pca = memwave.PCA(K, standardize=True).fit(rows)
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    theirs = sklearn.decomposition.PCA(K).fit(scaled)
    np.testing.assert_allclose(pca.explained_variance_, theirs.explained_variance_)
    np.testing.assert_allclose(
        np.abs(pca.transform(rows)), np.abs(theirs.transform(scaled)), atol=1e-8
    )
    np.testing.assert_allclose(pca.scale_, rows.std(axis=0, ddof=1))


@pytest.mark.parametrize("solver", ["auto", "covariance", "incremental"])
def test_blocks_that_come_once(solver):
    rows = matrix("float64", 900) + np.arange(900)[:, None]  # the mean moves away
    pieces = np.array_split(rows, 11)
    expected = sklearn.decomposition.PCA(K).fit(rows)
    one = memwave.PCA(K, solver=solver).fit(piece for piece in pieces)
    other = memwave.PCA(K, solver=solver)
    for piece in pieces:
        assert other.partial_fit(piece) is other
        assert other.components_.shape == (K, COLUMNS)  # asked for at any time
    for pca in (one, other):
        np.testing.assert_allclose(pca.explained_variance_, expected.explained_variance_, rtol=1e-4)
        assert pca.n_samples_ == 900
    other.fit(rows[:50])
    assert other.n_samples_ == 50


def test_scores_go_to_a_file_or_an_array(files, tmp_path):
    X, how = files["raw"]
    pca = memwave.PCA(K, block_mb=0.001).fit(X, **how)
    expected = pca.transform(X, **how)
    mapped = pca.transform(X, out=tmp_path / "scores.npy", **how)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), expected)
    target = np.zeros_like(expected)
    assert pca.transform(X, out=target, **how) is target
    np.testing.assert_array_equal(target, expected)
    rows = np.memmap(X, how["dtype"], "r").reshape(-1, how["columns"])
    with h5py.File(tmp_path / "out.h5", "w") as file:
        for source, given in ((X, how), (np.array(rows), {})):
            stored = file.require_dataset("s", expected.shape, "f4")
            assert pca.transform(source, out=stored, **given) is stored
            np.testing.assert_array_equal(stored[:], expected)
            stored[:] = 0
    back = pca.inverse_transform(tmp_path / "scores.npy", out=str(tmp_path / "back.npy"))
    np.testing.assert_array_equal(back, pca.inverse_transform(expected))
    np.testing.assert_array_equal(memwave.PCA(K, block_mb=0.001).fit_transform(X, **how), expected)


def test_a_saved_model_comes_back(files, tmp_path):
    X, _ = files["h5ad"]
    pca = memwave.PCA(K, solver="randomized").fit(X)
    pca.save(tmp_path / "model.h5")
    again = memwave.load_model(tmp_path / "model.h5")
    for name in ("components_", "mean_", "explained_variance_", "residual_", "noise_variance_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(pca, name))
    np.testing.assert_array_equal(again.transform(X), pca.transform(X))
    assert list(again.feature_names_in_) == [f"gene{i}" for i in range(COLUMNS)]
    with h5py.File(tmp_path / "model.h5") as file:
        assert file["features"][3]["channels"] == b"gene3"


def test_the_example_of_the_help_runs():
    results = doctest.testmod(estimator)
    assert results.attempted >= 6
    assert results.failed == 0


def test_constant_columns_are_no_error():
    rows = np.hstack([GOOD, np.full((40, 2), 7.0)])
    pca = memwave.PCA(3, standardize=True).fit(rows)
    assert np.isfinite(pca.transform(rows)).all()
    np.testing.assert_allclose(pca.components_[:, 6:], 0, atol=1e-12)


def test_the_largest_integers_are_read_as_they_are():
    rows = np.array([[2**62, -(2**62)], [0, 1], [5, 2**61]], dtype="int64")
    pca = memwave.PCA(1).fit(rows)
    expected = np.linalg.eigvalsh(np.cov(rows.astype("f8").T))[-1]
    assert pca.explained_variance_[0] == pytest.approx(expected)
