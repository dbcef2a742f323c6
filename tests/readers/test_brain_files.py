"""Files of EEG and MEG whose headers and samples disagree, or that are damaged."""

import struct

import numpy as np
import pytest
import scipy.io
from test_field_formats import NAMES, ROWS, VALUES, raw_of, save_brainvision, save_eeglab

from memwave.core.errors import MemwaveError
from memwave.readers import contents_of, open_array


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
