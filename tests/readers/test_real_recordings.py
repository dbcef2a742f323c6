"""Recordings as they really are: headers that lie, markers, odd neighbours, right values."""

import json
import struct
import sys

import h5py
import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pyedflib
import pytest
import scipy.io
import soundfile
import test_formats
import wfdb
import zarr
from hypothesis import given
from hypothesis import strategies as st
from test_mat import element, file_of, matrix
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import ArraySource, files_of, open_array, open_source


def field(value, width):
    return str(value).encode("latin-1")[:width].ljust(width)


def edf(path, values, *, said=None, samples=4, duration=1, reserved="", labels="abc", **fields):
    """Write rows x signals of int16 as EDF, one unit a step, and with what a header may claim."""
    n = values.shape[1]
    limits = {"low": -32768, "high": 32767, "digital_low": -32768, "digital_high": 32767} | fields
    records = values.reshape(-1, samples, n).transpose(0, 2, 1).astype("<i2")
    head = field("0", 8) + field(limits.get("patient", "X"), 80) + field("X", 80)
    head += field("01.01.20", 8) + field("00.00.00", 8) + field(256 * (n + 1), 8)
    head += field(reserved, 44) + field(len(records) if said is None else said, 8)
    head += field(duration, 8) + field(n, 4)
    per_signal = [list(labels[:n]), [""] * n, ["uV"] * n]
    for name in ("low", "high", "digital_low", "digital_high"):
        given = limits[name]
        per_signal.append(given if isinstance(given, list) else [given] * n)
    per_signal += [[""] * n, [samples] * n, [""] * n]
    for column, width in zip(per_signal, (16, 80, 8, 8, 8, 8, 8, 80, 8, 32), strict=True):
        head += b"".join(field(cell, width) for cell in column)
    path.write_bytes(head + records.tobytes())


SIGNAL = np.arange(60).reshape(20, 3)


def read(path, channels=None, **options):
    with open_array(str(path), None, channels, **options) as source:
        return source.read(0, source.shape[0])


def notes(path, channels=None, **options):
    with open_source(str(path), None, channels, **options) as source:
        return " ".join(source.notes)


def read_anyhow(path, channels, options):
    with open_source(path, None, channels, **options) as source:
        if isinstance(source, ArraySource):
            return source.read(0, source.shape[0])
        return list(source.pieces())


def refusal(path, channels=None, **options):
    with pytest.raises(MemwaveError) as caught:
        read_anyhow(path, channels, options)
    assert str(path).split("::")[0] in str(caught.value)
    return str(caught.value)


def test_edf_of_a_recorder_that_crashed(tmp_path):
    path = tmp_path / "a.edf"
    edf(path, SIGNAL, said=2)
    np.testing.assert_array_equal(read(path), SIGNAL)
    assert "announces 2 records, the file holds 5" in notes(path)
    edf(path, SIGNAL, said=-1)
    np.testing.assert_array_equal(read(path), SIGNAL)
    assert "the file holds 5" in notes(path)
    edf(path, SIGNAL, said=9)
    assert "announces 9 records" in refusal(str(path))
    edf(path, SIGNAL)
    path.write_bytes(path.read_bytes() + b"abc")
    assert "3 bytes after" in notes(path)
    assert read(path).shape == (20, 3)


def test_edf_headers_that_are_not_quite_right(tmp_path):
    path = tmp_path / "a.edf"
    edf(path, SIGNAL, patient="Müller")
    np.testing.assert_array_equal(read(path), SIGNAL)
    assert "Latin-1" in notes(path)
    edf(path, SIGNAL, duration="0,5")
    with open_array(str(path)) as source:
        assert source.sampling_rate == 8
    edf(path, SIGNAL, duration=0)
    assert "duration of a record is 0" in refusal(str(path))
    edf(path, SIGNAL, low=[-32768, 5, -32768], high=[32767, 5, 32767])
    np.testing.assert_array_equal(read(path, ["c", "a"]), SIGNAL[:, [2, 0]])
    assert "'b' has physical values from 5 to 5" in refusal(str(path), ["b"])
    edf(path, SIGNAL, labels="aba")
    np.testing.assert_array_equal(read(path, ["b"]), SIGNAL[:, [1]])
    assert '2 channels called "a"' in refusal(str(path), ["a"])


