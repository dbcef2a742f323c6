"""Rows of a matrix with missing values: an error that names the first, or left out."""

import h5py
import numpy as np
import pytest
import zarr

import memwave
from memwave.cli import main
from memwave.core.ranges import runs
from memwave.pca.solvers import feature_solvers
from memwave.readers.matrices import matrix as matrices

ROWS, COLUMNS = 400, 6
GAPS = [0, 7, 8, 130, 399]


def spoiled():
    rows = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)) * [9, 5, 3, 1, 1, 1] + 4
    rows[GAPS, [0, 1, 5, 2, 3]] = np.nan
    return rows


LEFT = np.setdiff1d(np.arange(ROWS), GAPS)


@pytest.fixture(params=["array", "npy", "hdf5", "zarr", "parts"])
def kind(request, tmp_path):
    rows = spoiled()
    if request.param == "npy":
        np.save(tmp_path / "x.npy", rows)
        return tmp_path / "x.npy"
    if request.param == "hdf5":
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file.create_dataset("x", data=rows, chunks=(64, 4), compression="gzip")
        return f"{tmp_path}/x.h5::/x"
    if request.param == "zarr":
        zarr.create_array(str(tmp_path / "x.zarr"), data=rows, chunks=(30, COLUMNS))
        return tmp_path / "x.zarr"
    return rows if request.param == "array" else [rows[:5], rows[5:200], rows[200:]]


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", feature_solvers())
def test_the_fit_is_that_of_the_complete_rows(kind, solver, standardize):
    options = {"solver": solver, "standardize": standardize, "block_mb": 0.005}
    found = memwave.PCA(3, missing="drop", **options).fit(kind)
    expected = memwave.PCA(3, **options).fit(spoiled()[LEFT])
    assert found.n_samples_ == len(LEFT)
    near = {"rtol": 1e-3 if solver == "incremental" else 1e-9}
    np.testing.assert_allclose(found.explained_variance_, expected.explained_variance_, **near)
    np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-9)
    np.testing.assert_allclose(
        found.reconstruction_error_, expected.reconstruction_error_, rtol=1e-3
    )


def test_scores_of_dropped_rows_are_nan(kind, tmp_path):
    pca = memwave.PCA(3, missing="drop", block_mb=0.001).fit(kind)
    scores = pca.transform(kind)
    assert scores.shape == (ROWS, 3)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(scores).any(axis=1)), GAPS)
    np.testing.assert_allclose(scores[LEFT], pca.transform(spoiled()[LEFT]), atol=1e-9)
    mapped = pca.transform(kind, out=tmp_path / "scores.npy")
    np.testing.assert_array_equal(mapped, scores)
    assert pca.score(kind) == pytest.approx(pca.score(spoiled()[LEFT]))


def test_contributions_of_dropped_rows_are_nan(kind):
    pca = memwave.PCA(3, missing="drop").fit(kind)
    found = pca.monitor(kind)
    for parts, statistic in zip(
        pca.contributions(kind), (found.hotelling_t2, found.spe), strict=True
    ):
        assert parts.shape == (ROWS, spoiled().shape[1])
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(parts).any(axis=1)), GAPS)
        np.testing.assert_allclose(parts.sum(axis=1), statistic, rtol=1e-6)


def test_a_projection_has_the_rows_that_are_left(kind, tmp_path):
    pca = memwave.PCA(3, missing="drop").fit(kind)
    pca.write_projection(tmp_path / "p.h5", kind, is_train=True, labels=np.arange(ROWS))
    with h5py.File(tmp_path / "p.h5") as file:
        np.testing.assert_array_equal(file["label"][:], LEFT)
        begins = np.array([0, 5, 200] if isinstance(kind, list) else [0])
        rows = file["start_row"][:] + begins[file["recording"][:]]
        np.testing.assert_array_equal(rows, LEFT)
        np.testing.assert_allclose(file["scores"][:], pca.transform(kind)[LEFT], atol=1e-5)


def test_blocks_that_come_once():
    blocks = np.array_split(spoiled(), 7)
    expected = memwave.PCA(3).fit(spoiled()[LEFT])
    streamed = memwave.PCA(3, missing="drop").fit(iter(blocks))
    partly = memwave.PCA(3, missing="drop")
    for block in blocks:
        partly.partial_fit(block)
    updated = memwave.PCA(3, missing="drop").partial_fit(blocks[0]).update(blocks[1:])
    for pca in (streamed, partly, updated):
        np.testing.assert_allclose(pca.explained_variance_, expected.explained_variance_)


def test_an_error_names_row_and_column(kind):
    with pytest.raises(memwave.MemwaveError, match=r"row 0, column 0 is NaN.*missing: drop"):
        memwave.PCA(3).fit(kind)


