"""Objects of Python as matrices: masks, tables, tensors, containers, and arrays to write to."""

from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import zarr
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import memwave
from memwave.readers.formats.h5ad import sparse

GOOD = np.random.default_rng(0).normal(size=(40, 6)) * [6, 5, 4, 3, 2, 1] + 3
NAMES = list("abcdef")


def fitted(X, **options):
    return memwave.PCA(2, block_mb=0.001, **options).fit(X)


def require_same(pca, rows):
    """The model of all rows, as a dense decomposition finds it."""
    assert pca.n_samples_ == len(rows)
    np.testing.assert_allclose(pca.mean_, rows.mean(axis=0))
    values = np.linalg.eigvalsh(np.cov(rows.T))[:-3:-1]
    np.testing.assert_allclose(pca.explained_variance_, values)


def masked(row, column):
    X = np.ma.masked_array(GOOD.copy())
    X.data[row, column] = 1e9
    X[row, column] = np.ma.masked
    return X


@pytest.mark.parametrize("stacked", [False, True])
def test_a_masked_value_is_missing(stacked):
    X = masked(17, 3)
    X = [X[:9], X[9:]] if stacked else X
    with pytest.raises(memwave.MemwaveError, match=r"row (8|17), column 3 is NaN"):
        fitted(X)
    pca = fitted(X, missing="drop")
    require_same(pca, np.delete(GOOD, 17, axis=0))
    assert np.flatnonzero(np.isnan(pca.transform(X)).any(axis=1)).tolist() == [17]
    require_same(fitted(np.ma.masked_array(GOOD)), GOOD)
    with pytest.raises(memwave.MemwaveError, match="row 2, column 0 is NaN"):
        fitted(list(masked(2, 0)))


def test_masked_integers_are_refused():
    X = np.ma.masked_equal(np.arange(30).reshape(10, 3), 7)
    with pytest.raises(memwave.MemwaveError, match=r"row 2, column 1 is masked.*int64.*astype"):
        fitted(X)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "object"])
def test_missing_values_of_a_table(dtype):
    rows = np.round(GOOD * 9)
    table = pd.DataFrame(rows, columns=NAMES).astype(dtype)
    require_same(fitted(table), rows)
    table.iloc[5, 2] = pd.NA if dtype != "object" else None
    with pytest.raises(memwave.MemwaveError, match=r'row 5, column 2 ."c".* is NaN'):
        fitted(table)
    require_same(fitted(table, missing="drop"), np.delete(rows, 5, axis=0))


def test_integers_that_a_table_would_round():
    table = pd.DataFrame({"a": [1, 2**60 + 1, 3], "b": [0.5, 1, 2]})
    with pytest.raises(memwave.MemwaveError, match=r'row 1, column "a" has an integer .*2\*\*53'):
        fitted(table)


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow"])
@pytest.mark.parametrize("index", [np.arange(40) * 7, [f"gene{i}" for i in range(40)]])
def test_the_index_of_a_table_is_no_column(ending, index, tmp_path):
    import pyarrow as pa
    from pyarrow import feather, parquet

    table = pa.Table.from_pandas(pd.DataFrame(GOOD, columns=NAMES, index=index))
    assert table.num_columns == 7
    path = tmp_path / f"x.{ending}"
    if ending == "parquet":
        parquet.write_table(table, path)
    else:
        feather.write_feather(table, path)
    pca = fitted(path)
    require_same(pca, GOOD)
    assert list(pca.feature_names_in_) == NAMES


class Tensor:
    """An array of a library with types of its own."""

    shape, dtype = GOOD.shape, "a type of another library"

    def __getitem__(self, rows):
        raise AssertionError("is converted as a whole")

    def __array__(self, dtype=None, copy=None):
        return GOOD if dtype is None else GOOD.astype(dtype)


class Scaled:
    """A variable that says int16 and gives floats, as that of netCDF4 does."""

    shape, dtype = GOOD.shape, np.dtype("int16")

    def __getitem__(self, rows):
        return GOOD[rows]


