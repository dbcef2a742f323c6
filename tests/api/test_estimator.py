"""`memwave.PCA`: scikit-learn's names and numbers, for files and arrays of every kind."""

import doctest
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.decomposition
import zarr
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import memwave
from memwave.api import estimator
from memwave.api.planning import plan_fit, spec_of
from memwave.pca.solvers import feature_solvers, reads_columns
from memwave.readers.matrices.objects import as_matrix

SCRIPTS = Path(__file__).parents[2] / "scripts"
ROWS, COLUMNS, K = 403, 9, 3


def matrix(dtype="float32", n_rows=ROWS):
    scale = np.array([9, 6, 4] + [1] * (COLUMNS - 3))
    rows = np.random.default_rng(0).normal(size=(n_rows, COLUMNS)) * scale + 50
    return rows.astype(dtype)


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


def test_scikit_learn_finds_nothing_wrong():
    results = check_estimator(memwave.PCA(), on_fail=None, on_skip=None)
    assert {r["check_name"] for r in results if r["status"] != "passed"} <= {
        "check_array_api_input"  # wants SCIPY_ARRAY_API=1 in the environment
    }
    assert len(results) > 40


def test_it_works_in_a_pipeline_and_in_a_grid():
    rows = matrix("float64")
    y = rows[:, 0] > 50
    pipeline = make_pipeline(memwave.PCA(), LogisticRegression())
    grid = GridSearchCV(pipeline, {"pca__n_components": [1, 2]}, cv=2).fit(rows, y)
    assert grid.best_score_ > 0.9
    alone = GridSearchCV(memwave.PCA(), {"n_components": [1, 2, 3]}, cv=2).fit(rows)
    assert alone.best_params_ == {"n_components": 3}


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


def test_bits_depend_on_neither_threads_nor_the_interpreter(tmp_path):
    rows = matrix("float32", 4000)
    for solver in feature_solvers():
        fits = [
            memwave.PCA(K, solver=solver, threads=threads, block_mb=0.1).fit(rows)
            for threads in (1, 3)
        ]
        np.testing.assert_array_equal(fits[0].components_, fits[1].components_)


@pytest.fixture
def interrupts():
    """Interrupts raise, as in a terminal; a shell's job in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_leaves_the_object_as_it_was():
    rows = matrix("float64")
    pca = memwave.PCA(K, threads=2).fit(rows)
    before, threads_before = pca.components_.copy(), threading.active_count()

    class Interrupting:
        """An array that is interrupted when its middle is read."""

        shape, dtype = (200_000, COLUMNS), np.dtype("float64")

        interrupted = False

        def __getitem__(self, rows):
            if rows.start > 100_000 and rows.stop - rows.start > 1 and not self.interrupted:
                self.interrupted = True
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.5)  # for the main thread to notice
            return np.random.default_rng(0).normal(size=(rows.stop - rows.start, COLUMNS))

    for threads in (1, 2):
        pca.set_params(threads=threads, block_mb=0.5)
        with pytest.raises(KeyboardInterrupt):
            pca.fit(Interrupting())
        np.testing.assert_array_equal(pca.components_, before)
        assert threading.active_count() == threads_before
    assert pca.transform(rows).shape == (ROWS, K)
    assert pca.fit(rows[:99]).n_samples_ == 99


ONE_THREAD = """
import sys
sys.path.insert(0, sys.argv[1])
import memwave
import numpy as np
from threadpoolctl import threadpool_info
def threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
class Matrix:
    shape, dtype = (900, 20), np.dtype("float64")
    def __getitem__(self, rows):
        seen.append((len(threadpool_info()), threads()))
        return np.random.default_rng(0).normal(size=(rows.stop - rows.start, 20))
seen, before = [], threads()
memwave.PCA(3, solver="incremental").fit(Matrix())
assert all(found == {1} for _, found in seen), seen[-1]
assert seen[-1][0] == len(threadpool_info())  # no BLAS came later, with threads of its own
assert before <= threads(), (before, threads())

# Two threads of the program: the first one ends while the second one computes.
from threading import Event, Thread
inside, first_is_done = Event(), Event()
class Waiting(Matrix):
    def __getitem__(self, rows):
        inside.set()
        assert first_is_done.wait(50)
        return super().__getitem__(rows)
second = Thread(target=memwave.PCA(3).fit, args=[Waiting()])
class Starting(Matrix):
    def __getitem__(self, rows):
        if not inside.is_set():
            second.start()
            assert inside.wait(50)
        return super().__getitem__(rows)