def test_integers_have_no_missing_values():
    rows = np.arange(60).reshape(20, 3) ** 2
    assert memwave.PCA(2, missing="drop").fit(rows).n_samples_ == 20


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.full((9, 3), np.nan), "each of 9 rows has a missing value"),
        (np.where(np.arange(9)[:, None] < 8, np.nan, 1.0) * np.ones(3), "expected at least 2 rows"),
        (np.full((9, 3), np.inf), "row 0, column 0 is infinity"),
    ],
)
def test_what_dropping_cannot_mend(rows, message):
    with pytest.raises(memwave.MemwaveError, match=message):
        memwave.PCA(1, missing="drop").fit(rows)


def test_rows_without_a_complete_one():
    """They add nothing to sums, and have NaN as scores."""
    rows = np.random.default_rng(0).normal(size=(60, 3)) * [9, 3, 1]
    gone = np.where(np.arange(3) < 1, np.nan, rows[:4])
    pca = memwave.PCA(2, missing="drop", solver="covariance")
    expected = memwave.PCA(2, solver="covariance").fit(rows).explained_variance_
    assert not hasattr(pca.partial_fit(gone), "components_")
    for model in (
        pca.partial_fit(rows).partial_fit(gone).update(gone),
        memwave.PCA(2, missing="drop", solver="covariance").fit(iter([gone, rows, gone])),
    ):
        assert model.n_samples_ == 60
        np.testing.assert_allclose(model.explained_variance_, expected)
    assert np.isnan(pca.transform(gone)).all()
    assert np.isnan(pca.inverse_transform(pca.transform(gone))).all()
    assert np.isnan([*pca.contributions(gone)]).all()
    found = pca.monitor(gone)
    assert np.isnan([found.spe, found.hotelling_t2]).all()
    assert not (found.above_spe + found.above_t2).any()
    for method in (pca.score, lambda rows: pca.write_projection("never.h5", rows)):
        with pytest.raises(memwave.MemwaveError, match="each of 4 rows has a missing value"):
            method(gone)


def test_labels_that_are_too_large(tmp_path):
    rows = np.random.default_rng(0).normal(size=(9, 3))
    with pytest.raises(memwave.MemwaveError, match=r"labels are up to 9\d+, expected less than 2"):
        memwave.PCA(2).fit(rows).write_projection(
            tmp_path / "p.h5", rows, labels=np.arange(9, dtype="u8") + 2**63
        )


def test_more_runs_than_there_is_memory_for(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(200, 3))
    rows[::2] = np.nan
    monkeypatch.setattr(matrices, "MOST_RUNS", 50)
    with pytest.raises(memwave.MemwaveError, match=r"into more than 50 runs\. Write the complete"):
        memwave.PCA(1, missing="drop").fit(rows)


def test_an_unknown_handling_is_refused():
    with pytest.raises(memwave.MemwaveError, match='missing: found "fill", expected "error" or'):
        memwave.PCA(1, missing="fill").fit(spoiled())


def test_the_commands_drop_them_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", spoiled())
    assert main(["pca", "x.npy", "-k", "2"]) == 1
    assert "row 0, column 0 is NaN" in capsys.readouterr().err
    assert main(["pca", "x.npy", "-k", "2", "--missing", "drop"]) == 0
    assert f"{len(LEFT)} rows x {COLUMNS} columns" in capsys.readouterr().out
    assert main(["transform", "model.h5", "x.npy", "s.npy", "--missing", "drop"]) == 0
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(np.load("s.npy")).any(axis=1)), GAPS)
    assert main(["transform", "model.h5", "x.npy", "p.h5", "--missing", "drop"]) == 0
    with h5py.File("p.h5") as file, h5py.File("projection.h5") as fitted:
        np.testing.assert_array_equal(file["start_row"][:], LEFT)
        np.testing.assert_allclose(file["scores"][:], fitted["scores"][:], atol=1e-5)


def test_runs():
    flags = np.array([True, True, False, True])
    np.testing.assert_array_equal(runs(flags), [[0, 2], [3, 4]])


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", feature_solvers())
def test_a_shard_may_have_no_complete_row(solver, standardize):
    rows = np.random.default_rng(0).normal(size=(300, 5)) * [9, 5, 3, 1, 1]
    rows[:110] = np.nan
    options = {"solver": solver, "standardize": standardize, "block_mb": 0.005}
    found = memwave.PCA(2, missing="drop", shards=3, **options).fit(rows)
    expected = memwave.PCA(2, **options).fit(rows[110:])
    np.testing.assert_allclose(found.components_, expected.components_, atol=1e-3)
    assert found.n_samples_ == 190
