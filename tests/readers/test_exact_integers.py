"""Integers of 64 bits that float64 would round are refused, in every format that has them."""

import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import zarr
from field_files import save_nwb, save_tdms, xdf
from hypothesis import given
from hypothesis import strategies as st
from real_files import read, refusal
from test_h5ad import written
from test_mat import save_hdf5
from test_tables import SAVERS as TABLES
from test_tables import read_all

import memwave
from memwave.core.errors import InvalidMatrix
from memwave.readers import DEFAULTS, is_converted, open_array
from memwave.readers.matrices.files import open_file
from memwave.readers.matrices.objects import ArrayPart
from memwave.readers.shared.exact import rounded_integer

LARGEST = 2**53


def save_h5(path, array, **attributes):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=array, chunks=(7, 2)).attrs.update(attributes)


def save_zarr(path, array):
    zarr.create_array(str(path), data=array, chunks=(7, 2), overwrite=True)


def save_xdf(path, array):
    pytest.importorskip("pyxdf")
    if array.dtype != "int64":
        pytest.skip("XDF has no unsigned integers")
    xdf(path, values=array)


def save_h5ad(path, array):
    import scipy.sparse

    path.unlink(missing_ok=True)
    written(path.parent, scipy.sparse.csr_array(array))


# By name: how it is written, and what follows the path. Columns have names or numbers.
SAVERS = {
    "a.npy": (np.save, ""),
    "a.h5": (save_h5, "::/x"),
    "a.zarr": (save_zarr, ""),
    "a.nwb": (save_nwb, ""),
    "x.h5ad": (save_h5ad, ""),
    "a.npz": (lambda path, array: np.savez(path, x=array), "::x"),
    "a.mat": (lambda path, array: scipy.io.savemat(path, {"x": array}), "::x"),
    "b.mat": (save_hdf5, "::x"),
    "a.tdms": (save_tdms, ""),
    "a.xdf": (save_xdf, ""),
} | {name: (save, "") for name, save in TABLES.items()}
NAMED = ("a.tdms", "a.xdf", *TABLES)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("name", SAVERS)
def test_an_integer_that_float64_would_round_is_refused(tmp_path, name, dtype):
    save, place = SAVERS[name]
    path, channels = f"{tmp_path}/{name}{place}", ["left", "right", "up"]
    channels = channels if name in NAMED else None
    array = np.arange(1200, dtype=dtype).reshape(400, 3)
    array[312, 1], array[313, 1] = LARGEST, 2**62  # float64 has both
    save(tmp_path / name, array)
    values = read_all(path, channels) if is_converted(path) else read(path, channels)
    np.testing.assert_array_equal(values.astype(dtype), array)
    array[312, 1] += 1
    save(tmp_path / name, array)
    message = refusal(path, channels)
    column = '"right"' if name in NAMED else "1"
    assert f"has the integer 9,007,199,254,740,993 in row 312, column {column}, exp" in message
    if not is_converted(path):
        with open_array(path, None, channels) as source:
            source.read(0, 312)
            if name not in ("a.nwb", "a.tdms"):  # which read all columns
                source.read_columns(310, 320, 2, 3)
            with pytest.raises(memwave.MemwaveError, match=f"row 312, column {column}"):
                source.read_columns(310, 320, 1, 2)


def test_rows_of_xdf_are_those_of_the_recording(tmp_path):
    """Missing samples have rows, too."""
    pytest.importorskip("pyxdf")
    array = np.arange(1200).reshape(400, 3)
    array[250, 2] = LARGEST + 1
    xdf(tmp_path / "a.xdf", gap=500, values=array)
    message = refusal(f"{tmp_path}/a.xdf")
    assert 'has the integer 9,007,199,254,740,993 in row 750, column "up"' in message


