"""Files of EEG and MEG: annotations, pauses, their parts, and headers and samples that disagree."""

import struct
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from field_files import NAMES, RATE, ROWS, VALUES, raw_of, save_brainvision, save_eeglab, save_fif

from memwave.core.errors import MemwaveError
from memwave.readers import contents_of, files_of, open_array
from memwave.recordings.labels.intervals import read_intervals


def test_annotations_are_intervals(tmp_path):
    save_fif(tmp_path / "a_raw.fif", VALUES)
    found = [
        (i.start, i.stop, i.label) for i in read_intervals(f"{tmp_path}/a_raw.fif", ROWS, RATE)
    ]
    assert found == [(50, 150, "a"), (250, 300, "c")]


@pytest.mark.parametrize(("first", "begin"), [(0, 1000.0), (130, 1000.0), (130, None)])
def test_rows_during_a_pause_are_missing(tmp_path, first, begin):
    """MNE-Python reads zeros for samples that were not recorded."""
    mne = pytest.importorskip("mne")
    info = mne.create_info(NAMES, RATE, "eeg")
    raw = mne.io.RawArray(VALUES.T * 1e-6, info, first_samp=first, verbose="error")
    raw.set_meas_date(begin)
    # Without a date, MNE-Python takes the onsets here from the first row.
    onsets = np.array([100, 0]) / RATE + (first / RATE if begin else 0)
    texts, begin = ["BAD_ACQ_SKIP", "rest"], raw.info["meas_date"]
    raw.set_annotations(mne.Annotations(onsets, [3.0, 1.0], texts, orig_time=begin))
    path = tmp_path / "a_raw.fif"
    raw.save(path, fmt="double", buffer_size_sec=1.0, verbose="error")
    expected = VALUES[:, ::-1] * 1e-6
    expected[100:250] = np.nan
    with open_array(str(path), None, NAMES[::-1]) as source:
        assert "150 rows were not recorded" in source.notes[0]
        for start, stop in [(0, ROWS), (90, 110), (120, 130), (240, 260), (250, 251), (0, 100)]:
            np.testing.assert_allclose(source.read(start, stop), expected[start:stop], rtol=1e-12)
    (label,) = read_intervals(str(path), ROWS, RATE)
    assert (label.start, label.stop, label.label) == (0, 50, "rest")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.cnt", b"RIFF" + bytes(100), "the package antio.*with pip install antio"),
        ("a.mff/signal1.bin", b"", "the package mffpy"),
        ("a.cdt", b"", "the package curryreader"),
        ("a.nedf", b"", r"\.nedf files cannot be read; save it as FIF with MNE-Python"),
        ("a.cwa", b"", "export it to CSV with OmGui"),
        ("a.cnt", b"Version 3.0" + bytes(2000), "cannot be read by MNE-Python"),
    ],
)
def test_files_that_need_another_package(tmp_path, monkeypatch, name, content, message):
    pytest.importorskip("mne")
    for package in ("antio", "mffpy", "curryreader"):
        monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(MemwaveError, match=message):
        open_array(str(tmp_path / name.split("/")[0]))


def test_eeglab_files_of_matlab_7_3(tmp_path, monkeypatch):
    pytest.importorskip("mne")
    monkeypatch.setitem(sys.modules, "pymatreader", None)
    with h5py.File(tmp_path / "a.set", "w") as file:
        file["EEG"] = [1]
    with pytest.raises(MemwaveError, match="needs the package pymatreader"):
        open_array(str(tmp_path / "a.set"))


def test_brainvision_is_three_files(tmp_path):
    save_brainvision(tmp_path / "a.vhdr", VALUES)
    names = [Path(file).name for file in files_of(str(tmp_path / "a.vhdr"))]
    assert names == ["a.vhdr", "a.eeg", "a.vmrk"]
    with pytest.raises(MemwaveError, match=r"Name its header, .*a\.vhdr"):
        open_array(str(tmp_path / "a.eeg"))
    (tmp_path / "a.eeg").unlink()
    with pytest.raises(MemwaveError, match=r"a\.vhdr: cannot be read by MNE-Python"):
        open_array(str(tmp_path / "a.vhdr"))


