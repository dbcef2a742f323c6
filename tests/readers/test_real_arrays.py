"""HDF5, Zarr, sound, .npy and MATLAB files as they are found: attributes, lengths, codecs."""

import base64
import json
import struct
import sys

import h5py
import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
import scipy.io
import soundfile
import zarr
from real_files import SIGNAL, notes, read, refusal
from test_mat import element, file_of, matrix
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import open_array

ATTRIBUTES = {
    "scale, offset and fill": (
        {"scale_factor": 0.01, "add_offset": 5.0, "_FillValue": np.int16(-32768)},
        lambda x: np.where(x == -32768, np.nan, 5 + 0.01 * x),
    ),
    "a marker alone": ({"missing_value": 7}, lambda x: np.where(x == 7, np.nan, x)),
    "two markers": (
        {"missing_value": [7, 8], "_FillValue": -32768},
        lambda x: np.where(np.isin(x, [7, 8, -32768]), np.nan, x),
    ),
    "a valid range": (
        {"valid_range": [3, 30], "scale_factor": 2.0},
        lambda x: np.where((x < 3) | (x > 30), np.nan, 2.0 * x),
    ),
    "a valid range of physical values": (
        {"valid_range": [1.05, 1.3], "scale_factor": 0.01, "add_offset": 1.0},
        lambda x: np.where((x < 5) | (x > 30), np.nan, 1 + 0.01 * x),
    ),
    "physical limits of unsigned values": (
        {"valid_min": -5.0, "scale_factor": 0.1, "add_offset": -7.0, "_Unsigned": "true"},
        lambda x: np.where(x.view("u2") < 20, np.nan, 0.1 * x.view("u2") - 7),
    ),
    "a marker that is a physical value": (
        {"missing_value": -98.89, "scale_factor": 0.01, "add_offset": -99.0},
        lambda x: np.where(x == 11, np.nan, 0.01 * x - 99),
    ),
    "a marker that is no value": (
        {"missing_value": -98.893, "scale_factor": 0.01, "add_offset": -99.0},
        lambda x: 0.01 * x - 99,
    ),
    "limits": (
        {"valid_min": 3, "valid_max": 30},
        lambda x: np.where((x < 3) | (x > 30), np.nan, x),
    ),
    "a marker that the type cannot hold": (
        {"_FillValue": -65524, "valid_min": -9},  # 12 in 16 bits
        lambda x: np.where(x < -9, np.nan, x),
    ),
    "unsigned": ({"_Unsigned": "true"}, lambda x: x.view("u2").astype(float)),
    "unsigned, with limits in the stored type": (
        {"_Unsigned": "true", "valid_range": np.array([4, -2], "i2")},
        lambda x: np.where(x.view("u2") < 4, np.nan, x.view("u2")),
    ),
    "a scale a channel": (
        {"scale_factor": [0.1, 10.0]},
        lambda x: x * np.array([0.1, 10.0]),
    ),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
@pytest.mark.parametrize("kind", ["hdf5", "zarr2", "zarr3"])
def test_attributes_of_netcdf_are_applied(tmp_path, kind, case):
    attributes, expected = ATTRIBUTES[case]
    stored = np.arange(40, dtype="i2").reshape(20, 2)
    stored[7, 1] = -32768
    if kind == "hdf5":
        path = f"{tmp_path}/a.h5::/x"
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("x", data=stored).attrs.update({**attributes, "units": "K"})
    else:
        path = f"{tmp_path}/a.zarr"
        array = zarr.create_array(path, data=stored, chunks=(6, 2), zarr_format=int(kind[-1]))
        plain = {
            k: v.tolist() if isinstance(v, np.generic | np.ndarray) else v
            for k, v in attributes.items()
        }
        array.attrs.update({**plain, "units": "K"})
    values = read(path)
    assert values.dtype == "f8"
    np.testing.assert_allclose(values, expected(stored), rtol=1e-15)
    with open_array(path) as source:
        np.testing.assert_array_equal(source.read(5, 11), values[5:11])
    assert next(iter(attributes)) in notes(path)
    assert "the unit is K" in notes(path)
    np.testing.assert_array_equal(read(path, values="stored"), stored)
    assert not notes(path, values="stored")


@pytest.mark.parametrize("kind", ["hdf5", "zarr"])
def test_a_marker_in_base64_is_shown_as_a_number(tmp_path, kind):
    """xarray writes markers of Zarr version 3 so: the eight bytes of a float64."""
    stored = np.arange(40, dtype="f4").reshape(20, 2)
    stored[7, 1] = -9999
    attributes = {"_FillValue": base64.b64encode(struct.pack("<d", -9999)).decode()}
    if kind == "hdf5":
        path = f"{tmp_path}/a.h5::/x"
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("x", data=stored).attrs.update(attributes)
    else:
        path = f"{tmp_path}/a.zarr"
        zarr.create_array(path, data=stored, zarr_format=3).attrs.update(attributes)
    assert np.argwhere(np.isnan(read(path))).tolist() == [[7, 1]]
    assert "(_FillValue -9999.0)" in notes(path)


def test_unsigned_types_may_hold_signed_values(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = file.create_dataset("x", data=np.array([[0], [127], [128], [255]], "u1"))
        stored.attrs["_Unsigned"] = "false"
    path = f"{tmp_path}/a.h5::/x"
    np.testing.assert_array_equal(read(path).ravel(), [0, 127, -128, -1])
    assert "_Unsigned false" in notes(path)


@pytest.mark.parametrize("dtype", ["i2", "u4", "f4", ">f8", "i1"])
def test_the_default_fill_value_of_netcdf_is_missing(tmp_path, dtype):
    """The netCDF library stores it in the file, and as an attribute only if it is another one."""
    fill = {"i2": -32767, "u4": 2**32 - 1, "i1": -127}.get(dtype, 9.9692099683868690e36)
    path = f"{tmp_path}/a.nc::/x"
    with h5py.File(tmp_path / "a.nc", "w") as file:
        stored = file.create_dataset("x", (20, 3), dtype, chunks=(5, 3), fillvalue=fill)
        stored[:10] = SIGNAL[:10]
    expected = SIGNAL.astype(float)
    expected[10:] = fill if dtype == "i1" else np.nan
    np.testing.assert_array_equal(read(path), expected)
    assert "2 of its 4 chunks were never written" in notes(path)
    assert ("_FillValue" in notes(path)) == (dtype != "i1")
    values = read(path, values="stored")
    assert values.dtype == dtype
    assert (values[10:] == np.array(fill, dtype)).all()


def test_values_that_were_never_written_are_noted(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (20, 3), "f8")
        file.create_dataset("y", (20, 3), "f8", chunks=(6, 2))[:13] = 1
        file.create_dataset("z", (20, 3), chunks=(6, 2), data=SIGNAL)
        undefined = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        undefined.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((20, 3))
        h5py.h5d.create(file.id, b"w", h5py.h5t.NATIVE_INT16, space, undefined)
    assert "its values were never written; they are the fill value, 0" in notes(
        f"{tmp_path}/a.h5::/x"
    )
    assert "2 of its 8 chunks were never written" in notes(f"{tmp_path}/a.h5::/y")
    assert not notes(f"{tmp_path}/a.h5::/z")
    assert "never written" in notes(f"{tmp_path}/a.h5::/w")


def test_attributes_that_mean_nothing(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=SIGNAL).attrs["scale_factor"] = "twice"
        file.create_dataset("y", data=SIGNAL).attrs["scale_factor"] = [1.0, 2.0]
        file.create_dataset("z", data=SIGNAL).attrs["scale_factor"] = 1.0
        file.create_dataset("w", data=SIGNAL).attrs["scale_factor"] = [1.0, 0.0, 1.0]
    assert 'scale_factor is "twice", expected a number' in refusal(f"{tmp_path}/a.h5::/x")
    assert "or 3 of them" in refusal(f"{tmp_path}/a.h5::/y")
    assert "expected other than 0" in refusal(f"{tmp_path}/a.h5::/w")
    assert read(f"{tmp_path}/a.h5::/z").dtype == SIGNAL.dtype


def test_a_filter_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((5, 3))
        if h5py.h5z.filter_avail(32001):
            pytest.skip("this HDF5 library has blosc")
        properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (0,) * 7)
        space = h5py.h5s.create_simple((20, 3))
        h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_INT16, space, properties)
    message = refusal(f"{tmp_path}/a.h5::/x")
    assert "blosc (filter 32001)" in message
    assert "hdf5plugin" in message