del seen[:]
memwave.PCA(3).fit(Starting())
first_is_done.set()
second.join()
assert all(found == {1} for _, found in seen), seen[-1]
assert before <= threads(), (before, threads())
"""


def test_blas_has_one_thread_while_it_computes_and_no_longer():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    run = [sys.executable, "-c", ONE_THREAD, str(SCRIPTS)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr


def test_progress_is_drawn_if_wanted(capfd):
    class Slow(memwave.PCA):
        def _bar(self, total, label):
            bar = super()._bar(total, label)
            bar.ON_TERMINAL = 0
            return bar

    Slow(K).fit(matrix())
    assert capfd.readouterr().err == ""
    Slow(K, verbose=True).fit(matrix())
    assert "100%" in capfd.readouterr().err


MEASURE = """
import sys
sys.path.insert(0, sys.argv[1])
import memwave
from memwave.workflow.process.memory import PeakMemory
path, solver, limit = sys.argv[2], sys.argv[3], int(sys.argv[4])
with PeakMemory() as peak:
    pca = memwave.PCA(5, solver=solver, max_mem_mb=limit, block_mb=4)
    pca.fit(path, dtype="float16", columns=700)
    pca.transform(path, dtype="float16", columns=700, out=path + ".npy")
    pca.inverse_transform(path + ".npy", out=path + ".back.npy")
print(peak.bytes)
"""


@pytest.mark.parametrize("solver", feature_solvers())
def test_memory_stays_below_the_limit_however_many_rows(solver, tmp_path):
    peaks, columns_are_read = [], reads_columns(solver)
    for n_rows in (1000, 4000) if columns_are_read else (2000, 16_000):
        path = tmp_path / f"{n_rows}.mmap"
        random = np.random.default_rng(0)
        with open(path, "wb") as file:
            for _ in range(n_rows // 1000):
                random.normal(size=(1000, 700)).astype("float16").tofile(file)
        with as_matrix(str(path), "float16", 700) as opened:
            params = memwave.PCA(5, solver=solver, block_mb=4).get_params()
            limit = plan_fit(params, spec_of(opened), n_rows).memory_mb
        run = [sys.executable, "-c", MEASURE, str(SCRIPTS), str(path), solver, str(limit)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout) / 1e6)
        assert peaks[-1] <= limit
        for made in tmp_path.iterdir():
            made.unlink()
    assert columns_are_read or peaks[1] < 1.25 * peaks[0]


MEASURE_FILE = """
import sys
sys.path.insert(0, sys.argv[1])
import memwave
from memwave.workflow.process.memory import PeakMemory
path, limit = sys.argv[2], int(sys.argv[3])
with PeakMemory() as peak:
    pca = memwave.PCA(5, solver="covariance", max_mem_mb=limit, block_mb=1, missing="drop")
    pca.fit(path)
    pca.transform(path, out=sys.argv[4])
print(peak.bytes, pca.n_samples_)
"""


def write_table(path, n_rows):
    """Rows with one missing value, block by block."""
    random, names = np.random.default_rng(0), [f"c{i}" for i in range(200)]
    blocks = (random.normal(size=(1000, 200)).astype("f4") for _ in range(n_rows // 1000))
    if path.suffix == ".parquet":
        schema = pa.schema([(name, pa.float32()) for name in names])
        with pq.ParquetWriter(path, schema) as writer:
            for i, block in enumerate(blocks):
                block[0, 0] = np.nan if i == 0 else 0
                columns = [pa.array(column) for column in block.T]
                writer.write_table(pa.table(columns, schema=schema))
        return str(path)
    with h5py.File(path, "w") as file:
        x = file.create_dataset("x", (n_rows, 200), "f4", chunks=(1000, 50), compression=1)
        for i, block in enumerate(blocks):
            x[1000 * i : 1000 * (i + 1)] = block
        x[0, 0] = np.nan
    return f"{path}::/x"


@pytest.mark.parametrize("name", ["x.parquet", "x.h5"])
def test_memory_of_files_with_chunks_and_gaps_stays_below_the_limit(name, tmp_path):
    peaks, limits = [], []
    for n_rows in (20_000, 160_000):  # of fewer rows, not all buffers are ever filled
        path = write_table(tmp_path / name, n_rows)
        with as_matrix(path) as opened:
            params = memwave.PCA(5, solver="covariance", block_mb=1).get_params()
            limit = plan_fit(params, spec_of(opened), n_rows).memory_mb
        limits.append(limit)
        run = [sys.executable, "-c", MEASURE_FILE, str(SCRIPTS), path, str(limit)]
        run.append(str(tmp_path / "scores.npy"))
        done = subprocess.run(run, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        peak, n_fitted = map(int, done.stdout.split())
        assert n_fitted == n_rows - 1
        peaks.append(peak / 1e6)
        assert peaks[-1] <= limit
    # The limit counts what Parquet stores of each row group.
    assert peaks[1] < 1.1 * peaks[0] + 5 + limits[1] - limits[0]
    assert limits[1] == limits[0] if name == "x.h5" else limits[1] < 1.2 * limits[0]


def test_what_would_need_too_much_memory_is_refused_before_anything_is_read():
    class Unread:
        shape, dtype = (100_000, 20_000), np.dtype("float32")

        def __getitem__(self, rows):
            raise AssertionError("nothing is to be read")

    with pytest.raises(
        memwave.MemwaveError, match=r"needs \d+ MB, more than max_mem_mb=500.*incremental"
    ):
        memwave.PCA(5, solver="covariance", max_mem_mb=500).fit(Unread())


def test_the_example_of_the_help_runs():
    results = doctest.testmod(estimator)
    assert results.attempted >= 6
    assert results.failed == 0
