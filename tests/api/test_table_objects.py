"""Tables in memory as matrices: of pandas, Arrow, polars and dask."""

import numpy as np
import pandas as pd
import pytest
from small_matrices import GOOD, NAMES, fitted, require_same

import memwave


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


def test_columns_of_a_table_may_have_any_name():
    table = pd.DataFrame(GOOD[:, :5], columns=["format", "obs", "var_names", "X", "tocsr"])
    require_same(fitted(table), GOOD[:, :5])


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


def test_a_lazy_table_is_to_be_collected():
    polars = pytest.importorskip("polars")
    with pytest.raises(memwave.MemwaveError, match=r"X: is a lazy table.*X.collect\(\)"):
        fitted(polars.DataFrame(GOOD, schema=NAMES, orient="row").lazy())