class Loader:
    """Gives blocks as often as it is asked."""

    def __iter__(self):
        return iter(np.array_split(GOOD, 5))


def test_other_objects(tmp_path):
    require_same(fitted(Tensor()), GOOD)
    require_same(fitted(Loader()), GOOD)
    require_same(fitted(GOOD > 3), (GOOD > 3).astype(float))
    with pytest.raises(memwave.MemwaveError, match="are of type float64, expected int16"):
        fitted(Scaled())
    np.save(tmp_path / "x.npy", GOOD)
    require_same(fitted(np.load(tmp_path / "x.npy", mmap_mode="r")[::-1]), GOOD)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=GOOD)
        flags = file.create_dataset("flags", data=GOOD > 3, chunks=(7, 4))
        require_same(fitted(flags), (GOOD > 3).astype(float))
    with pytest.raises(memwave.MemwaveError, match=r"X: cannot be read .*leave it open"):
        fitted(dataset)


def test_parts_may_have_either_byte_order(tmp_path):
    rows = GOOD.astype("f4")
    np.save(tmp_path / "big.npy", rows[9:].astype(">f4"))
    parts = fitted([rows[:9], tmp_path / "big.npy"])
    assert parts.components_.tobytes() == fitted([rows[:9], rows[9:]]).components_.tobytes()


def test_numbers_of_numpy_are_parameters(tmp_path):
    numbers = {"shards": np.int64(2), "threads": np.int8(2), "random_state": np.uint16(3)}
    numbers |= {"max_mem_mb": np.int64(900), "block_mb": np.float32(0.5)}
    pca = memwave.PCA(np.int64(2), solver="randomized", **numbers).fit(GOOD)
    pca.save(tmp_path / "model.h5")
    assert memwave.load_model(tmp_path / "model.h5").n_components_ == 2
    assert memwave.PCA(np.float32(0.99)).fit(GOOD).selection_["reached"]
    GOOD.astype("f4").tofile(tmp_path / "x.raw")
    raw = memwave.PCA(2).fit(tmp_path / "x.raw", dtype="f4", columns=np.int64(6))
    assert raw.n_samples_ == 40


def test_rows_that_are_dropped_come_back_as_missing():
    rows = GOOD.copy()
    rows[[0, 30], 2] = np.nan
    pca = memwave.PCA(6, missing="drop", block_mb=0.001).fit(rows)
    back = pca.inverse_transform(pca.transform(rows))
    left = np.isfinite(rows).all(axis=1)
    np.testing.assert_allclose(back[left], rows[left])
    assert np.isnan(back[~left]).all()
    found = pca.monitor(rows)
    for name in ("hotelling_t2", "spe"):
        np.testing.assert_array_equal(np.isnan(getattr(found, name)), ~left)
    np.testing.assert_array_equal(
        found.hotelling_t2[left], pca.monitor(rows[left], is_train=False).hotelling_t2
    )
    assert not found.above_t2[~left].any()


def outputs(folder, X):
    """Arrays that scores cannot be written to, and what the message says."""
    np.save(folder / "x.npy", X)
    yield np.zeros(X.shape, "i8"), "out has type int64, expected floats"
    yield np.broadcast_to(0.0, X.shape), "out is read-only"
    yield X, "out shares memory with X"
    yield np.lib.format.open_memmap(folder / "x.npy", "r+"), "x.npy: is the input"
    yield folder / "x.npy", "x.npy: is the input"
    (folder / "folder.npy").mkdir()
    yield folder / "folder.npy", "is a folder, expected the name of a file"
    yield folder / "x.npy/deeper.npy", "cannot be written: File exists"


