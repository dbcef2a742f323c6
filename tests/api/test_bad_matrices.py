"""What may be wrong with a matrix, and the message that each case gives."""

import re

import dask.array as da
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from matrix_files import (
    csr_h5ad,
    cut_short,
    fortran_map,
    group_of_zarr,
    hdf5,
    raw,
    saved,
    sparse_h5ad,
    spoiled,
    table,
    two,
    written,
)
from small_matrices import GOOD

import memwave
from memwave.cli import main
from memwave.workflow.planning.plan import make_plan


class Growing:
    """A dataset that loses its last rows while it is read."""

    shape, dtype = (4000, 6), np.dtype("f8")

    def __getitem__(self, rows):
        return np.ones((4000, 6))[rows][: 1 if rows.start > 2000 else None]


RECORDS = np.zeros(9, [("a", "f4"), ("b", "f4")])
TABLE = pd.DataFrame({"age": [1.0, 2, 3], "town": ["Ulm", "Bonn", "Kiel"]})
TWICE = pd.DataFrame(GOOD, columns=list("abcdea"))

# What is fitted, made in a folder, and what the message has to say.
CASES = {
    "missing": (lambda f: (str(f / "no.npy"), {}), "no.npy: No such file"),
    "folder": (lambda f: (str(f), {}), "is a folder. Expected a file"),
    "unknown ending": (lambda f: (str(f / "x.xyz"), {}), r"unknown kind of file .xyz.*\.npy"),
    "raw without shape": (lambda f: raw(f, 80), "does not state its shape. Give dtype and columns"),
    "raw without columns": (lambda f: raw(f, 80, dtype="f4"), "Give columns, for example"),
    "raw of another width": (
        lambda f: raw(f, 1000, dtype="float32", columns=6),
        r"has 1,000 bytes, expected a multiple of 24: 6 columns .*\[5\] columns would fit",
    ),
    "raw and empty": (lambda f: raw(f, 0, dtype="float32", columns=6), "has 0 bytes, expected"),
    "unknown dtype": (
        lambda f: raw(f, 80, dtype="float17", columns=1),
        "dtype .float17. is unknown",
    ),
    "complex dtype": (lambda f: raw(f, 80, dtype="c16", columns=1), "complex numbers"),
    "no columns": (lambda f: raw(f, 80, dtype="f4", columns=0), "columns is 0, expected a whole"),
    "other dtype": (
        lambda f: (saved(f, GOOD)[0], {"dtype": "float32"}),
        "holds float64, expected float32 as dtype says. Leave dtype out",
    ),
    "other columns": (
        lambda f: (saved(f, GOOD)[0], {"columns": 7}),
        "has 6 columns, expected 7 as columns says",
    ),
    "dtype of an array": (lambda f: (GOOD, {"dtype": "f8"}), "dtype and columns are for files"),
    "cut short": (cut_short, "has 1948 bytes, expected 2048 for shape .*cut short"),
    "no npy": (lambda f: ((f / "x.npy").write_text("1,2") and str(f / "x.npy"), {}), "not a whole"),
    "fortran npy": (lambda f: saved(f, np.asfortranarray(GOOD)), "column by column .*Fortran"),
    "fortran map": (fortran_map, "lies column by column .*Store it row by row"),
    "1-D": (
        lambda f: saved(f, GOOD[0]),
        r"1 dimension .*\(6,\).*, expected 2: .*reshape\(-1",
    ),
    "3-D": (lambda f: saved(f, GOOD[None]), "has 3 dimensions, expected 2"),
    "3-D array": (
        lambda f: (GOOD[None], {}),
        r"3 dimensions .*\(1, 40, 6\).* expected 2",
    ),
    "zero rows": (lambda f: (GOOD[:0], {}), r"X: has 0 rows: .*shape=\(0, 6\)"),
    "zero columns": (lambda f: (GOOD[:, :0], {}), r"X: has 0 columns: .*shape=\(40, 0\)"),
    "one row": (lambda f: (GOOD[:1], {}), "1 sample .* expected at least 2 rows"),
    "pickled objects": (
        lambda f: saved(f, np.array([{1: 2}], object), allow_pickle=True),
        "Python objects .*pickles are never opened",
    ),
    "text": (
        lambda f: (np.array([["a", "b"]] * 3), {}),
        r"holds text \(<U1\).*Leave such",
    ),
    "text column": (lambda f: (TABLE, {}), "column .town. holds .* expected numbers"),
    "records": (lambda f: (RECORDS.reshape(3, 3), {}), "records with the fields a, b"),
    "complex": (lambda f: (GOOD + 1j, {}), "complex numbers .*real part"),
    "dates": (lambda f: (GOOD.astype("M8[s]"), {}), "values of type datetime64"),
    "long double": (
        lambda f: (GOOD.astype(np.longdouble), {}),
        "float128.*expected floats of",
    ),
    "ragged": (lambda f: ([[1.0, 2], [3.0]], {}), "Expected rows of one length"),
    "sparse": (lambda f: (scipy.sparse.eye_array(9), {}), "sparse data was passed.*toarray"),
    "sparse h5ad by columns": (sparse_h5ad, r"column by column \(csc_matrix\), expected rows"),
    "sparse h5ad without values": (lambda f: csr_h5ad(f, lost="data"), "damaged HDF5 file .*data"),
    "sparse h5ad cut short": (
        lambda f: csr_h5ad(f, ends=[0, 1]),
        "indptr has 2 entries for 9 rows",
    ),
    "sparse h5ad of other rows": (
        lambda f: csr_h5ad(f, ends=[0, 9, *range(2, 10)]),
        r"rows \d to \d cannot be read .*indptr decreases",
    ),
    "sparse h5ad of other columns": (
        lambda f: csr_h5ad(f, columns=[9] * 9),
        "an index of a column is not from 0 to 8",
    ),
    "names twice": (lambda f: (TWICE, {}), "has 2 columns called .a., expected names that differ"),
    "NaN": (lambda f: saved(f, spoiled(17, 4, np.nan)), r"x.npy: row 17, column 4 is NaN"),
    "NaN in float16": (
        lambda f: saved(f, spoiled(39, 0, np.nan, "float16")),
        "x.npy: row 39, column 0 is NaN",
    ),
    "infinity": (lambda f: (spoiled(3, 5, -np.inf), {}), "X: row 3, column 5 is -infinity"),
    "NaN in a named column": (
        lambda f: (pd.DataFrame(spoiled(2, 1, np.nan), columns=list("abcdef")), {}),
        "row 2, column 1 .*b.* is NaN",
    ),
    "NaN in the second part": (
        lambda f: two(f, GOOD, spoiled(5, 2, np.nan, "f8")),
        "b.npy: row 5, column 2 is NaN",
    ),
    "no path in HDF5": (lambda f: hdf5(f, where=None), r"there is no /.*Expected a path such as"),
    "wrong path in HDF5": (lambda f: hdf5(f, where="X"), 'there is no /X. Did you mean "x"'),
    "group in HDF5": (lambda f: hdf5(f, place="g/x", where="g"), "/g is no dataset. It holds x"),
    "no HDF5": (
        lambda f: ((f / "x.h5").write_text("x") and f"{f}/x.h5::/x", {}),
        "cannot be opened",
    ),
    "huge chunks": (
        lambda f: hdf5(
            f, write=lambda file: file.create_dataset("x", (2**21, 6), "f8", chunks=(2**21, 1))
        ),
        "has chunks of 16,777,216 bytes, expected at most",
    ),
    "group of Zarr": (group_of_zarr, "is a group. It holds the arrays inner"),
    "parts of other width": (
        lambda f: two(f, GOOD, GOOD[:, :5]),
        "b.npy: has 5 columns, expected 6 as .*a.npy has",
    ),
    "parts of other type": (
        lambda f: two(f, GOOD, GOOD.astype("f4")),
        "b.npy: holds float32, expected float64 as .*a.npy does",
    ),
    "shrinking": (lambda f: (Growing(), {}), "it changed while it was read"),
    "text in a table": (
        lambda f: table(f, TABLE, "x.parquet"),
        "x.parquet: the column 'town' holds values of type .*, expected integers or floats",
    ),
    "home": (lambda _: ("~/no such.npy", {}), "begins with ~, which is not replaced here. Write /"),
    "text in CSV": (
        lambda f: written(f, "a,b\n1,2\n3,four\n"),
        "x.csv: cannot be read as a table .*four",
    ),
    "column of text in CSV": (
        lambda f: written(f, "a,b\n1,two\n3,four\n"),
        "x.csv: cannot be read as a table .*two.* Remove columns that are not numbers",
    ),
    "ragged CSV": (lambda f: written(f, "a,b\n1,2\n3\n"), "x.csv: cannot be read as a table"),
    "CSV without names": (lambda f: written(f, "1,2\n3,4\n"), "numbers in its first line"),
    "CSV names twice": (lambda f: written(f, "a,a\n1,2\n3,4\n"), "2 columns called .a."),
    "table without rows": (
        lambda f: table(f, TABLE[["age"]][:0], "x.parquet"),
        r"x.parquet: has shape \(0, 1\), expected at least one row",
    ),
    "NaN in a table": (
        lambda f: table(f, pd.DataFrame(spoiled(2, 1, np.nan), columns=list("abcdef")), "x.arrow"),
        "x.arrow: row 2, column 1 .*b.* is NaN",
    ),
    "no Parquet": (lambda f: written(f, "a,b", "x.parquet"), "is not a whole Parquet file"),
    "dtype of a table": (
        lambda f: (table(f, TABLE[["age"]], "x.parquet")[0], {"dtype": "f4"}),
        "dtype is for raw files. Leave it out",
    ),
    "columns of a table": (
        lambda f: (table(f, TABLE[["age"]], "x.parquet")[0], {"columns": 2}),
        "has 1 columns, expected 2 as columns says",
    ),
    "no array in an archive": (
        lambda f: (np.savez(f / "x.npz", a=GOOD), (f"{f}/x.npz::b", {}))[1],
        'there is no array "b".* It holds a',
    ),
    "names of parts differ": (
        lambda f: (
            [
                table(f, pd.DataFrame(GOOD, columns=list(names)), f"{names[0]}.parquet")[0]
                for names in ("abcdef", "bacdef")
            ],
            {},
        ),
        "b.parquet: its column 0 is called .b., expected .a. as in .*a.parquet",
    ),
    "CSV with the index of its rows": (
        lambda f: written(f, ",a\n0,1\n1,2\n"),
        "x.csv: column 0 has no name. If it is the index of the rows, leave it out",
    ),
    "Parquet names twice": (
        lambda f: (
            pq.write_table(pa.table([GOOD[0], GOOD[1]], ["a", "a"]), f / "x.parquet")
            or (f"{f}/x.parquet", {})
        ),
        "has 2 channels called .a.",
    ),
    "in a Zarr store": (
        lambda f: (group_of_zarr(f)[0] + "/inner", {}),
        "is in a Zarr store. Did you mean .*x.zarr::/inner",
    ),
    "nothing": (lambda f: (None, {}), "X: is a single value .* expected a path, an array"),
    "a mapping": (lambda f: ({"a": [1.0, 2]}, {}), r"X: holds arrays by name, .* X\['a'\]"),
    "unknown size": (
        lambda f: (da.from_array(GOOD)[da.from_array(GOOD[:, 0]) > 0], {}),
        "does not know its number of rows .*compute_chunk_sizes",
    ),
    "squares overflow": (lambda f: (GOOD.astype("f4") * 1e30, {}), "squares .* are too large"),
    "squares vanish": (lambda f: (GOOD.astype("f4") * 1e-30, {}), "loses digits of squares"),
    "no blocks": (lambda f: (iter([]), {}), "has 0 blocks of rows"),
    "blocks of other width": (
        lambda f: (iter([GOOD, GOOD[:, :5]]), {}),
        "X has 5 features, but PCA is expecting 6",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("error")
def test_a_bad_matrix_is_refused_with_what_to_do(case, tmp_path):
    make, message = CASES[case]
    X, how = make(tmp_path)
    pca = memwave.PCA(2, block_mb=0.001)
    with pytest.raises(memwave.MemwaveError, match=message) as raised:
        pca.fit(X, **how)
    of_values = "squares" in message or "cannot be read" in str(raised.value)
    assert isinstance(raised.value, ValueError) or of_values
    assert not hasattr(pca, "components_")


def files_of_case(case, folder):
    """Paths of a case and how they are read; skips what only a program can hand over."""
    X, how = CASES[case][0](folder)
    X = [X] if isinstance(X, str) else X
    if not isinstance(X, list) or not all(isinstance(path, str) for path in X):
        pytest.skip("no file")
    return X, how


@pytest.mark.parametrize("case", CASES)
def test_the_command_says_the_same(case, tmp_path, capsys):
    files, how = files_of_case(case, tmp_path)
    shape = [f"--{name}={value}" for name, value in how.items()]
    assert main(["pca", *files, *shape, "-k", "2", "-o", str(tmp_path / "out")]) == 1
    assert re.search(CASES[case][1], capsys.readouterr().err)
    assert not list(tmp_path.glob("out/*.h5"))


def made_by_hand(folder):
    """All files but what memwave remembers of texts."""
    return sorted(path for path in folder.rglob("*") if ".snakemake" not in path.parts)


# What only the values of a file tell: a job says it, and not the plan.
IN_VALUES = ("NaN", "NaN in float16", "NaN in the second part", "NaN in a table", "text in CSV")
IN_VALUES += ("sparse h5ad of other rows", "sparse h5ad of other columns")

# What the schema of the configuration says in its own words.
IN_PLAN = {"no columns": "datasets.x.columns: found 0", "group of Zarr": "is a group|No such file"}


@pytest.mark.parametrize("case", [case for case in CASES if case not in IN_VALUES])
def test_the_plan_of_a_workflow_says_the_same(case, tmp_path, monkeypatch):
    files, how = files_of_case(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    path = files[0]
    if len(files) > 1:
        rows = [f"part{i}\t{file}" for i, file in enumerate(files)]
        path = written(tmp_path, "\n".join(["recording\tpath", *rows, ""]), "sheet.tsv")[0]
    config = {
        "datasets": {"x": {"matrix": path, **how}},
        "models": {"m": {"solver": "covariance", "n_components": 2}},
        "experiments": [{"dataset": "x", "model": "m"}],
        "plots": False,
        "shards": 1,
    }
    before = made_by_hand(tmp_path)
    message = IN_PLAN.get(case, CASES[case][1])
    if case.startswith("parts of other"):
        message = "b.npy: has (columns|type) .*, expected .* as .*a.npy has: parts are stacked"
    with pytest.raises(memwave.MemwaveError, match=message):
        make_plan(config)
    assert made_by_hand(tmp_path) == before