def edf_plus(path, onsets, kind="EDF+D"):
    """One signal of 4 samples a second, and records that begin at some seconds."""
    rows = np.zeros((len(onsets), 2, 12), "<i2")
    rows[:, 0] = np.arange(rows[:, 0].size).reshape(len(onsets), -1)
    for row, onset in zip(rows, onsets, strict=True):
        row[1] = np.frombuffer(f"+{onset}\x14\x14\0".encode().ljust(24, b"\0"), "<i2")
    flat = rows.transpose(0, 2, 1).reshape(-1, 2)
    edf(path, flat, samples=12, duration=3, reserved=kind, labels=["a", "EDF Annotations"])


def test_edf_d_without_gaps_is_read_and_with_gaps_refused(tmp_path):
    edf_plus(tmp_path / "a.edf", [0, 3, 6, 9])
    assert read(tmp_path / "a.edf")[:, 0].tolist() == list(range(48))
    edf_plus(tmp_path / "a.edf", [0, 3, 7, 10])
    assert "record 2 begins at 7 seconds, expected 6" in refusal(str(tmp_path / "a.edf"))


@pytest.mark.parametrize("name", ["a.edf", "a.bdf"])
def test_edf_as_another_library_reads_it(tmp_path, name):
    """Physical values agree with pyedflib to the last bit."""
    path = tmp_path / name
    kind = pyedflib.FILETYPE_BDFPLUS if name.endswith("bdf") else pyedflib.FILETYPE_EDFPLUS
    writer = pyedflib.EdfWriter(str(path), 2, kind)
    limits = {"physical_min": -3.3, "physical_max": 187.5}
    for i in range(2):
        header = {"label": f"s{i}", "dimension": "mV", "sample_frequency": 50, **limits}
        writer.setSignalHeader(i, header)
    random = np.random.default_rng(0)
    writer.writeSamples([random.uniform(-3, 180, 500) for _ in range(2)])
    writer.close()
    with pyedflib.EdfReader(str(path)) as reader:
        expected = np.stack([reader.readSignal(i) for i in range(2)], 1)
    np.testing.assert_array_equal(read(path), expected)


def test_records_larger_than_what_is_read_at_once(tmp_path):
    values = np.random.default_rng(0).integers(-999, 999, (800_000, 2))
    edf(tmp_path / "a.edf", values, samples=400_000)
    with open_array(str(tmp_path / "a.edf")) as source:
        np.testing.assert_array_equal(source.read(399_990, 400_010), values[399_990:400_010])
        np.testing.assert_array_equal(source.read(0, 800_000), values)


class Faulty:
    """A file whose reads fail, or give fewer bytes, from some byte on."""

    def __init__(self, stream, most, failing):
        self._stream, self._most, self._failing = stream, most, failing

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def readinto(self, target):
        at = self._stream.tell()
        if at + len(target) > self._most and self._failing:
            raise OSError(5, "Input/output error")
        count = max(0, min(len(target), self._most - at))
        return self._stream.readinto(memoryview(target)[:count])