def change(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


@pytest.mark.parametrize(
    ("announced", "more", "told"),
    [
        (ROWS, b"", ""),
        (ROWS, bytes(5), "5 bytes after its last whole row are not read"),
        (ROWS - 10, b"", f"announces {ROWS - 10} rows, its file of samples holds {ROWS}"),
        (ROWS + 10, b"", f"announces {ROWS + 10} rows, its file of samples holds {ROWS}"),
    ],
)
@pytest.mark.parametrize("orientation", [b"MULTIPLEXED", b"VECTORIZED"])
def test_brainvision_headers_that_state_rows(tmp_path, orientation, announced, more, told):
    """MNE-Python does not compare them, and takes the places of vectorized channels from both."""
    path, samples = tmp_path / "a.vhdr", tmp_path / "a.eeg"
    save_brainvision(path, VALUES)
    change(path, b"DataFormat=BINARY", b"DataFormat=BINARY\nDataPoints=%d" % announced)
    change(path, b"MULTIPLEXED", orientation)
    stored = samples.read_bytes()
    if orientation == b"VECTORIZED":
        stored = np.frombuffer(stored, "<f4").reshape(ROWS, 3).T.tobytes()
    samples.write_bytes(stored + more)
    if announced > ROWS or (told and orientation == b"VECTORIZED"):
        with pytest.raises(MemwaveError, match=f"announces {announced} rows, .* holds {ROWS}"):
            open_array(str(path))
        return
    with open_array(str(path)) as source:
        assert [told] * bool(told) == [note[-len(told) :] for note in source.notes]
        np.testing.assert_allclose(source.read(90, ROWS), VALUES[90:] * 1e-6, rtol=1e-6)


def test_breaks_of_a_recording_are_noted(tmp_path):
    """A recorder that was paused begins a new segment; no samples stand for the time between."""
    path = tmp_path / "a.vhdr"
    save_brainvision(path, VALUES)
    with open(tmp_path / "a.vmrk", "a", encoding="utf-8") as markers:
        markers.write("Mk90=New Segment,,101,1,0,20200101000100000000\n")
        markers.write("Mk91=New Segment,,201,1,0,20200101000200000000\n")
    with open_array(str(path)) as source:
        assert any("time is missing before row 100, 200. Windows" in n for n in source.notes)
        np.testing.assert_allclose(source.read(90, ROWS), VALUES[90:] * 1e-6, rtol=1e-6)


def test_breaks_between_joined_recordings_are_noted(tmp_path):
    mne = pytest.importorskip("mne")
    parts = [raw_of(VALUES[:150]), raw_of(VALUES[150:])]
    path = tmp_path / "a_raw.fif"
    mne.concatenate_raws(parts).save(path, fmt="double", verbose="error")
    with open_array(str(path)) as source:
        assert any("time is missing before row 150. Windows" in n for n in source.notes)


def test_breaks_of_an_eeglab_file_are_noted(tmp_path):
    """EEGLAB writes an event called boundary where it cut rows out."""
    mne = pytest.importorskip("mne")
    pytest.importorskip("eeglabio")
    raw = raw_of(VALUES)
    texts = ["boundary", "a", "boundary"]
    raw.set_annotations(mne.Annotations([2.0, 3.0, 6.5], [0.0] * 3, texts))
    raw.export(tmp_path / "a.set", overwrite=True, verbose="error")
    with open_array(str(tmp_path / "a.set")) as source:
        assert any("time is missing before row 100, 325. Windows" in n for n in source.notes)
        np.testing.assert_allclose(source.read(0, ROWS), VALUES * 1e-6, atol=1e-9)


def test_eeglab_samples_in_a_file_of_their_own(tmp_path):
    path, samples = tmp_path / "a.set", tmp_path / "a.fdt"
    save_eeglab(path, VALUES)
    described = {k: v for k, v in scipy.io.loadmat(path).items() if not k.startswith("__")}
    scipy.io.savemat(path, described | {"data": "a.fdt"}, appendmat=False)
    samples.write_bytes(VALUES.astype("f4").tobytes())
    with open_array(str(path), None, NAMES) as source:
        np.testing.assert_allclose(source.read(0, ROWS), VALUES * 1e-6, rtol=1e-6)
        assert source.notes == []
    samples.write_bytes(VALUES.astype("f4").tobytes() * 2)
    with open_array(str(path), None, NAMES) as source:
        assert source.notes == [f"its header announces {ROWS} rows, its file of samples holds 800"]
    samples.write_bytes(VALUES.astype("f4").tobytes()[:-1])
    with pytest.raises(MemwaveError, match=f"announces {ROWS} rows, .* holds {ROWS - 1}"):
        open_array(str(path))


def test_samples_in_files_of_other_names_belong_to_the_recording(tmp_path):
    """As after the header was renamed; a change of the samples is one of the recording."""
    save_brainvision(tmp_path / "a.vhdr", VALUES)
    header = str((tmp_path / "a.vhdr").rename(tmp_path / "b.vhdr"))
    assert contents_of(header) == [header, f"{tmp_path}/a.eeg", f"{tmp_path}/a.vmrk"]
    with open_array(header, None, NAMES) as source:
        np.testing.assert_allclose(source.read(0, ROWS), VALUES * 1e-6, rtol=1e-6)

    save_eeglab(tmp_path / "a.set", VALUES)
    described = scipy.io.loadmat(tmp_path / "a.set")
    described = {key: value for key, value in described.items() if not key.startswith("__")}
    scipy.io.savemat(tmp_path / "a.set", described | {"data": "c.fdt"}, appendmat=False)
    (tmp_path / "c.fdt").write_bytes(VALUES.astype("f4").tobytes())
    with pytest.raises(MemwaveError, match=r"a\.set: its samples are in c\.fdt.*not be noticed"):
        open_array(f"{tmp_path}/a.set")


@pytest.mark.parametrize(
    ("naming", "first"), [("neuromag", "a_raw.fif"), ("bids", "a_split-01_raw.fif")]
)
def test_the_parts_of_a_fif_file_belong_to_the_recording(tmp_path, naming, first):
    values = np.tile(VALUES, (250, 1))
    raw_of(values).save(
        tmp_path / "a_raw.fif",
        fmt="double",
        split_size="2MB",
        buffer_size_sec=10,
        split_naming=naming,
        verbose="error",
    )
    parts = sorted(map(str, tmp_path.glob("*.fif")))
    found = contents_of(f"{tmp_path}/{first}")
    assert found[0] == f"{tmp_path}/{first}"
    assert sorted(found) == parts
    assert len(parts) > 1
    with open_array(found[0], None, NAMES) as source:
        assert source.shape == values.shape
        np.testing.assert_allclose(source.read(len(values) - 50, len(values)), values[-50:] * 1e-6)


def test_a_damaged_eeglab_file_does_not_end_the_process(tmp_path):
    """SciPy crashes at an element without a type."""
    path = tmp_path / "a.set"
    save_eeglab(path, VALUES)
    content = path.read_bytes()
    place = content.index(b"\x0e\0\0\0", 600)
    path.write_bytes(content[:place] + bytes(8) + content[place + 8 :])
    with pytest.raises(MemwaveError, match=r"a\.set: cannot be read as an EEGLAB file.*type 0"):
        open_array(str(path))


def test_a_kit_file_that_was_cut_short(tmp_path):
    """MNE-Python reads zeros in place of the samples that are not there."""
    pytest.importorskip("mne")
    entries = [(0, 16, 10, 10)] + [(160, 4, 0, 0)] * 8 + [(160, 2, 500, 500)]
    content = b"".join(struct.pack("<I3i", *entry) for entry in entries)
    (tmp_path / "a.con").write_bytes(content + bytes(998))
    with pytest.raises(MemwaveError, match="end at byte 1,160 by its header, the file has 1,158"):
        open_array(str(tmp_path / "a.con"))
