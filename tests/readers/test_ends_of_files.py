"""Bytes at the ends of files: what was cut is refused, what no header announces is noted."""

import struct

import numpy as np
import pytest
from real_files import notes, read, refusal
from test_tables import read_all

from memwave.readers import open_array
from memwave.readers.base import FileSource
from memwave.readers.formats.mne.whole import require_sound_file

VALUES = np.random.default_rng(0).integers(-3000, 3000, (100, 3))


def save_seismic(path, kind, dtype):
    obspy = pytest.importorskip("obspy")
    traces = []
    for name, column in zip("ZNE", VALUES.T, strict=True):
        header = {"station": "A", "channel": f"BH{name}", "sampling_rate": 50}
        traces.append(obspy.Trace(column.astype(dtype), header))
    obspy.Stream(traces).write(str(path), format=kind)


def save_seg2(path):
    """Three traces of 32 bit integers, as the standard of 1990 lays them out."""

    def strings(*texts):
        lines = (text.encode() + b"\0" for text in texts)
        return b"".join(struct.pack("<H", len(line) + 2) + line for line in lines) + bytes(2)

    about = strings("ACQUISITION_DATE 01/01/2020", "ACQUISITION_TIME 00:00:00")
    free = strings("SAMPLE_INTERVAL 0.02", "DELAY 0.0")
    free += bytes(-len(free) % 4)
    size = 32 + len(free)
    first = 32 + 12 + len(about)
    places = [first + i * (size + 400) for i in range(3)]
    content = b"\x55\x3a" + struct.pack("<3H", 1, 12, 3) + b"\x01\0\0\x01\n\0".ljust(24, b"\0")
    content += struct.pack("<3I", *places) + about
    for column in VALUES.T:
        content += struct.pack("<2H2IB", 0x4422, size, 400, 100, 2).ljust(32, b"\0") + free
        content += column.astype("<i4").tobytes()
    path.write_bytes(content)


def save_nihon(path, rows=(60, 40)):
    """Samples of 10 Hz in data blocks of one control block, with the events in a channel more."""
    content = bytearray(0x1800)
    for place in (0, 0x81):
        content[place : place + 16] = b"EEG-1100A V01.00"
    content[0x17FE] = content[0x91] = 1
    content[0x92:0x96] = struct.pack("<I", 0x400)
    content[0x400 + 17] = len(rows)
    start = 0
    for i, n in enumerate(rows):
        place = 0x400 + 18 + 20 * i
        content[place : place + 4] = struct.pack("<I", len(content))
        block = bytearray(0x27 + 30)
        block[0x1A:0x20] = struct.pack("<HI", 10, n)
        block[0x26] = 3
        for channel in range(3):
            block[0x27 + 10 * channel] = channel
        stored = np.zeros((n, 4), "<u2")
        stored[:, :3] = VALUES[start : start + n] + 0x8000
        content += block + stored.tobytes()
        start += n
    path.write_bytes(content)


def kit():
    """A directory of ten entries, the last of them that of the samples, and these."""
    entries = [(0, 16, 10, 10), *[(160, 0, 0, 0)] * 8, (160, 2, 300, 300)]
    return b"".join(struct.pack("<I3i", *entry) for entry in entries) + bytes(600)


def with_directory(content):
    """A FIF file with the directory of its tags behind the last one, as old files have it."""
    entries, place, following = b"", 0, 0
    while following >= 0:
        kind, form, size, following = struct.unpack_from(">4i", content, place)
        entries += struct.pack(">4i", kind, form, size, place)
        place = following or place + 16 + size
    pointer = content.index(struct.pack(">3i", 101, 3, 4)) + 16
    pointed = bytearray(content + struct.pack(">4i", 102, 32, len(entries), -1) + entries)
    pointed[pointer : pointer + 4] = struct.pack(">i", len(content))
    return bytes(pointed)


def test_a_segy_file_that_was_cut_or_goes_on(tmp_path):
    path = tmp_path / "a.sgy"
    save_seismic(path, "SEGY", "f4")
    whole, trace = path.read_bytes(), 240 + 400
    assert not notes(path)
    cuts = {2: whole[:-401], 1: whole[: 3600 + trace + 1], 3: whole + bytes(112)}
    for before, content in cuts.items():
        path.write_bytes(content)
        end = 3600 + before * trace
        said = f"has {len(content):,} bytes, expected {end:,} for {before} traces: the "
        assert f"{said}{len(content) - end} bytes at its end are no trace" in refusal(str(path))
    path.write_bytes(whole[:-1])
    assert "Too little data left" in refusal(str(path))


