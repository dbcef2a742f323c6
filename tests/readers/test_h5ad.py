"""Sparse matrices of AnnData files, which are read row by row."""

import h5py
import numpy as np
import pytest
import scipy.sparse

import memwave
from memwave.readers.formats.h5ad import sparse
from memwave.readers.matrices.objects import as_matrix
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check

ROWS, COLUMNS = 500, 40


def matrix(dtype="f4"):
    random = np.random.default_rng(0)
    counts = random.poisson(0.2, (ROWS, COLUMNS)) * random.integers(1, 9, COLUMNS)
    counts[7] = counts[100:130] = 0  # rows without a value
    return scipy.sparse.csr_array(counts.astype(dtype))


def written(folder, found, place="X"):
    with h5py.File(folder / "x.h5ad", "w") as file:
        group = file.create_group(place)
        for name in ("data", "indices", "indptr"):
            group.create_dataset(name, data=getattr(found, name), chunks=(64,), compression="gzip")
        group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", found.shape
        names = [f"gene{i}" for i in range(COLUMNS)]
        file.create_dataset("var/_index", data=names, dtype=h5py.string_dtype())
        file["var"].attrs["_index"] = "_index"
    return str(folder / "x.h5ad") + ("" if place == "X" else f"::/{place}")


@pytest.mark.parametrize("place", ["X", "layers/counts"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_rows_are_those_of_the_dense_matrix(dtype, place, tmp_path, monkeypatch):
    monkeypatch.setattr(sparse, "STRETCH_VALUES", 50)
    expected = matrix(dtype).toarray()
    with as_matrix(written(tmp_path, matrix(dtype), place)) as found:
        (rows,) = found.ranges(1)
        assert (found.shape, found.dtype, rows.grain) == (expected.shape, expected.dtype, 1)
        assert found.names[3] == "gene3"
        for start, stop in ((0, ROWS), (5, 9), (100, 130), (499, 500)):
            np.testing.assert_array_equal(rows.rows(start, stop), expected[start:stop])
        np.testing.assert_array_equal(rows.columns(90, 200, 3, 17), expected[90:200, 3:17])


def as_array(variables):
    return variables.create_dataset("i", data=GENES, dtype=h5py.string_dtype())


def as_numbers(variables):
    return variables.create_dataset("i", data=np.arange(4))


def as_categories(variables):
    variables.create_dataset("i/categories", data=GENES[::-1], dtype=h5py.string_dtype())
    variables["i/codes"] = np.arange(4, dtype="i1")[::-1]


def as_nullable(variables, lost=False):
    variables.create_dataset("i/values", data=GENES, dtype=h5py.string_dtype())
    variables["i/mask"] = [False, lost, False, False]


GENES = ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (as_array, GENES),
        (as_numbers, ["0", "1", "2", "3"]),
        (as_categories, GENES),
        (as_nullable, GENES),
        (lambda variables: as_nullable(variables, lost=True), None),
    ],
)
def test_names_of_the_variables_in_every_encoding(write, names, tmp_path):
    rows = np.random.default_rng(0).normal(size=(9, 4))
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = file["layers/log"] = file["obsm/X_pca"] = file["raw/X"] = rows
        write(file.create_group("var"))
        as_array(file.create_group("raw/var"))
        for table in ("var", "raw/var"):
            file[table].attrs["_index"] = "i"
    found = {"X": names, "layers/log": names, "obsm/X_pca": None, "raw/X": GENES}
    for place, expected in found.items():
        with as_matrix(f"{tmp_path}/x.h5ad::/{place}") as matrix:
            assert matrix.names == expected


def test_names_may_repeat(tmp_path, monkeypatch):
    """AnnData reads them, and leaves it to the user to make them unique."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(40, 4))
    genes = ["MATR3", "TBCE", "MATR3", "MATR3"]
    for name, names in (("x", genes), ("y", genes), ("z", [*genes[:3], "TBCE"])):
        with h5py.File(f"{name}.h5ad", "w") as file:
            file["X"] = rows
            file["var/i"] = names
            file["var"].attrs["_index"] = "i"
    pca = memwave.PCA(2).fit(["x.h5ad", "y.h5ad"])
    assert list(pca.feature_names_in_) == genes
    pca.save("model.h5")
    assert list(memwave.load_model("model.h5").feature_names_in_) == genes
    with h5py.File("model.h5") as file:
        assert file["features"]["position"].tolist() == [0, 1, 2, 3]
    with pytest.raises(memwave.MemwaveError, match=r"column 3 is called .TBCE., expected"):
        pca.transform("z.h5ad")
    config = {
        "datasets": {"cells": {"matrix": "x.h5ad"}},
        "models": {"exact": {"solver": "covariance", "n_components": 2}},
        "experiments": [{"dataset": "cells", "model": "exact"}],
    }
    assert check(settings.complete(config)).matrices["cells"].names == tuple(genes)


def test_names_that_cannot_be_read_are_an_error(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.eye(4)
        file["var/i/values"] = GENES
        file["var"].attrs["_index"] = "i"
    with pytest.raises(memwave.MemwaveError, match="names of its variables, var/i, cannot be read"):
        as_matrix(tmp_path / "x.h5ad")


def test_values_of_one_place_add_up_in_any_order(tmp_path):
    found = matrix("f8")
    found.indices[:] = found.indices[::-1] % 3
    with as_matrix(written(tmp_path, found)) as opened:
        np.testing.assert_allclose(opened.ranges(1)[0].rows(0, ROWS), found.toarray())


def test_a_fit_is_that_of_the_dense_matrix(tmp_path):
    for solver in ("covariance", "gram", "randomized"):
        ours = memwave.PCA(3, solver=solver).fit(written(tmp_path, matrix()))
        expected = memwave.PCA(3, solver=solver).fit(matrix().toarray())
        np.testing.assert_array_equal(ours.components_, expected.components_)
        assert list(ours.feature_names_in_[:2]) == ["gene0", "gene1"]