def test_a_series_of_one_channel_and_a_conversion(tmp_path):
    array = np.arange(400)
    array[7] = -LARGEST - 1
    for conversion in (1.0, 0.5):
        save_nwb(tmp_path / "a.nwb", np.column_stack([array, array]), conversion=conversion)
        assert "the integer -9,007,199,254,740,993 in row 7, " in refusal(f"{tmp_path}/a.nwb")
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        group = file["acquisition/raw"]
        del group["data"]
        group.create_dataset("data", data=array).attrs.update({"conversion": 0.5, "unit": "V"})
    assert "the integer -9,007,199,254,740,993 in row 7, " in refusal(f"{tmp_path}/a.nwb")


def test_an_attribute_marks_large_integers_as_missing(tmp_path):
    array = np.arange(60).reshape(20, 3)
    array[4, 2] = 2**63 - 1
    path = f"{tmp_path}/a.h5::/x"
    save_h5(tmp_path / "a.h5", array, missing_value=array[4, 2])
    assert np.argwhere(np.isnan(read(path))).tolist() == [[4, 2]]
    array[12, 1] = 2**60 + 1
    save_h5(tmp_path / "a.h5", array, missing_value=array[4, 2])
    assert "in row 12, column 1, expected" in refusal(path)
    assert "in row 4, column 2, expected" in refusal(path, values="stored")


def test_labels_of_64_bits_are_compared_and_never_rounded(tmp_path):
    labels = np.array([0, 2**63 - 1, LARGEST + 1])
    np.save(tmp_path / "a.npy", labels)
    assert read(tmp_path / "a.npy").tolist() == labels.tolist()


def test_a_text_of_floats_may_be_large(tmp_path):
    path = str(tmp_path / "a.csv")
    Path(path).write_text(
        "x,y\n1,1.5e300\n9007199254740993.0,2\n-100000000000000000000,9.007199254e+15\n"
    )
    assert read_all(path, None).tolist() == [[1, 1.5e300], [2**53, 2], [-1e20, 9.007199254e15]]
    with open(path, "a") as file:
        file.write("3, -1000000000000000000001\n")
    assert 'the integer -1,000,000,000,000,000,000,001 in row 3, column "y", e' in refusal(path)


def arrays(array, folder):
    np.save(folder / "a.npy", array)
    save_h5(folder / "a.h5", array)
    with h5py.File(folder / "a.h5") as file:
        yield "X: ", file["x"]
        yield "X: ", array
        yield "X (", np.load(folder / "a.npy", mmap_mode="r")
        yield "X: ", np.load(folder / "a.npy", mmap_mode="c")
        yield "X[1]: ", [np.zeros_like(array), array]
        yield f"{folder}/a.npy: ", os.fspath(folder / "a.npy")
        yield "X: ", pd.DataFrame(array)


def test_matrices(tmp_path):
    array = np.random.default_rng(0).integers(-99, 99, (40, 4))
    array[31, 2] = LARGEST + 3
    for place, X in arrays(array, tmp_path):
        with pytest.raises(memwave.MemwaveError, match="row 31, column 2") as caught:
            memwave.PCA(2).fit(X)
        assert str(caught.value).startswith(place)
    with pytest.raises(InvalidMatrix, match='row 31, column "c", expected at most'):
        ArrayPart(array, "X", list("abcd")).read_columns(30, 40, 1, 4)
    with (
        open_file(str(tmp_path / "a.npy"), options=DEFAULTS) as source,
        pytest.raises(memwave.MemwaveError, match=r"in row 31, column 2, expected"),
    ):
        source.read_columns(30, 40, 2, 3)


@given(
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(52, 62).map(lambda n: 2**n + 1)),
    st.sampled_from(["<i8", ">i8", "<u8", ">u8"]),
)
def test_exactly_the_integers_that_float64_rounds_are_found(value, kind):
    value = abs(value) if "u" in kind else value
    found = rounded_integer(np.array([0, value, 5], kind), [7, 8, 9])
    assert (found is not None) == (int(float(value)) != value)
    assert found is None or f"integer {value:,} in row 8, expected" in found