def test_arrays_that_go_on_after_their_header_says(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        np.save(file, SIGNAL)
        np.save(file, SIGNAL)
    assert "announces 20 rows, which end" in refusal(str(tmp_path / "a.npy"))


def wav(path, change):
    soundfile.write(path, np.linspace(-0.5, 0.5, 100), 50, "PCM_16")
    content = path.read_bytes()
    at = content.index(b"data") + 4
    path.write_bytes(change(content, at))


def sized(size):
    return lambda content, at: content[:at] + struct.pack("<I", size) + content[at + 4 :]


def test_the_length_of_wav_files(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.linspace(-0.5, 0.5, 11), 8000, "PCM_24")
    np.testing.assert_allclose(read(path)[:, 0] / 2**31, np.linspace(-0.5, 0.5, 11), atol=1e-6)
    wav(path, sized(100))
    assert "announces 50 rows in its header, and 100 more bytes" in refusal(str(path))
    wav(path, sized(0))
    assert "announces 0 rows in its header, and 200 more bytes follow" in refusal(str(path))
    wav(path, sized(0xFFFFFFFF))
    assert "never finished" in refusal(str(path))
    wav(path, lambda content, _: content[:-100])
    assert "announces 200 bytes of samples, the file holds 100" in refusal(str(path))
    wav(path, lambda content, _: content + b"LIST\x04\0\0\0abcd")
    assert read(path).shape == (100, 1)
    wav(path, lambda content, _: content + b"TAG" + bytes(125))
    assert "room for 64 rows; they are not read" in notes(path)


@pytest.mark.parametrize("form", ["AIFF", "W64", "CAF"])
def test_other_sound_files_that_are_called_wav(tmp_path, form):
    """The library opens them, too, and reads fewer rows if they were cut."""
    soundfile.write(tmp_path / "a.wav", np.linspace(-0.5, 0.5, 100), 50, "PCM_16", format=form)
    assert f"of format {form}, expected WAV or FLAC" in refusal(f"{tmp_path}/a.wav")


def test_nist_sphere_that_is_called_wav(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.arange(200, dtype="i2").reshape(-1, 2)
    soundfile.write(path, samples, 16_000, format="NIST")
    np.testing.assert_array_equal(read(path), samples)
    path.write_bytes(path.read_bytes()[:-40])
    assert "announces 100 rows in its header, the file holds 90" in refusal(str(path))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("rows", [10, 5000])
def test_flac_headers_that_announce_fewer_samples(tmp_path, rows, subtype):
    path = tmp_path / "a.flac"
    samples = np.random.default_rng(0).integers(-9999, 9999, (rows, 2)).astype("i2")
    soundfile.write(path, samples, 8000, subtype)
    assert read(path).shape == (rows, 2)
    content = bytearray(path.read_bytes())
    announced = int.from_bytes(content[18:26], "big") >> 36 << 36 | rows // 2
    content[18:26] = announced.to_bytes(8, "big")
    path.write_bytes(content)
    assert f"announces {rows // 2} rows in its header, its frames hold {rows}" in refusal(str(path))


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_chunks_that_are_not_there_are_noted(tmp_path, version):
    path = tmp_path / "a.zarr"
    zarr.create_array(str(path), data=np.ones((50, 4)), chunks=(10, 2), zarr_format=version)
    with open_array(str(path)) as source:
        assert source.notes == []
    (path / ("3.1" if version == 2 else "c/3/1")).unlink()
    with open_array(str(path)) as source:
        assert source.notes == [
            "1 of its 10 chunks are not there; their values are the fill value, 0.0"
        ]
        assert source.read(29, 31).tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_chunks_beyond_the_shape_are_noted(tmp_path, version):
    path = tmp_path / "a.zarr"
    zarr.create_array(str(path), data=SIGNAL, chunks=(5, 2), zarr_format=version)
    assert not notes(path)
    header = path / {2: ".zarray", 3: "zarr.json"}[version]
    described = json.loads(header.read_text())
    header.write_text(json.dumps(described | {"shape": [10, 3]}))
    assert "announces shape (10, 3), and 4 chunks" in notes(path)
    np.testing.assert_array_equal(read(path), SIGNAL[:10])


def test_a_codec_that_is_not_there_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"x": [1.0], "y": ["a"]}), path, compression="zstd")
    assert read_all(path, ["x"]).tolist() == [[1]]
    monkeypatch.setattr(
        "memwave.readers.formats.parquet._has_codec", lambda _, codec: codec != "zstd"
    )
    assert "is compressed with zstd, which pyarrow does not have" in refusal(str(path), ["x"])