def test_what_is_read_is_not_written_to(tmp_path):
    X = GOOD.copy()
    pca = memwave.PCA(6).fit(X)
    for out, message in outputs(tmp_path, X):
        source = tmp_path / "x.npy" if "x.npy" in message else X
        with pytest.raises(memwave.MemwaveError, match=message):
            pca.transform(source, out=out)
    both = np.zeros((44, 6))
    both[:40] = X
    with pytest.raises(memwave.MemwaveError, match="out shares memory"):
        pca.transform(both[:40], out=both[4:])
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=X)
        with pytest.raises(memwave.MemwaveError, match="out shares memory"):
            pca.transform(dataset, out=file["x"])
        pca.transform(dataset, out=file.create_dataset("scores", X.shape, "f4"))  # in one file
    with pytest.raises(memwave.MemwaveError, match="is the input"):
        pca.write_projection(tmp_path / "x.npy", tmp_path / "x.npy")
    with (
        h5py.File(tmp_path / "x.h5") as file,
        pytest.raises(memwave.MemwaveError, match=r"x\.h5: is the input"),
    ):
        pca.write_projection(tmp_path / "x.h5", file["x"])
    view = np.load(tmp_path / "x.npy", mmap_mode="r")[::2]
    for rows in (view, np.asarray(view)):
        with pytest.raises(memwave.MemwaveError, match=r"x\.npy: is the input"):
            pca.transform(rows, out=tmp_path / "x.npy")
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["x"], X)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)
    np.testing.assert_array_equal(X, GOOD)


@pytest.mark.filterwarnings("error")
def test_scores_that_an_output_cannot_hold(tmp_path):
    pca = memwave.PCA(2).fit(GOOD)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for out in (
            np.zeros((40, 2), "f2"),
            file.create_dataset("half", (40, 2), "f2"),
            zarr.create_array(tmp_path / "x.zarr", shape=(40, 2), dtype="f2", chunks=(9, 2)),
        ):
            pca.transform(GOOD, out=out)
            np.testing.assert_allclose(out[:], pca.transform(GOOD), rtol=1e-3, atol=1e-3)
            with pytest.raises(memwave.MemwaveError, match=r"type float16, which cannot hold"):
                pca.transform(GOOD * 1e5, out=out)
    with pytest.raises(
        memwave.MemwaveError, match=r"^\S*p\.h5: scores has a value near row 0 that"
    ):
        pca.write_projection(tmp_path / "p.h5", GOOD * 1e39)


def test_scores_in_a_table():
    table = pd.DataFrame(GOOD, columns=NAMES, index=np.arange(40) * 2)
    expected = memwave.PCA(2).fit(table).transform(table)
    pipeline = make_pipeline(memwave.PCA(2)).set_output(transform="pandas")
    for estimator in (pipeline, clone(pipeline)):
        scores = estimator.fit_transform(table)
        assert scores.columns.tolist() == ["pca0", "pca1"]
        assert scores.index.tolist() == table.index.tolist()
        np.testing.assert_array_equal(scores.to_numpy(), expected)
    with pytest.raises(memwave.MemwaveError, match='transform is "panda", expected'):
        memwave.PCA(2).set_output(transform="panda")
    assert isinstance(memwave.PCA(2).fit_transform(table), np.ndarray)


class Backed:
    """A sparse matrix of a backed AnnData: slices of it are sparse matrices of SciPy."""

    def __init__(self, rows, kind):
        self._rows, self.format = rows, kind
        self.shape, self.dtype = rows.shape, rows.dtype

    def __getitem__(self, place):
        return self._rows[place]


def test_a_single_column_lies_in_either_order(tmp_path):
    with open(tmp_path / "x.npy", "wb") as file:
        header = {"descr": "<f8", "fortran_order": True, "shape": (40, 1)}
        np.lib.format.write_array_header_1_0(file, header)
        GOOD[:, 0].tofile(file)
    for X in (tmp_path / "x.npy", np.load(tmp_path / "x.npy", mmap_mode="r")):
        pca = memwave.PCA(1).fit(X)
        np.testing.assert_allclose(pca.mean_, GOOD[:, 0].mean())
        np.testing.assert_allclose(pca.explained_variance_, GOOD[:, 0].var(ddof=1))


