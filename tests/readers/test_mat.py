"""MATLAB files: versions 5 to 7.2, parsed here, and 7.3, which is HDF5."""

import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import open_source

KINDS = {"f4": "single", "f8": "double"} | {
    f"{kind}{size}": f"{'u' * (kind == 'u')}int{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)
}
DTYPES = [np.dtype(kind) for kind in KINDS]
SHAPES = npst.array_shapes(min_dims=2, max_dims=2, max_side=7)


def arrays_of(dtype):
    """Arrays whose values float64 represents."""
    limits = {"i8": (-(2**53), 2**53), "u8": (0, 2**53)}.get(dtype.str[1:])
    given = dict(zip(("min_value", "max_value"), limits, strict=True)) if limits else {}
    return npst.arrays(dtype, SHAPES, elements=npst.from_dtype(dtype, **given))


ARRAYS = st.sampled_from(DTYPES).flatmap(arrays_of)


def save_packed(path, array):
    scipy.io.savemat(
        path, {"first": np.arange(3.0), "x": array, "text": "abc"}, do_compression=True
    )


def save_plain(path, array):
    scipy.io.savemat(path, {"first": np.arange(3.0), "x": array, "cell": [{"a": 1}, 2]})


def save_hdf5(path, array):
    """As MATLAB writes version 7.3: a text, then HDF5 with transposed arrays."""
    with h5py.File(path, "w", userblock_size=512) as file:
        dataset = file.create_dataset("x", data=array.T)
        dataset.attrs["MATLAB_class"] = np.bytes_(KINDS[array.dtype.str[1:]])
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


