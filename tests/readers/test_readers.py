"""Reading arrays piece by piece: round trips, damaged files, files that change."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from memwave.core.errors import MemwaveError
from memwave.readers import FORMATS, ArraySource, StreamSource, file_of, open_array
from memwave.readers.suffixes import reader_named

NATIVE = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
DTYPES = [np.dtype(order + name) for name in NATIVE for order in "<>"]
SHAPES = npst.array_shapes(min_dims=1, max_dims=2, max_side=9)


def arrays_of(dtype):
    """Arrays whose values float64 represents; others are refused."""
    limits = {"i8": (-(2**53), 2**53), "u8": (0, 2**53)}.get(dtype.str[1:])
    given = dict(zip(("min_value", "max_value"), limits, strict=True)) if limits else {}
    return npst.arrays(dtype, SHAPES, elements=npst.from_dtype(dtype, **given))


ARRAYS = st.sampled_from(DTYPES).flatmap(arrays_of)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("arrays")


def save_npy(folder, array):
    np.save(folder / "a.npy", array)
    return str(folder / "a.npy"), None, None


def save_raw(folder, array):
    array.tofile(folder / "a.dat")
    return (
        str(folder / "a.dat"),
        array.dtype.str,
        "abcdefghi"[: array.shape[1] if array.ndim == 2 else 1],
    )


def save_hdf5(folder, array):
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("group/a", data=array, chunks=True, compression="gzip")
    return f"{folder / 'a.h5'}::/group/a", None, None


@pytest.mark.parametrize("save", [save_npy, save_raw, save_hdf5])
@given(array=ARRAYS, data=st.data())
def test_any_piece_is_read_as_it_was_written(folder, save, array, data):
    start = data.draw(st.integers(0, len(array)))
    stop = data.draw(st.integers(start, len(array)))
    with open_array(*save(folder, array)) as source:
        expected = array.reshape(source.shape)
        assert source.dtype == array.dtype
        for low, high in ((start, stop), (0, len(array)), (start, start)):
            piece = source.read(low, high)
            assert piece.dtype == array.dtype
            assert piece.shape == expected[low:high].shape
            assert piece.tobytes() == expected[low:high].tobytes()


@pytest.mark.parametrize("save", [save_npy, save_raw, save_hdf5])
def test_reading_leaves_the_file_alone_and_needs_no_right_to_write(tmp_path, save):
    path, *rest = save(tmp_path, np.arange(12, dtype=np.int16).reshape(4, 3))
    file = Path(file_of(path))
    file.chmod(0o400)
    before = file.read_bytes(), file.stat().st_mtime_ns
    with open_array(path, *rest) as source:
        source.read(1, 3)[:] = 0
        assert source.read(0, 1).tolist() == [[0, 1, 2]]
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


@pytest.mark.parametrize("save", [save_npy, save_raw, save_hdf5])
def test_rows_that_do_not_exist(tmp_path, save):
    with open_array(*save(tmp_path, np.zeros((4, 3)))) as source:
        for start, stop in ((0, 5), (-1, 2), (3, 2)):
            with pytest.raises(IndexError, match="of 4"):
                source.read(start, stop)


@pytest.mark.parametrize("save", [save_npy, save_raw, save_hdf5])
@pytest.mark.parametrize("change", ["touch", "cut", "remove"])
def test_a_file_that_changes_while_it_is_read(tmp_path, save, change):
    path, *rest = save(tmp_path, np.zeros((400, 3)))
    with open_array(path, *rest) as source:
        if change == "touch":
            os.utime(file_of(path), ns=(0, 0))
        elif change == "cut":
            os.truncate(file_of(path), 100)
        else:
            os.remove(file_of(path))
        with pytest.raises(MemwaveError, match=r"changed while it was read.*start again") as caught:
            source.read(200, 400)
    assert path in str(caught.value)


def test_a_piece_costs_the_memory_of_the_piece(tmp_path):
    path = tmp_path / "large.npy"
    shape = (2**27, 6)
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 24 * shape[0])
    code = (
        "import resource, sys\n"
        "import memwave\n"
        "from memwave.readers import open_array\n"
        "import numpy\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 64_000_000,) * 2)\n"
        "with open_array(sys.argv[1]) as source:\n"
        "    assert source.read(2**27 - 1000, 2**27).shape == (1000, 6)\n"
        "assert 'h5py' not in sys.modules\n"
    )
    scripts = Path(__file__).parents[2] / "scripts"
    run = [sys.executable, "-c", code, str(path)]
    subprocess.run(run, check=True, env=os.environ | {"PYTHONPATH": str(scripts)})


def test_a_reader_is_imported_when_a_file_asks_for_it(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    code = (
        "import sys\n"
        "from memwave.readers import FORMATS, open_array\n"
        "open_array(sys.argv[1]).close()\n"
        "print({n for n in FORMATS.values() if f'memwave.readers.formats.{n}' in sys.modules})\n"
    )
    scripts = Path(__file__).parents[2] / "scripts"
    run = [sys.executable, "-c", code, str(tmp_path / "a.npy")]
    environment = os.environ | {"PYTHONPATH": str(scripts)}
    done = subprocess.run(run, check=True, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "{'npy'}"


@pytest.mark.parametrize("name", sorted(set(FORMATS.values())))
def test_every_format_keeps_to_the_protocol(name):
    reader = reader_named(name)
    assert issubclass(reader.Source, ArraySource | StreamSource)
    assert isinstance(reader.NEEDS_DTYPE, bool)
    assert isinstance(reader.LIBRARIES, tuple)
    assert reader.LIBRARY_MB >= 0


def refuse(path, *words, dtype=None, channels=None):
    with pytest.raises(MemwaveError) as caught:
        open_array(str(path), dtype, channels)
    message = str(caught.value)
    assert all(word in message for word in [str(path), *words]), message


def header_only(path, content=b"", **changed):
    header = {"descr": "<f4", "fortran_order": False, "shape": (4, 3)} | changed
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(content)
    return path


BAD_ARRAYS = [
    (np.zeros((2, 2), complex), ["complex128", "integers or floats"]),
    (np.zeros((2, 2), bool), ["bool", "astype('float32')"]),
    (np.array([["a", "b"]]), ["<U1", "integers or floats"]),
    (np.zeros(3, [("x", "f4"), ("y", "f4")]), ["integers or floats"]),
    (np.array([[1, None]], object), ["Python objects", "pickles are never opened"]),
    (np.zeros((2, 2), np.longdouble), ["float128", "at most 64 bits"]),
    (np.zeros((2, 2, 2)), ["3 dimensions", "rows x channels"]),
    (np.float64(3), ["0 dimensions"]),
    (np.zeros((0, 3)), ["shape (0, 3)", "at least one row"]),
    (np.zeros((3, 0)), ["shape (3, 0)", "one column"]),
    (np.asfortranarray(np.zeros((2, 3))), ["Fortran", "ascontiguousarray"]),
]


@pytest.mark.parametrize(("array", "words"), BAD_ARRAYS)
def test_npy_arrays_that_are_no_recordings(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array)
    refuse(tmp_path / "a.npy", *words)


BAD_HEADERS = [
    ({"shape": (10**30, 6)}, ["expected 24000000000000000000000000000", "cut short"]),
    ({"shape": (2**62, 2**62)}, ["cut short"]),
    ({"shape": (-4, 3)}, ["shape (-4, 3)"]),
    ({"shape": (4, 0.5)}, ["not a whole .npy file"]),
    ({"descr": "nonsense"}, ["not a whole .npy file"]),
    ({"descr": ("<f4", (2,))}, ["integers or floats"]),
]


@pytest.mark.parametrize(("changed", "words"), BAD_HEADERS)
def test_npy_headers_that_lie(tmp_path, changed, words):
    refuse(header_only(tmp_path / "a.npy", bytes(48), **changed), *words)


def test_a_truncated_npy_file(tmp_path):
    path = header_only(tmp_path / "a.npy", bytes(47))
    refuse(path, "175 bytes, expected 176", "(4, 3)", "copy or save it again")


def test_npy_version_4_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x04\x00" + bytes(200))
    refuse(tmp_path / "a.npy", "version 4.0", "expected 1.0, 2.0 or 3.0")


@given(content=st.binary(max_size=200), magic=st.sampled_from([b"", b"\x93NUMPY\x01\x00\x40\x00{"]))
def test_junk_in_an_npy_file(folder, content, magic):
    path = folder / "junk.npy"
    path.write_bytes(magic + content)
    refuse(path)


def test_raw_files(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(25))
    refuse(path, "25 bytes", "3 channels x 4 bytes", "Check its dtype", dtype="<f4", channels="abc")
    refuse(path, "with a dtype", "in the sheet")
    path.write_bytes(b"")
    refuse(path, "shape (0, 3)", "at least one row", dtype="<f4", channels="abc")


@pytest.mark.parametrize("name", ["a.npy", "a.raw", "a.h5::/a"])
def test_files_that_are_not_there(tmp_path, name):
    path = f"{tmp_path}/{name}"
    refuse(path, "No such file", "relative paths start in", dtype="f4", channels="ab")
    os.mkdir(file_of(path))
    refuse(path, "not a regular file", dtype="f4", channels="ab")


def test_paths_no_reader_knows(tmp_path):
    refuse(tmp_path / "a.xyz", "unknown kind of file .xyz", ".npy", ".h5", "numpy.save")
    refuse("nul\0.npy", "null")


@pytest.mark.parametrize("name", ["a.npy", "a.raw"])
def test_one_array_a_file(tmp_path, name):
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    (tmp_path / "a.raw").write_bytes(bytes(32))
    refuse(f"{tmp_path / name}::/a", "holds one array", dtype="f8", channels="ab")


@pytest.fixture
def store(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        yield file


def test_hdf5_paths_that_lead_nowhere(store):
    path = store.filename
    store["session/acceleration"] = np.zeros((2, 2))
    store.close()
    refuse(path, "there is no /", "session", "file.h5::/group/dataset")
    refuse(f"{path}::/session", "/session is no dataset", "acceleration")
    refuse(f"{path}::/session/aceleration", 'Did you mean "acceleration"', "/session holds")
    refuse(f"{path}::/session/acceleration/x", "there is no /session/acceleration/x")


def test_hdf5_links_are_not_followed(store, tmp_path):
    with h5py.File(tmp_path / "b.h5", "w") as other:
        other["x"] = np.zeros((2, 2))
    store["x"] = np.zeros((2, 2))
    store["external"] = h5py.ExternalLink("b.h5", "/x")
    store["soft"] = h5py.SoftLink("/x")
    path = store.filename
    store.close()
    for name in ("external", "soft"):
        refuse(f"{path}::/{name}", f"/{name} is a link to elsewhere", "Name the file")


def test_hdf5_data_in_other_files_is_not_opened(store, tmp_path):
    (tmp_path / "outside").write_bytes(bytes(32))
    store.create_dataset("external", (2, 2), "f8", external=str(tmp_path / "outside"))
    layout = h5py.VirtualLayout((2, 2), "f8")
    layout[:] = h5py.VirtualSource("b.h5", "x", (2, 2))
    store.create_virtual_dataset("virtual", layout)
    path = store.filename
    store.close()
    for name in ("external", "virtual"):
        refuse(f"{path}::/{name}", "keeps its data in other files", "Copy it into one file")


def test_hdf5_chunks_too_large_to_unpack(store):
    store.create_dataset("x", (2**24, 2), "f8", chunks=(2**22, 2))
    path = store.filename
    store.close()
    refuse(f"{path}::/x", "chunks of 67,108,864 bytes", "h5repack")


def test_hdf5_datasets_that_are_no_recordings(store):
    store["text"] = ["a", "b"]
    store["flags"] = np.zeros((2, 2), bool)
    store["cube"] = np.zeros((2, 2, 2))
    store["nothing"] = h5py.Empty("f4")
    path = store.filename
    store.close()
    refuse(f"{path}::/text", "Python objects")
    refuse(f"{path}::/flags", "bool")
    refuse(f"{path}::/cube", "3 dimensions")
    refuse(f"{path}::/nothing", "0 dimensions")


def test_a_file_that_is_no_hdf5(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"not HDF5" * 100)
    refuse(f"{tmp_path}/a.h5::/x", "cannot be opened as an HDF5 file")


def test_a_damaged_hdf5_file(tmp_path):
    path, *_ = save_hdf5(tmp_path, np.zeros((1000, 30)))
    content = bytearray(Path(file_of(path)).read_bytes())
    content[600:] = bytes(len(content) - 600)
    Path(file_of(path)).write_bytes(content)
    refuse(path)