def test_a_virtual_dataset_needs_all_of_its_files(tmp_path):
    layout = h5py.VirtualLayout((40, 6), "f8")
    for i in range(2):
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file["x"] = GOOD[20 * i : 20 * i + 20]
        layout[20 * i : 20 * i + 20] = h5py.VirtualSource(f"{i}.h5", "x", (20, 6))
    with h5py.File(tmp_path / "both.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with h5py.File(tmp_path / "both.h5") as file:
        require_same(fitted(file["x"]), GOOD)
    (tmp_path / "1.h5").unlink()
    with (
        h5py.File(tmp_path / "both.h5") as file,
        pytest.raises(memwave.MemwaveError, match=r"1\.h5 that it is made of is not there"),
    ):
        fitted(file["x"])


def test_columns_of_a_table_may_have_any_name():
    table = pd.DataFrame(GOOD[:, :5], columns=["format", "obs", "var_names", "X", "tocsr"])
    require_same(fitted(table), GOOD[:, :5])


def test_rows_of_a_sparse_matrix_in_a_file(monkeypatch):
    rows = np.where(GOOD > 0, GOOD, 0)
    monkeypatch.setattr(sparse, "STRETCH_VALUES", 50)
    pca = memwave.PCA(2).fit(rows)
    backed = memwave.PCA(2).fit(Backed(scipy.sparse.csr_array(rows), "csr"))
    np.testing.assert_array_equal(backed.components_, pca.components_)
    wrong = {
        "is stored column by column": Backed(scipy.sparse.csc_array(rows), "csc"),
        "is an AnnData object, expected its matrix": SimpleNamespace(X=rows, obs=1, var_names=2),
    }
    for message, X in wrong.items():
        with pytest.raises(memwave.MemwaveError, match=message):
            memwave.PCA(1).fit(X)


def test_tables_of_arrow():
    arrow = pytest.importorskip("pyarrow")
    frame = pd.DataFrame(GOOD, columns=NAMES, index=np.arange(40) * 2)
    table = arrow.Table.from_pandas(frame)  # with the index of the rows as another column
    expected = memwave.PCA(2, solver="covariance").fit(GOOD)
    pca = memwave.PCA(2, solver="covariance").fit(table)
    assert list(pca.feature_names_in_) == NAMES
    np.testing.assert_array_equal(pca.components_, expected.components_)
    np.testing.assert_array_equal(pca.transform(table.to_batches()[0]), expected.transform(GOOD))
    with pytest.raises(memwave.MemwaveError, match="feature names should match"):
        pca.transform(table.select(NAMES[::-1]))
    blocks = memwave.PCA(2, solver="covariance").fit(iter(table.to_batches(max_chunksize=7)))
    np.testing.assert_allclose(blocks.explained_variance_, expected.explained_variance_)
    mixed = {"whole": [1, None, 3, 6], "half": [1.5, 2, 3, 4], "coded": [7, 7, 9, 9]}
    mixed["coded"] = arrow.array(mixed["coded"]).dictionary_encode()
    dropped = memwave.PCA(2, missing="drop").fit(arrow.table(mixed))
    np.testing.assert_allclose(dropped.mean_, [10 / 3, 8.5 / 3, 25 / 3])
    for column, message in {
        "text": (["1", "2", "3", "4"], 'column "x" holds object values, expected numbers'),
        "rounded": ([1, None, 3, 2**60 + 1], 'row 3, column "x" has an integer of'),
        "lists": (
            arrow.FixedSizeListArray.from_arrays(np.arange(8.0), 2),
            'column "x" holds .* values, expected numbers',
        ),
    }.values():
        with pytest.raises(memwave.MemwaveError, match=message):
            memwave.PCA(1).fit(arrow.table({"x": column, "y": [1.0, 2.0, 3.0, 5.0]}))


def test_tables_of_polars():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(GOOD, schema=NAMES, orient="row")
    pca = fitted(table)
    require_same(pca, GOOD)
    assert list(pca.feature_names_in_) == NAMES
    scores = memwave.PCA(2).set_output(transform="polars").fit_transform(table)
    assert isinstance(scores, polars.DataFrame)
    assert scores.columns == ["pca0", "pca1"]
    mixed = table.with_columns(polars.col("a").cast(polars.Float32), polars.lit(1).alias("g"))
    require_same(fitted(mixed), mixed.to_numpy())
    with_null = table.with_columns(polars.when(polars.int_range(40) != 5).then("c").alias("c"))
    with pytest.raises(memwave.MemwaveError, match=r'row 5, column 2 ."c".* is NaN'):
        fitted(with_null)
    require_same(fitted(with_null, missing="drop"), np.delete(GOOD, 5, axis=0))
    for column in (polars.lit("text"), polars.date(2026, 1, 1), polars.duration(days=1)):
        with pytest.raises(memwave.MemwaveError, match=r'column "b" holds .* expected numbers'):
            fitted(table.with_columns(column.alias("b")))
    large = table.with_columns(polars.lit(2**60 + 1).alias("b"))
    with pytest.raises(memwave.MemwaveError, match=r'column "b" has an integer of'):
        fitted(large)


class PolarsColumn:
    """A column with the interface of polars: no `iloc`, no `na_value`."""

    def __init__(self, values):
        self._values, self.dtype = values, values.dtype

    def to_numpy(self):
        return self._values


class PolarsTable:
    """A table with the interface of polars, which makes numbers of dates in `to_numpy`."""

    def __init__(self, **columns):
        self._columns, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return PolarsColumn(self._columns[name])

    def to_numpy(self):
        return np.column_stack([np.asarray(c, np.float64) for c in self._columns.values()])


def test_tables_with_the_interface_of_polars():
    columns = dict(zip(NAMES, GOOD.T, strict=True))
    pca = fitted(PolarsTable(**columns))
    require_same(pca, GOOD)
    assert list(pca.feature_names_in_) == NAMES
    columns["b"] = np.arange(40).astype("datetime64[D]")
    with pytest.raises(memwave.MemwaveError, match=r'column "b" holds datetime64.* expected num'):
        fitted(PolarsTable(**columns))
    columns["b"] = np.full(40, 2**60 + 1)
    with pytest.raises(memwave.MemwaveError, match=r'row 0, column "b" has an integer of'):
        fitted(PolarsTable(**columns))


def test_a_lazy_table_of_dask_is_to_be_computed():
    dask = pytest.importorskip("dask.dataframe")
    with pytest.raises(memwave.MemwaveError, match=r"X: is a lazy table.*X.compute\(\)"):
        fitted(dask.from_pandas(pd.DataFrame(GOOD, columns=NAMES), npartitions=2))


def test_a_group_is_not_its_array(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["rows"] = GOOD
        for X in (file, {"rows": GOOD}):
            with pytest.raises(memwave.MemwaveError, match=r"expected one of them: X\['rows'\]"):
                fitted(X)


def test_a_lazy_table_is_to_be_collected():
    polars = pytest.importorskip("polars")
    with pytest.raises(memwave.MemwaveError, match=r"X: is a lazy table.*X.collect\(\)"):
        fitted(polars.DataFrame(GOOD, schema=NAMES, orient="row").lazy())


@pytest.mark.filterwarnings("ignore:Estimator PCA does not inherit")
@pytest.mark.parametrize("solver", ["gram", "incremental"])
def test_scikit_learn_finds_nothing_wrong_with_other_solvers(solver):
    pca = memwave.PCA(1 if solver == "incremental" else None, solver=solver)
    results = check_estimator(pca, on_fail=None, on_skip=None)
    wrong = {r["check_name"] for r in results if r["status"] != "passed"}
    assert wrong <= {"check_array_api_input"}
    assert hasattr(pca, "partial_fit") == (solver == "incremental")


@pytest.mark.parametrize("name", ["gone.h5", ".", "x.npy", "other.h5"])
def test_no_model_is_never_to_be_deleted(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", GOOD)
    with h5py.File("other.h5", "w") as file:
        file["x"] = GOOD
    with pytest.raises(memwave.MemwaveError, match=f"{name}: .*expected a model.h5") as raised:
        memwave.load_model(name)
    assert "rm " not in str(raised.value)
