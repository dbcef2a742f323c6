"""Objects of Python as matrices: masks, tensors, parts, datasets of HDF5."""

from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import scipy.sparse
from small_matrices import GOOD, fitted, require_same

import memwave
from memwave.readers.formats.h5ad import sparse


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


def test_a_group_is_not_its_array(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["rows"] = GOOD
        for X in (file, {"rows": GOOD}):
            with pytest.raises(memwave.MemwaveError, match=r"expected one of them: X\['rows'\]"):
                fitted(X)
