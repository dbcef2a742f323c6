"""WFDB records as they are found: all formats, late and missing signals, annotations."""

import re

import numpy as np
import pytest
import test_formats
import wfdb
from hypothesis import given
from hypothesis import strategies as st
from real_files import SIGNAL, notes, read, refusal, wfdb_record

from memwave.core.errors import MemwaveError
from memwave.readers import files_of, open_array


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


@pytest.mark.parametrize(
    "master", ["r/2 2 50 4\none 2\ntwo 2\n", "r/3 2 50 4\nlay 0\none 2\ntwo 2\n"]
)
@pytest.mark.parametrize(
    ("rate", "signals", "message"),
    [
        (50, ["100/mV 16 0 0 0 0 A", "1/mV 16 0 0 0 0 B"], ""),
        (50, ["1/mV 16 0 0 0 0 B", "100/mV 16 0 0 0 0 A"], "two has the signals"),
        (50, ["100/uV 16 0 0 0 0 A", "1/mV 16 0 0 0 0 B"], 'signal "A" is in mV .* in uV in two'),
        (100, ["100/mV 16 0 0 0 0 A", "1/mV 16 0 0 0 0 B"], "50 frames a second, its segment two"),
        (50, ["100/mV 16 0 0 0 0 A"] * 2, "two has"),
    ],
)
def test_segments_that_do_not_fit_together(tmp_path, master, rate, signals, message):
    (tmp_path / "r.hea").write_text(master)
    first = ["100/mV 16 0 0 0 0 A", "1/mV 16 0 0 0 0 B"]
    layout = [f"~ 0 {signal}" for signal in first]
    described = {"one": (50, 2, first), "two": (rate, 2, signals), "lay": (50, 0, layout)}
    for name, (own_rate, rows, lines) in described.items():
        np.array([[100, 1], [200, 2]], "<i2").tofile(tmp_path / f"{name}.dat")
        text = "\n".join(x if x[0] == "~" else f"{name}.dat 16 {x}" for x in lines)
        (tmp_path / f"{name}.hea").write_text(f"{name} 2 {own_rate} {rows}\n{text}\n")
    path = tmp_path / "r.hea"
    if not message or (signals[0].endswith("B") and "lay" in master):
        # Signals of a record with a layout are found by their names.
        expected = [1, 2, 1, 2] if not message else [1, 2, 0.01, 0.02]
        np.testing.assert_allclose(read(path, ["A"])[:, 0], expected)
        with open_array(str(path)) as source:
            assert source.units == {"A": "mV", "B": "mV"}
    else:
        assert re.search(message, refusal(str(path), ["A", "B"]))


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


def test_a_layout_of_segments_is_no_recording(tmp_path):
    """As in MIMIC: a header that lists the signals of the segments after it."""
    (tmp_path / "layout.hea").write_text("layout 1 125 0\n~ 0 100/mV 8 0 0 0 0 II\n")
    message = refusal(str(tmp_path / "layout.hea"), ["II"])
    assert "Name the header of the record" in message


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