def opaque(name, kind):
    """As MATLAB stores strings, tables and times: no dimensions, but a class."""
    flags = element(6, struct.pack("<II", 17, 0))
    content = flags + element(1, name) + element(1, b"MCOS") + element(1, kind)
    return element(
        14, content + matrix(6, struct.pack("<6I", *range(6)), (6, 1), kind=13, name=b"")
    )


def test_odd_variables_beside_a_matrix(tmp_path):
    values = np.arange(6.0)
    wanted = matrix(9, values.tobytes(), (3, 2), name=b"wanted")
    broken = element(14, b"\xff" * 64)
    subsystem = matrix(2, bytes(40), (1, 40), kind=9, name=b"")
    path = tmp_path / "a.mat"
    for before in (opaque(b"names", b"string"), opaque(b"t", b"datetime"), broken, subsystem):
        path.write_bytes(file_of(before, wanted, opaque(b"tab", b"table"), subsystem))
        np.testing.assert_array_equal(read_all(f"{path}::wanted", None), values.reshape(2, 3).T)
    path.write_bytes(file_of(opaque(b"names", b"string"), wanted))
    assert "is an object of class string" in refusal(f"{path}::names")
    path.write_bytes(file_of(wanted, wanted))
    assert "holds 2 variables" in refusal(f"{path}::wanted")
    scipy.io.savemat(path, {"x": np.zeros((4, 2))}, format="4")
    assert "MATLAB 4" in refusal(f"{path}::x")


def test_any_exception_of_a_library_names_the_file(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.zeros(10), 50, "PCM_16")

    def fail(*_, **__):
        raise ZeroDivisionError("float division by zero")

    with open_array(str(tmp_path / "a.wav")) as source:
        monkeypatch.setattr(soundfile.SoundFile, "seek", fail)
        with pytest.raises(MemwaveError, match=r"a\.wav: rows 0 to 4 cannot be read \(float div"):
            source.read(0, 5)
    monkeypatch.setattr(soundfile, "SoundFile", fail)
    assert "cannot be opened" in refusal(str(tmp_path / "a.wav"))