def test_a_seg2_file_that_was_cut_or_goes_on(tmp_path):
    pytest.importorskip("obspy")
    path = tmp_path / "a.seg2"
    save_seg2(path)
    whole = path.read_bytes()
    np.testing.assert_array_equal(read_all(path, None), VALUES)
    assert "not read" not in notes(path)
    for size in (len(whole) - 400, len(whole) - 4, len(whole) - 1):
        path.write_bytes(whole[:size])
        found = f"trace 3 ends at byte {len(whole):,} by its header, the file has {size:,}."
        assert found in refusal(str(path))
    path.write_bytes(whole + bytes(7))
    assert "7 bytes after its last trace are not read" in notes(path)


def test_a_gse2_file_that_was_cut_or_goes_on(tmp_path):
    path = tmp_path / "a.gse2"
    save_seismic(path, "GSE2", "i4")
    whole = path.read_bytes()
    assert not notes(path)
    last = whole.rindex(b"WID2")
    for size in (1, 2, 3):
        path.write_bytes(whole[: last + size])
        assert f"ends with {'WID'[:size]!r}, the beginning of a header" in refusal(str(path))
    for rest in (b"", b"\n\n", b"STOP\n", b"\nSTOP"):
        path.write_bytes(whole + rest)
        assert not notes(path)
    path.write_bytes(whole + b"BEGIN GSE2.0\nand so on\n")
    assert "23 bytes after its last checksum are not read" in notes(path)
    np.testing.assert_array_equal(read_all(path, None), VALUES)


def test_a_fif_file_that_goes_on(tmp_path):
    mne = pytest.importorskip("mne")
    path = tmp_path / "a_raw.fif"
    raw = mne.io.RawArray(VALUES.T * 1e-6, mne.create_info(3, 50, "eeg"), verbose="error")
    raw.save(path, fmt="double", verbose="error")
    saved = path.read_bytes()
    for whole in (saved, with_directory(saved)):
        path.write_bytes(whole)
        assert not notes(path)
        path.write_bytes(whole + saved)
        assert f"{len(saved):,} bytes at the end of a_raw.fif are not read" in notes(path)
        np.testing.assert_allclose(read(path), VALUES * 1e-6)


def test_a_nihon_kohden_file_that_was_cut_or_goes_on(tmp_path):
    pytest.importorskip("mne")
    path = tmp_path / "a.eeg"
    save_nihon(path)
    whole = path.read_bytes()
    values = read(path)
    assert values.shape == VALUES.shape
    step = (3199.902 + 3200) / 65535 * 1e-6  # a step of an electrode
    np.testing.assert_allclose((values - values[0]) / step, VALUES - VALUES[0], atol=0.01)
    assert "not read" not in notes(path)
    for size in (len(whole) - 1, len(whole) - 8, len(whole) - 320):
        path.write_bytes(whole[:size])
        found = f"samples end at byte {len(whole):,} by its header, the file has {size:,}."
        assert found in refusal(str(path))
    path.write_bytes(whole + bytes(24))
    assert "24 bytes at the end of a.eeg are not read" in notes(path)


@pytest.mark.parametrize("rows", [(60, 40), (31, 29, 40), (100,)])
def test_a_nihon_kohden_file_is_read_across_its_blocks(tmp_path, rows):
    pytest.importorskip("mne")
    path = tmp_path / "a.eeg"
    save_nihon(path, rows)
    whole = read(path)
    with open_array(str(path)) as source:
        for start, stop in ((0, 61), (20, 75), (59, 61), (30, 60), (60, 100), (5, 5)):
            np.testing.assert_array_equal(source.read(start, stop), whole[start:stop])
    first = ", ".join(map(str, np.cumsum(rows)[:-1]))
    assert (f"time is missing before row {first}. Windows" in notes(path)) == (len(rows) > 1)


def test_a_kit_file_that_was_cut_or_goes_on(tmp_path):
    path = tmp_path / "a.sqd"
    path.write_bytes(kit() + bytes(5))
    assert rest_of_kit(path) == [
        "5 bytes at the end of a.sqd are not read: no header announces them"
    ]
    path.write_bytes(kit())
    assert rest_of_kit(path) == []
    path.write_bytes(kit()[:-1])
    assert "samples end at byte 760 by its header, the file has 759" in refusal(str(path))


class Opened(FileSource):
    """A file of which nothing is read but what is compared."""

    def close(self):
        pass


def rest_of_kit(path):
    source = Opened(str(path))
    require_sound_file(source)
    return source.notes