SAVERS = {"packed": save_packed, "plain": save_plain, "hdf5": save_hdf5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mat")


@pytest.mark.parametrize("version", SAVERS)
@given(array=ARRAYS)
def test_a_matrix_is_read_as_it_was_written(folder, version, array):
    path = folder / f"{version}.mat"
    SAVERS[version](path, array)
    read = read_all(f"{path}::x", None)
    assert read.dtype == ("f4" if array.dtype == "f4" else "f8")
    np.testing.assert_array_equal(read, array.astype(read.dtype))


def test_matrices_of_many_pieces(folder):
    array = np.random.default_rng(0).normal(size=(100_000, 3))
    for version, save in SAVERS.items():
        save(folder / f"{version}.mat", array)
        np.testing.assert_array_equal(read_all(f"{folder}/{version}.mat::x", None), array)


def element(kind, content, order="<"):
    return struct.pack(f"{order}II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(stored, values, shape, kind=6, flags=0, order="<", name=b"x"):
    """A matrix whose values are stored in another type than its own, as MATLAB does."""
    parts = element(6, struct.pack(f"{order}II", kind | flags << 8, 0), order)
    parts += element(5, struct.pack(f"{order}{len(shape)}i", *shape), order)
    parts += element(1, name, order) if len(name) > 4 else small(1, name, order)
    return element(14, parts + element(stored, values, order), order)


def small(kind, content, order="<"):
    return struct.pack(f"{order}I", len(content) << 16 | kind) + content.ljust(4, b"\0")


def file_of(*elements, order="<"):
    version = struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")
    return b"MATLAB 5.0 MAT-file".ljust(124) + version + b"".join(elements)


def write(folder, content):
    path = folder / "made.mat"
    path.write_bytes(content)
    return f"{path}::x"


@pytest.mark.parametrize("order", "<>")
def test_doubles_that_are_stored_as_small_integers(tmp_path, order):
    values = np.arange(6, dtype=f"{order}i2").tobytes()
    path = write(tmp_path, file_of(matrix(3, values, (3, 2), order=order), order=order))
    read = read_all(path, None)
    assert read.dtype == "f8"
    assert read.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_what_matlab_itself_wrote():
    """Files of MATLAB 5 to 7.4 on several machines, in scipy's own tests."""
    folder = Path(scipy.io.__file__).parent / "matlab/tests/data"
    if not folder.is_dir():
        pytest.skip("scipy was installed without its tests")
    names = sorted(path for path in folder.glob("testdouble_[5-7]*.mat"))
    assert names
    for path in names:
        expected = scipy.io.loadmat(path)["testdouble"]
        np.testing.assert_array_equal(read_all(f"{path}::testdouble", None), expected)


GOOD = np.arange(6.0).tobytes()
PACKED = zlib.compress(matrix(9, GOOD, (3, 2)))
BAD = {
    "another variable": (
        file_of(matrix(9, GOOD, (3, 2), name=b"y")),
        ['no variable "x"', "holds y"],
    ),
    "empty": (b"", ["ends early", "-v7"]),
    "of version 4": (struct.pack("<5i", 0, 3, 2, 0, 2) + b"x\0" + GOOD + bytes(200), ["-v7"]),
    "cut in the header": (file_of()[:90], ["ends early"]),
    "cut in the values": (file_of(matrix(9, GOOD, (3, 2)))[:-9], ["ends early"]),
    "a size beyond the file": (file_of(struct.pack("<II", 14, 2**31)), ["ends early"]),
    "complex": (file_of(matrix(9, GOOD, (3, 2), flags=8)), ["is complex", "real numbers"]),
    "logical": (file_of(matrix(2, bytes(6), (3, 2), kind=9, flags=2)), ["is logical"]),
    "text": (file_of(matrix(4, bytes(12), (3, 2), kind=4)), ["is text"]),
    "a struct": (file_of(matrix(9, GOOD, (1, 1), kind=2)), ["is a struct"]),
    "sparse": (file_of(matrix(9, GOOD, (3, 2), kind=5)), ["is a sparse matrix"]),
    "of three dimensions": (file_of(matrix(9, GOOD, (3, 2, 1))), ["3 dimensions"]),
    "half a dimension": (
        file_of(element(14, element(6, bytes(8)) + element(5, bytes(10)))),
        ["10 bytes"],
    ),
    "without rows": (file_of(matrix(9, b"", (0, 2))), ["shape (0, 2)", "at least one row"]),
    "more values than its shape": (file_of(matrix(9, GOOD, (2, 2))), ["48 bytes", "(2, 2)"]),
    "a shape that overflows": (file_of(matrix(9, GOOD, (2**31 - 1, 2**31 - 1))), ["not its shape"]),
    "a negative shape": (file_of(matrix(9, GOOD, (-3, -2))), ["at least one row"]),
    "values of no known type": (file_of(matrix(99, GOOD, (3, 2))), ["unknown type"]),
    "packed and cut": (file_of(element(15, PACKED[:20])), ["ends early"]),
    "packed and damaged": (file_of(element(15, b"\x78\x9c" + bytes(30))), ["damaged"]),
}


@pytest.mark.parametrize("case", BAD)
def test_matrices_that_cannot_be_read(tmp_path, case):
    content, words = BAD[case]
    path = write(tmp_path, content)
    with pytest.raises(MemwaveError) as caught, open_source(path) as source:
        list(source.blocks())
    assert all(word in str(caught.value) for word in [path, *words]), caught.value


def test_a_path_names_the_variable(tmp_path):
    save_plain(tmp_path / "a.mat", np.zeros((2, 2)))
    save_hdf5(tmp_path / "b.mat", np.zeros((2, 2)))
    with pytest.raises(MemwaveError, match=r"holds first, x, cell. .*file.mat::variable"):
        open_source(str(tmp_path / "a.mat"))
    with pytest.raises(MemwaveError, match="holds x"):
        open_source(str(tmp_path / "b.mat"))


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"MATLAB_class": np.bytes_("char")}, "is char"),
        ({}, "is not from MATLAB"),
        ({"MATLAB_class": np.bytes_("double"), "MATLAB_empty": 1}, "is empty"),
    ],
)
def test_datasets_of_version_7_3_that_are_no_matrix(tmp_path, attributes, words):
    save_hdf5(tmp_path / "a.mat", np.zeros((2, 2)))
    with h5py.File(tmp_path / "a.mat", "a") as file:
        del file["x"].attrs["MATLAB_class"]
        file["x"].attrs.update(attributes)
    with pytest.raises(MemwaveError, match=words):
        open_source(f"{tmp_path}/a.mat::x")


PLAIN_FILE, PACKED_FILE = file_of(matrix(9, GOOD, (3, 2))), file_of(element(15, PACKED))


@given(data=st.data(), base=st.sampled_from([PLAIN_FILE, PACKED_FILE]))
def test_damage_is_refused_or_leaves_a_matrix(folder, data, base):
    content = bytearray(base)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] or content
    path = write(folder, bytes(content))
    try:
        read = read_all(path, None)
    except MemwaveError:
        return
    assert read.size <= 6 * 8
    if base == PACKED_FILE:  # has a checksum
        assert read.T.tobytes() == GOOD
