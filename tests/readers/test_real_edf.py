"""EDF and BDF files as they are found: odd headers, gaps, cut files; reads that fail."""

import numpy as np
import pyedflib
import pytest
import test_formats
from real_files import SIGNAL, edf, notes, read, refusal

from memwave.core.errors import MemwaveError
from memwave.readers import open_array


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
    assert "decimal commas: '0,5' is taken for 0.5" in notes(path)
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


def test_edf_c_with_gaps_is_noted(tmp_path):
    """Its header says that there are none; its values are read as they are stored."""
    path = tmp_path / "a.edf"
    for onsets, told in (
        ([0.5, 3.5, 6.5, 9.5], ""),
        ([0, 3, 7, 10], "record 2 begins at 7 seconds, expected 6"),
        (["nought", 3, 7, "none"], ""),
        ([0, 3, 6, 9.1249], ""),  # less than half a sample
    ):
        edf_plus(path, onsets, "EDF+C")
        assert read(path)[:, 0].tolist() == list(range(48))
        assert told in notes(path)
        assert bool(told) == bool(notes(path))


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