@pytest.mark.parametrize("failing", [True, False])
@pytest.mark.parametrize("name", ["a.edf", "a.bdf", "a.npy"])
def test_a_read_that_fails_is_not_taken_for_zeros(tmp_path, name, failing):
    path, values = tmp_path / name, np.arange(1200).reshape(400, 3)
    if name == "a.npy":
        np.save(path, values)
    else:
        test_formats.save_edf(path, values)
    with open_array(str(path)) as source:
        good = source.read(0, 20)
        source._stream = Faulty(source._stream, path.stat().st_size * 2 // 3, failing)
        np.testing.assert_array_equal(source.read(0, 20), good)
        with pytest.raises(MemwaveError, match="rows 0 to 399 cannot be read"):
            source.read(0, 400)


def test_a_file_that_cannot_be_opened_leaves_others_open(tmp_path):
    for name, save in test_formats.SAVERS.items():
        save(tmp_path / name, SIGNAL.repeat(20, 0))
        if name.endswith(".zarr"):
            continue
        with open_array(str(tmp_path / name)) as source:
            (tmp_path / "bad").mkdir(exist_ok=True)
            bad = tmp_path / "bad" / name
            bad.write_bytes(b"nothing of the kind")
            refusal(str(bad))
            np.testing.assert_array_equal(source.read(0, 400), SIGNAL.repeat(20, 0))


def wfdb_record(folder, lines, rows, rate=50, **signals):
    signals = signals or {"r": b""}
    for name, content in signals.items():
        (folder / f"{name}.dat").write_bytes(content)
    (folder / "r.hea").write_text(f"r {len(lines)} {rate} {rows}\n" + "\n".join(lines) + "\n")
    return folder / "r.hea"


def test_format_8_from_any_sample_on(tmp_path):
    steps = np.random.default_rng(1).integers(-100, 100, (140_000, 3)).astype("i1")
    lines = [f"r.dat 8{'x2' * (i == 0)} 200/mV 12 0 {i * 9} 0 0 s{i}" for i in range(2)]
    path = wfdb_record(tmp_path, lines, 140_000, r=steps.tobytes())
    first = steps[:, :2].astype(int).ravel().cumsum().reshape(-1, 2).mean(1) / 200
    second = (steps[:, 2].astype(int).cumsum() + 9) / 200
    for start in (0, 1, 70_000, 139_999):
        with open_array(str(path)) as source:
            piece = source.read(start, 140_000)
        np.testing.assert_allclose(piece, np.stack([first, second], 1)[start:], rtol=1e-12)


def test_invalid_samples_in_frames_are_left_out_of_the_mean(tmp_path):
    stored = [[100, 100, 1], [102, 105, 2], [-32768, 104, 3], [-32768, -32768, 4]]
    lines = ["r.dat 16x2 100/mV 16 0 0 0 0 A", "r.dat 16 100/mV 16 0 0 0 0 B"]
    path = wfdb_record(tmp_path, lines, 4, r=np.array(stored, "<i2").tobytes())
    expected = [[1, 0.01], [1.035, 0.02], [1.04, 0.03], [np.nan, 0.04]]
    np.testing.assert_allclose(read(path), expected)
    assert "averaged to 50 rows a second" in notes(path)
    fast = read(path, ["A"], sampling_rate=100.0)[:, 0]
    np.testing.assert_allclose(fast, np.array([1, 1, 1.02, 1.05, np.nan, 1.04, np.nan, np.nan]))
    with open_array(str(path), None, ["A"], sampling_rate=100.0) as source:
        assert source.sampling_rate == 100
        np.testing.assert_array_equal(source.read(3, 6), fast[3:6, None])


def test_wfdb_headers(tmp_path):
    stored = np.arange(24, dtype="<i2").tobytes()
    lines = [f"r.dat 16 1/NU 16 0 0 0 0 {name}" for name in ("HR", "E", "E")]
    assert read(wfdb_record(tmp_path, lines, 8, r=stored), ["HR"])[:, 0].tolist() == list(
        range(0, 24, 3)
    )
    path = wfdb_record(tmp_path, lines, 6, r=stored)
    assert "announces 6 samples, r.dat holds 8" in notes(path)
    unnamed = [line.rsplit(" ", 1)[0] for line in lines]
    path = wfdb_record(tmp_path, unnamed, 8, r=stored)
    assert read(path, ["signal 2"])[:, 0].tolist() == list(range(2, 24, 3))
    np.testing.assert_array_equal(read(path, ["x", "y", "z"]), read(path))


def test_a_signal_file_that_nobody_wants_may_be_missing(tmp_path):
    lines = ["r.dat 16 1/NU 16 0 0 0 0 a", "other.dat 16 1/NU 16 0 0 0 0 b"]
    path = wfdb_record(tmp_path, lines, 8, r=np.arange(8, dtype="<i2").tobytes())
    assert read(path, ["a"])[:, 0].tolist() == list(range(8))
    assert files_of(str(path)) == [str(path), str(tmp_path / "r.dat")]
    assert "other.dat" in refusal(str(path), ["b"])


def test_a_wfdb_record_that_begins_with_a_gap(tmp_path):
    test_formats.save_wfdb(tmp_path / "one.hea", SIGNAL)
    (tmp_path / "all.hea").write_text("all/2 3 50 30\n~ 10\none 20\n")
    values = read(tmp_path / "all.hea")
    assert np.isnan(values[:10]).all()
    np.testing.assert_array_equal(values[10:], SIGNAL)


FORMATS_OF_WFDB = ["16", "24", "32", "80", "212", "516", "524"]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A record of every format that the package writes."""
    folder = tmp_path_factory.mktemp("wfdb")
    values = np.random.default_rng(0).integers(-100, 100, (301, 3))
    for form in FORMATS_OF_WFDB:
        calibration = {"adc_gain": [10.0] * 3, "baseline": [3] * 3, "fmt": [form] * 3}
        names = {"units": ["mV"] * 3, "sig_name": list("abc")}
        wfdb.wrsamp(f"r{form}", 50, d_signal=values, write_dir=str(folder), **calibration, **names)
    return folder, (values - 3) / 10


@pytest.mark.parametrize("form", FORMATS_OF_WFDB)
@given(data=st.data())
def test_pieces_of_every_wfdb_format(records, form, data):
    folder, values = records
    start = data.draw(st.integers(0, 301))
    stop = data.draw(st.integers(start, 301))
    with open_array(str(folder / f"r{form}.hea"), None, ["c", "a"]) as source:
        np.testing.assert_allclose(source.read(start, stop), values[start:stop, [2, 0]])


SAMPLE_BYTES = {"8": 1, "16": 2, "61": 2, "80": 1, "160": 2, "212": 1.5, "310": 4 / 3, "311": 4 / 3}


@pytest.mark.parametrize("form", SAMPLE_BYTES)
@pytest.mark.parametrize("frames", [(1, 1, 1), (2, 1, 3)])
def test_pieces_of_late_signals_behind_other_bytes(tmp_path, form, frames):
    """Signals that begin later in their file, frames of several samples, bytes before the first."""
    random, rows, late = np.random.default_rng(0), 61, (0, 2, 1)
    size = int(np.ceil(rows * sum(frames) * SAMPLE_BYTES[form] / 4) * 4)
    lines = [
        f"r.dat {form}x{count}:{skew}+16 10/mV 12 0 0 0 0 s{i}"
        for i, (count, skew) in enumerate(zip(frames, late, strict=True))
    ]
    content = bytes(16) + random.integers(0, 256, size, "u1").tobytes()
    path = wfdb_record(tmp_path, lines, rows, r=content)
    aligned = wfdb_record(
        tmp_path, [line.replace(f":{late[i]}", "") for i, line in enumerate(lines)], rows, r=content
    )
    plain = read(aligned)
    wfdb_record(tmp_path, lines, rows, r=content)
    whole = read(path)
    for i, skew in enumerate(late):
        np.testing.assert_array_equal(whole[: rows - skew, i], plain[skew:, i])
        assert np.isnan(whole[rows - skew :, i]).all()
    with open_array(str(path), None, ["s2", "s0"]) as source:
        for _ in range(10):
            start, stop = sorted(random.integers(0, rows + 1, 2))
            np.testing.assert_array_equal(source.read(start, stop), whole[start:stop, [2, 0]])


def test_format_61_has_the_high_byte_first(tmp_path):
    stored = np.array([[1, -2], [300, 4]], ">i2")
    lines = [f"r.dat 61 10/mV 16 0 0 0 0 {name}" for name in "ab"]
    path = wfdb_record(tmp_path, lines, 2, r=stored.tobytes())
    np.testing.assert_array_equal(read(path), stored / 10)


def test_annotations_of_wfdb_hold_until_the_next(tmp_path):
    from memwave.recordings.labels.intervals import read_intervals

    test_formats.save_wfdb(tmp_path / "r.hea", SIGNAL.repeat(5, 0))
    places, rhythms = np.array([10, 20, 60]), ["(N", "", "(AFIB"]
    wfdb.wrann("r", "atr", places, ["+", "N", "+"], aux_note=rhythms, write_dir=str(tmp_path))
    wfdb.wrann("r", "qrs", places, ["N", "V", "N"], write_dir=str(tmp_path))
    path = str(tmp_path / "r.hea")
    found = [(i.start, i.stop, i.label) for i in read_intervals(f"{path}::atr", 100, 50.0)]
    assert found == [(10, 60, "(N"), (60, 100, "(AFIB")]
    found = [(i.start, i.stop, i.label) for i in read_intervals(f"{path}::qrs", 100, 50.0)]
    assert found == [(10, 20, "N"), (20, 60, "V"), (60, 100, "N")]
    with pytest.raises(MemwaveError, match=r"Expected the file .*r\.abc"):
        read_intervals(f"{path}::abc", 100, 50.0)


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
    "limits": (
        {"valid_min": 3, "valid_max": 30},
        lambda x: np.where((x < 3) | (x > 30), np.nan, x),
    ),
    "a marker that the type cannot hold": (
        {"_FillValue": -65524, "valid_min": -9},  # 12 in 16 bits
        lambda x: np.where(x < -9, np.nan, x),
    ),
    "unsigned": ({"_Unsigned": "true"}, lambda x: x.view("u2").astype(float)),
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
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in attributes.items()}
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


def test_attributes_that_mean_nothing(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=SIGNAL).attrs["scale_factor"] = "twice"
        file.create_dataset("y", data=SIGNAL).attrs["scale_factor"] = [1.0, 2.0]
        file.create_dataset("z", data=SIGNAL).attrs["scale_factor"] = 1.0
    assert 'scale_factor is "twice", expected a number' in refusal(f"{tmp_path}/a.h5::/x")
    assert "or 3 of them" in refusal(f"{tmp_path}/a.h5::/y")
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


STRAY = {
    "closed lines later": 't,x,note\n0,1,ok\n1,2,"5 min\n2,3,ok\n3,4,late"\n4,5,ok\n',
    "never closed": 't,x,note\n0,1,ok\n1,2,"5 min\n2,3,ok\n3,4,ok\n',
    "in the next line": 't,x,note\n0,1,ok\n1,2,"5 min\n2,3,late"\n',
    "in the first column": 'note,t,x\n"5,1,2\n6,2,3\n7",3,4\n8,4,5\n',
    "in the middle": 't,note,x\n0,"a,1\n1,b",2\n2,c,3\n',
}


@pytest.mark.parametrize("case", STRAY)
def test_a_stray_quote_swallows_no_line(tmp_path, case):
    path = tmp_path / "a.csv"
    path.write_text(STRAY[case])
    line = 2 + ("ok\n" in STRAY[case])
    assert f"opens in line {line} takes in line {line + 1}" in refusal(str(path), ["x"])


def test_cells_of_several_lines_are_noted(tmp_path):
    (tmp_path / "a.csv").write_text('t,x,note\n1,2,"long\nremark"\n2,3,ok\n')
    assert read_all(tmp_path / "a.csv", ["x"]).tolist() == [[2], [3]]
    assert "3 lines below its header are 2 rows" in notes(tmp_path / "a.csv", ["x"])


def table(path, text, channels, **options):
    path.write_bytes(text.encode())
    with open_source(str(path), None, channels, **options) as source:
        whole = np.empty(source.shape)
        for rows, columns, values in source.pieces():
            whole[rows, columns] = values
    return whole.tolist()


def test_texts_of_accelerometers(tmp_path):
    """Lines above the header, none at all, decimal commas, comments; as devices export them."""
    path = tmp_path / "a.csv"
    actigraph = (
        "--- Data File ---\nSerial: X, Y\n" + "-" * 9 + "\nAccelerometer X,Accelerometer Y\n"
    )
    actigraph += "0.1,0.2\n-0.5,1\n"
    names = ["Accelerometer Y", "Accelerometer X"]
    assert table(path, actigraph, names, skip_lines=3) == [[0.2, 0.1], [1, -0.5]]
    ax3 = "2020-01-01 00:00:00.0,0.1,0.2,0.3\n2020-01-01 00:00:00.1,0.4,0.5,0.6\n"
    header = ["time", "x", "y", "z"]
    assert table(path, ax3, ["x", "z"], header=header) == [[0.1, 0.3], [0.4, 0.6]]
    assert table(path, ax3, ["2", "4"], header="none") == [[0.1, 0.3], [0.4, 0.6]]
    assert "has 4 columns and no header" in refusal(str(path), ["x", "y", "z"], header="none")
    assert "header names 2" in refusal(str(path), ["x"], header=["x", "y"])
    assert table(path, "1,2\n3,4\n", ["a", "b"], header="none") == [[1, 2], [3, 4]]
    german = "t;x;y\n0;1,5;-2\n1;2,25;1e-3\n"
    assert table(path, german, ["y", "x"], decimal=",") == [[-2, 1.5], [0.001, 2.25]]
    openbci = "%OpenBCI\n%rate = 250\nn, x, y\n0, 1.5, 2\n% said\n1, 2.5, 3\n"
    assert table(tmp_path / "a.txt", openbci, ["x"], comment="%") == [[1.5], [2.5]]
    assert table(tmp_path / "b.txt", "t\tx\n1\t2\n", ["x"]) == [[2]]


def test_lines_in_messages_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,x\n\n1,2\n\n\n3,five\n")
    assert "line 6" in refusal(str(path), ["x"])
    path.write_text("# a\nt,x\n# b\n1,2\n\n3,five\n")
    assert "line 6" in refusal(str(path), ["x"], comment="#")
    path.write_text("junk\nt,x\n1,2\n3,five\n")
    assert "line 4" in refusal(str(path), ["x"], skip_lines=1)
    path.write_text("1,2\n\n3,five\n")
    assert "line 3" in refusal(str(path), ["a", "x"], header="none")


def test_another_delimiter_is_suspected(tmp_path):
    (tmp_path / "a.csv").write_text("t\tx\ty\n1\t2\t3\n")
    message = refusal(str(tmp_path / "a.csv"), ["x"])
    assert "1 column with commas" in message
    assert "2 tabs, which would make 3" in message


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
    assert "announces 0 rows" in refusal(str(path))
    wav(path, sized(0xFFFFFFFF))
    assert "never finished" in refusal(str(path))
    wav(path, lambda content, _: content[:-100])
    assert "announces 200 bytes of samples, the file holds 100" in refusal(str(path))
    wav(path, lambda content, _: content + b"LIST\x04\0\0\0abcd")
    assert read(path).shape == (100, 1)
    wav(path, lambda content, _: content + b"TAG" + bytes(125))
    assert "room for 64 rows; they are not read" in notes(path)


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
    monkeypatch.setattr("memwave.readers.parquet._has_codec", lambda _, codec: codec != "zstd")
    assert "is compressed with zstd, which pyarrow does not have" in refusal(str(path), ["x"])


def test_a_stray_quote_swallows_no_interval(tmp_path):
    from memwave.recordings.labels.intervals import read_intervals

    path = tmp_path / "a.tsv"
    path.write_text('start\tstop\tlabel\tnote\n0\t5\ta\t"odd\n5\t9\tb\t\n9\t12\tc\tlate"\n')
    with pytest.raises(MemwaveError, match=r"line 4: a quote takes in a line"):
        read_intervals(str(path), 100, 50.0)


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


def test_odd_columns_beside_the_wanted_one(tmp_path):
    nested = pyarrow.array([{"a": 1, "b": [1] * 9}, {"a": 2, "b": []}])
    columns = [nested, [[1], [2]], [1, 2], [1.5, 2.5], [3, 4]]
    odd = pyarrow.Table.from_arrays(list(map(pyarrow.array, columns)), ["n", "l", "d", "x", "d"])
    pyarrow.parquet.write_table(odd, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(odd, str(tmp_path / "a.feather"))
    (tmp_path / "a.csv").write_text("n,d,x,d\n{},1,1.5,3\n[],2,2.5,4\n")
    for name in ("a.parquet", "a.feather", "a.csv"):
        assert read_all(tmp_path / name, ["x"]).tolist() == [[1.5], [2.5]]
        assert '2 channels called "d"' in refusal(str(tmp_path / name), ["d"])


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
