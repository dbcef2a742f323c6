"""Formats of fields of work, each through its library; files that it wrote, or of its tests."""

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from oracles import make_spec
from stages import run_stage
from test_tables import read_all

from memwave.cli import main
from memwave.core.errors import MemwaveError
from memwave.readers import files_of, library_bytes, open_array, open_source
from memwave.recordings.labels.intervals import read_intervals
from memwave.recordings.segments import PlannedRecording, Segment
from memwave.workflow.planning.memory.blocks import extraction_rows
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.stages import conversion_mb, extraction_bytes
from memwave.workflow.requests.features import Extraction
from memwave.workflow.requests.recordings import Conversion, RecordingConversion

NAMES = ["left", "right", "up"]
RATE, ROWS = 50, 400
VALUES = np.random.default_rng(0).integers(-3000, 3000, (ROWS, 3)).astype("i2")


def raw_of(values):
    mne = pytest.importorskip("mne")
    info = mne.create_info(NAMES, RATE, "eeg")
    raw = mne.io.RawArray(values.T * 1e-6, info, verbose="error")
    return raw.set_annotations(mne.Annotations([1.0, 4.0, 5.0], [2.0, 0.0, 1.0], ["a", "b", "c"]))


def save_fif(path, values):
    raw_of(values).save(path, fmt="double", overwrite=True, verbose="error")


def save_brainvision(path, values):
    pybv = pytest.importorskip("pybv")
    events = [{"onset": 50, "duration": 100, "type": "Comment", "description": "a"}]
    pybv.write_brainvision(
        data=values.T * 1e-6, sfreq=RATE, ch_names=NAMES, fname_base=path.stem, events=events,
        folder_out=str(path.parent), overwrite=True, fmt="binary_float32", resolution=1,
    )  # fmt: skip


def save_eeglab(path, values):
    pytest.importorskip("eeglabio")
    raw_of(values).export(path, overwrite=True, verbose="error")


def save_tdms(path, values):
    nptdms = pytest.importorskip("nptdms")
    properties = {"wf_increment": 1 / RATE}
    with nptdms.TdmsWriter(str(path)) as writer:
        for part in np.array_split(values, 3):
            writer.write_segment(
                [
                    nptdms.ChannelObject("g", name, np.ascontiguousarray(part[:, i]), properties)
                    for i, name in enumerate(NAMES)
                ]
            )


def save_nwb(path, values, **attributes):
    """As the specification lays a series out; pynwb writes the same and more."""
    with h5py.File(path, "w") as file:
        group = file.create_group("acquisition/raw")
        data = group.create_dataset("data", data=values, chunks=(64, 2))
        data.attrs.update({"conversion": 1.0, "unit": "volts", **attributes})
        group.create_dataset("starting_time", data=0.0).attrs["rate"] = float(RATE)


# By name: how it is written, what a stored unit is, whether channels have names.
SLICED = {
    "a_raw.fif": (save_fif, 1e-6, True),
    "a.vhdr": (save_brainvision, 1e-6, True),
    "a.set": (save_eeglab, 1e-6, True),
    "a.tdms": (save_tdms, 1, True),
    "a.nwb": (save_nwb, 1, False),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fields")


@pytest.mark.parametrize("name", SLICED)
@given(data=st.data())
def test_any_piece_of_any_channels_is_that_of_the_whole(folder, name, data):
    save, unit, named = SLICED[name]
    if not (folder / name).exists():
        save(folder / name, VALUES)
    chosen = data.draw(st.permutations(NAMES))[: data.draw(st.integers(1, 3))] if named else NAMES
    start = data.draw(st.integers(0, ROWS))
    stop = data.draw(st.integers(start, ROWS))
    with open_array(str(folder / name), None, chosen) as source:
        assert source.sampling_rate == pytest.approx(RATE)
        assert source.shape == (ROWS, len(chosen))
        expected = VALUES[:, [NAMES.index(channel) for channel in chosen]] * unit
        whole = source.read(0, ROWS)
        np.testing.assert_allclose(whole, expected, rtol=1e-6, atol=1e-9 * unit)
        np.testing.assert_array_equal(source.read(start, stop), whole[start:stop])
        assert not source.notes


@pytest.mark.parametrize("name", SLICED)
def test_what_is_no_file_of_the_format(tmp_path, name):
    SLICED[name][0](tmp_path / name, VALUES)
    content = (tmp_path / name).read_bytes()
    for damaged in (b"", b"nothing of the kind" * 50, content[: len(content) // 3]):
        (tmp_path / name).write_bytes(damaged)
        rows, message = read_damaged(str(tmp_path / name))
        # What is whole of it may be read, if the file says how much there was.
        assert rows < ROWS, "a file that was cut is read as if it were whole"
        assert str(tmp_path / name) in message


def read_damaged(path):
    """Rows that are read of a file, and what is said about it."""
    try:
        with open_array(path, None, NAMES) as source:
            return len(source.read(0, source.shape[0])), path * bool(source.notes)
    except MemwaveError as error:
        return 0, str(error)


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


def test_tdms_groups(tmp_path):
    nptdms = pytest.importorskip("nptdms")
    path = tmp_path / "a.tdms"
    with nptdms.TdmsWriter(str(path)) as writer:
        for group, count in (("one", 10), ("two", 20)):
            data = np.arange(count, dtype="f4")
            texts = nptdms.ChannelObject(group, "text", ["a"] * count)
            writer.write_segment([nptdms.ChannelObject(group, "x", data), texts])
    with open_array(f"{path}::two", None, ["x"]) as source:
        assert source.dtype == "f4"
        assert source.read(3, 5).tolist() == [[3], [4]]
    with open_array(str(path), None, ["one/x"]) as source:
        assert source.shape == (10, 1)
    with pytest.raises(MemwaveError, match='different lengths: "one/x" 10, "two/x" 20'):
        open_array(str(path), None, ["one/x", "two/x"])
    with pytest.raises(MemwaveError, match='"text" holds values of type'):
        open_array(f"{path}::two", None, ["text"])
    with pytest.raises(MemwaveError, match=r'no group "three".*holds one, two'):
        open_array(f"{path}::three")


def test_nwb_conversions(tmp_path):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES, conversion=0.5, offset=1.0)
    with h5py.File(path, "r+") as file:
        file["acquisition/raw/channel_conversion"] = [1.0, 2.0, 3.0]
    expected = VALUES * np.array([0.5, 1.0, 1.5]) + 1
    with open_array(f"{path}::/acquisition/raw") as source:
        np.testing.assert_allclose(source.read(7, 90), expected[7:90])
        assert "the unit is volts" in source.notes[0]
    with open_array(str(path), values="stored") as source:
        np.testing.assert_array_equal(source.read(0, ROWS), VALUES)
    with h5py.File(path, "r+") as file:
        del file["acquisition/raw/starting_time"]
        file["acquisition/raw/timestamps"] = np.arange(ROWS) / RATE + 3
    with open_array(str(path)) as source:
        assert source.sampling_rate == RATE
    with h5py.File(path, "r+") as file:
        file["acquisition/raw/timestamps"][200:] += 1.0
    with pytest.raises(MemwaveError, match="timestamps that are not of one rate: row"):
        open_array(str(path))
    with h5py.File(path, "r+") as file:
        del file["acquisition/raw/timestamps"]
        file["acquisition/raw/timestamps"] = np.arange(ROWS + 5) / RATE
    with pytest.raises(MemwaveError, match=f"{ROWS + 5} timestamps for {ROWS} rows"):
        open_array(str(path))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"conversion": 0.0}, "the conversions 0.0 and the offset 0 for 3 channels"),
        ({"offset": np.nan}, "the conversions 1.0 and the offset nan for 3 channels"),
    ],
)
def test_nwb_conversions_that_are_none(tmp_path, attributes, message):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES, **attributes)
    with pytest.raises(MemwaveError, match=message):
        open_array(str(path))
    with open_array(str(path), values="stored") as source:
        np.testing.assert_array_equal(source.read(0, ROWS), VALUES)


@pytest.mark.parametrize("step", [-1.0, np.nan])
def test_a_sampling_rate_that_is_none_is_ignored(tmp_path, step):
    nptdms = pytest.importorskip("nptdms")
    path = str(tmp_path / "a.tdms")
    channel = nptdms.ChannelObject("g", "a", VALUES[:, 0].copy(), {"wf_increment": step})
    with nptdms.TdmsWriter(path) as writer:
        writer.write_segment([channel])
    with open_array(path) as source:
        assert source.sampling_rate is None
        assert f"a sampling rate of {step:g}" in source.notes[0]


@pytest.mark.parametrize("times", [ROWS - 2, ROWS + 3])
def test_nwb_timestamps_of_other_rows(tmp_path, times):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES)
    with h5py.File(path, "r+") as file:
        del file["acquisition/raw/starting_time"]
        file["acquisition/raw/timestamps"] = np.arange(times) / RATE
    with pytest.raises(MemwaveError, match=f"has {times} timestamps for {ROWS} rows of data"):
        open_array(str(path))


@pytest.mark.parametrize("rate", [0.0, -5.0, np.nan, np.inf])
def test_nwb_rates_that_are_none(tmp_path, rate):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES)
    with h5py.File(path, "r+") as file:
        file["acquisition/raw/starting_time"].attrs["rate"] = rate
    with pytest.raises(MemwaveError, match="rows a second, expected one above 0"):
        open_array(str(path))


def seed(path, starts, name="HHZ", rows=100):
    """Traces of a channel that begin at some samples."""
    obspy = pytest.importorskip("obspy")
    header = {"network": "XX", "station": "TEST", "channel": name, "sampling_rate": RATE}
    traces = []
    for start in starts:
        begin = obspy.UTCDateTime(2020, 1, 1) + start / RATE
        data = np.arange(start, start + rows, dtype="i4")
        traces.append(obspy.Trace(data, header | {"starttime": begin}))
    return traces


def test_traces_of_different_types_follow_each_other(tmp_path):
    obspy = pytest.importorskip("obspy")
    first, second = seed(tmp_path, [0, 100])
    second.data = second.data.astype("f4") + 0.5
    path = str(tmp_path / "a.mseed")
    with pytest.warns(UserWarning, match="encodings"):
        obspy.Stream([first, second]).write(path, format="MSEED")
    with open_source(path) as source:
        values = np.empty(source.shape)
        for rows, columns, block in source.blocks():
            values[rows, columns] = block
    expected = np.arange(200) + 0.5 * (np.arange(200) >= 100)
    np.testing.assert_array_equal(values[:, 0], expected)


def test_texts_beside_seismic_channels_are_no_numbers(tmp_path):
    """A log in miniSEED has letters, of which digits would be taken for samples."""
    obspy = pytest.importorskip("obspy")
    path = tmp_path / "a.mseed"
    traces = seed(path, [0, 0])
    traces[1].data = np.frombuffer(b"123", "S1")
    for trace, code in zip(traces, ["HHZ", "LOG"], strict=True):
        trace.stats.channel = code
    obspy.Stream(traces).write(str(path), format="MSEED")
    np.testing.assert_array_equal(read_all(path, ["HHZ"])[:, 0], traces[0].data)
    with pytest.raises(MemwaveError, match='"LOG" holds values of type'):
        read_all(path, ["LOG"])


def test_gaps_between_traces_are_missing(tmp_path):
    obspy = pytest.importorskip("obspy")
    path = tmp_path / "a.mseed"
    traces = seed(path, [0, 100, 250]) + seed(path, [50], "HHE", rows=150)
    obspy.Stream(traces).write(str(path), format="MSEED", reclen=512)
    values = read_all(path, ["HHZ", "HHE"])
    expected = np.full((350, 2), np.nan)
    expected[:200, 0], expected[250:, 0] = np.arange(200), np.arange(250, 350)
    expected[50:200, 1] = np.arange(50, 200)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(read_all(path, ["XX.TEST..HHE"]), np.arange(50.0, 200)[:, None])
    with open_source(str(path), None, ["HHZ"]) as source:
        assert source.sampling_rate == RATE
        assert source.notes == []
    obspy.Stream(seed(path, [0, 50])).write(str(path), format="MSEED")
    with pytest.raises(MemwaveError, match='"HHZ" has two traces for row 50'):
        open_source(str(path), None, ["HHZ"])


@pytest.mark.parametrize(
    ("name", "form"), [("a.sac", "SAC"), ("a.gse2", "GSE2"), ("a.sgy", "SEGY"), ("a.su", "SU")]
)
def test_other_seismic_formats(tmp_path, name, form):
    obspy = pytest.importorskip("obspy")
    (trace,) = seed(tmp_path, [0])
    trace.data = trace.data.astype("f4" if form != "GSE2" else "i4")
    obspy.Stream([trace]).write(str(tmp_path / name), format=form)
    channel = "HHZ" if form in ("SAC", "GSE2") else "1"
    np.testing.assert_array_equal(read_all(tmp_path / name, [channel])[:, 0], np.arange(100))
    with open_source(str(tmp_path / name), None, [channel]) as source:
        assert source.sampling_rate == pytest.approx(RATE)


def test_a_damaged_gse2_file_does_not_end_the_process(tmp_path):
    """ObsPy writes beyond a line of samples that is longer than the format allows."""
    obspy = pytest.importorskip("obspy")
    path = tmp_path / "a.gse2"
    obspy.Stream(seed(tmp_path, [0], rows=1000)).write(str(path), format="GSE2")
    content = path.read_bytes()
    begin = content.index(b"DAT2") + 90
    path.write_bytes(content[:begin] + content[begin:].replace(b"\n", b"\0", 1))
    with pytest.raises(MemwaveError, match="has more than 80 characters, from byte"):
        open_source(str(path))
    path.write_bytes(b"WID2 but nothing else")
    with pytest.raises(MemwaveError, match=r"a\.gse2: cannot be"):
        open_source(str(path))


# Folders of ObsPy's tests, and endings of their files.
KINDS = [("mseed", ".mseed"), ("sac", ".sac"), ("segy", "sgy"), ("gse2", "gse"), ("gcf", "gcf")]


def test_seismic_files_of_instruments(tmp_path):
    """Files in ObsPy's own tests: each is read as the library reads it, or refused."""
    obspy = pytest.importorskip("obspy")
    found = [
        path
        for kind, ending in KINDS
        for path in sorted(Path(obspy.__file__).parent.glob(f"io/{kind}/tests/data/*{ending}*"))
        if not path.name.endswith(".npy")
    ]
    if not found:
        pytest.skip("ObsPy was installed without its tests")
    read = 0
    for path in found:
        ending = {"sgy_first_trace": ".sgy"}.get(path.suffix[1:], path.suffix)
        copy = shutil.copy(path, tmp_path / f"x{ending if len(ending) > 3 else '.sgy'}")
        values, rate = anyhow(str(copy))
        if values is None:
            continue
        finite = values[~np.isnan(values)]
        whole = np.concatenate([trace.data for trace in obspy.read(copy) if trace.stats.npts])
        assert len(finite) == len(whole), path
        np.testing.assert_array_equal(np.sort(finite), np.sort(whole.astype("f8")))
        assert rate > 0
        read += 1
    assert read > 20


def anyhow(path):
    """Values and rate of a file; None if it is refused."""
    try:
        with open_source(path) as source:
            return read_all(path, None), source.sampling_rate
    except MemwaveError:
        return None, None


def xdf(path, gap=0, announced=None, width=3, values=None, units=("", "", "")):
    """A stream as the Lab Streaming Layer records it, and one of markers; XDF 1.0."""
    values = VALUES.astype("f4") if values is None else values
    kind = {"f4": "float32", "i8": "int64"}[values.dtype.str[1:]]

    def chunk(tag, content):
        size = len(content) + 2
        return b"\x04" + size.to_bytes(4, "little") + tag.to_bytes(2, "little") + content

    def header(number, name, rate, kind, channels):
        labels = "".join(
            f"<channel><label>{c}</label><unit>{u}</unit></channel>"
            for c, u in zip(channels, units, strict=False)
        )
        text = f"<?xml version='1.0'?><info><name>{name}</name><type>T</type>"
        count = width if channels is NAMES else len(channels)
        text += f"<channel_count>{count}</channel_count><nominal_srate>{rate}"
        text += f"</nominal_srate><channel_format>{kind}</channel_format>"
        text += f"<desc><channels>{labels}</channels></desc></info>"
        return chunk(2, number.to_bytes(4, "little") + text.encode())

    def samples(number, rows, times):
        content = number.to_bytes(4, "little") + b"\x04" + len(rows).to_bytes(4, "little")
        for row, time in zip(rows, times, strict=True):
            content += b"\x08" + np.float64(time).tobytes() + row.tobytes()
        return chunk(3, content)

    def footer(number):
        count = f"<sample_count>{announced}</sample_count>" if announced else ""
        text = f"<?xml version='1.0'?><info>{count}</info>"
        return chunk(6, number.to_bytes(4, "little") + text.encode())

    times = 100 + np.arange(ROWS) / RATE
    times[200:] += gap / RATE
    content = b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
    content += header(1, "amp", RATE, kind, NAMES)
    content += header(2, "events", 0, "string", ["text"])
    for part in np.array_split(np.arange(ROWS), 4):
        content += samples(1, values[part], times[part])
    path.write_bytes(content + footer(1))


def test_xdf(tmp_path):
    pytest.importorskip("pyxdf")
    xdf(tmp_path / "a.xdf")
    for path in (tmp_path / "a.xdf", f"{tmp_path}/a.xdf::amp"):
        np.testing.assert_array_equal(read_all(path, ["up", "left"]), VALUES[:, [2, 0]])
    for seconds in (2, 10):  # by default, pyxdf takes up to 500 samples for jitter
        xdf(tmp_path / "a.xdf", gap=seconds * RATE)
        values = read_all(tmp_path / "a.xdf", NAMES)
        assert len(values) == ROWS + seconds * RATE
        assert np.isnan(values[200:-200]).all()
        np.testing.assert_array_equal(values[-200:], VALUES[200:])
    xdf(tmp_path / "a.xdf", gap=20)
    with open_source(str(tmp_path / "a.xdf")) as source:
        assert re.search(r"jump by [12]\d.* samples after sample 199", " ".join(source.notes))
    with pytest.raises(MemwaveError, match='holds the streams "amp", "events"'):
        open_source(f"{tmp_path}/a.xdf::other")
    with pytest.raises(MemwaveError, match='"events" has 0 markers or samples without a rate'):
        open_source(f"{tmp_path}/a.xdf::events")


def test_xdf_files_that_were_cut_short(tmp_path):
    """pyxdf reads the last samples of a cut file as copies of those before, or leaves them out."""
    pytest.importorskip("pyxdf")
    path = tmp_path / "a.xdf"
    xdf(path)
    content = path.read_bytes()
    for cut in (80, 500, 1900):
        path.write_bytes(content[:-cut])
        np.testing.assert_array_equal(read_all(path, NAMES), VALUES[: 3 * ROWS // 4])
        with open_source(str(path)) as source:
            assert "are no whole chunk" in source.notes[0]
            assert "the 300 samples before them are read" in source.notes[0]
    path.write_bytes(content[:1000])
    with pytest.raises(MemwaveError, match='"amp" has no sample before its last'):
        open_source(str(path))
    xdf(path, width=10**9)
    with pytest.raises(MemwaveError, match="announces 400 samples of 1,000,000,000 channels"):
        open_source(str(path))
    xdf(path, announced=500)
    with pytest.raises(MemwaveError, match="announces 500 samples, the file holds 400"):
        open_source(str(path))


def test_planning_reads_no_samples_of_xdf(tmp_path, monkeypatch):
    pyxdf = pytest.importorskip("pyxdf")
    monkeypatch.chdir(tmp_path)
    xdf(tmp_path / "a.xdf")
    load, loaded = pyxdf.load_xdf, []

    def watched(*given, **options):
        streams, header = load(*given, **options)
        loaded.append([np.shape(stream["time_series"]) for stream in streams])
        return streams, header

    monkeypatch.setattr(pyxdf, "load_xdf", watched)
    for _ in range(2):
        with open_source(str(tmp_path / "a.xdf")) as source:
            assert source.shape == (ROWS, 3)
    assert loaded == [[(ROWS, 0)]]  # once, for their times


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", "CF")
def test_members_of_archives(tmp_path, save, order):
    path = tmp_path / "a.npz"
    array = np.random.default_rng(0).normal(size=(400_000, 3))
    save(path, x=np.asarray(array, order=order), other=np.array(["a"]), one=np.arange(5))
    np.testing.assert_array_equal(read_all(f"{path}::x", None), array)
    np.testing.assert_array_equal(read_all(f"{path}::one", None)[:, 0], np.arange(5))
    with pytest.raises(MemwaveError, match=r'no array "y".*holds x, other, one'):
        open_source(f"{path}::y")
    with pytest.raises(MemwaveError, match="expected integers or floats"):
        open_source(f"{path}::other")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MemwaveError, match=r"not a whole \.npz"):
        open_source(f"{path}::x")


def test_a_damaged_member_of_an_archive(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(100_000.0))
    content = bytearray(path.read_bytes())
    content[300_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(MemwaveError, match="Bad CRC"):
        read_all(f"{path}::x", None)


@pytest.mark.parametrize("name", [*SLICED, "a.xdf", "a.mseed"])
def test_init_knows_the_format(tmp_path, monkeypatch, name):
    """``memwave init`` writes a configuration that can be run, with names and rate of the file."""
    monkeypatch.chdir(tmp_path)
    path, names = tmp_path / name, NAMES
    if name == "a.xdf":
        pytest.importorskip("pyxdf")
        xdf(path)
    elif name == "a.mseed":
        names = ["HHZ", "HHE", "HHN"]
        obspy = pytest.importorskip("obspy")
        traces = [trace for code in names for trace in seed(path, [0], code, ROWS)]
        obspy.Stream(traces).write(str(path), format="MSEED")
    else:
        SLICED[name][0](path, VALUES)
    assert main(["init", name, "--window", "16"]) == 0
    dataset = yaml.safe_load(Path("mine.yaml").read_text())["datasets"]["mine"]
    named = name not in SLICED or SLICED[name][2]
    assert dataset["channels"] == (names if named else ["channel1", "channel2", "channel3"])
    assert dataset["sampling_rate"] == pytest.approx(RATE)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("name", SLICED)
def test_an_extraction_keeps_to_the_predicted_memory(tmp_path, name):
    rows, block_mb = 60_000, 4
    SLICED[name][0](tmp_path / name, np.resize(VALUES, (rows, 3)))
    spec = replace(make_spec(window=64, channels=3, dtype="float32"), channels=tuple(NAMES))
    path = str(tmp_path / name)
    segment = Segment(PlannedRecording("r", path, None, rows), 0, spec.windows.count(rows), 0)
    request = Extraction(spec, (segment,), extraction_rows(spec, block_mb))
    limit = stage_mb(extraction_bytes(spec, block_mb) + library_bytes([path]))
    shard = tmp_path / "shard.npy"
    ended = run_stage("extract_features", tmp_path, request, memory_mb=limit, shard=shard)
    assert ended.status == 0, ended.told
    assert ended.usage["peak_anonymous_mb"] < limit


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("name", ["a.mseed", "a.sac", "a.xdf", "a.npz"])
def test_a_conversion_keeps_to_the_predicted_memory(tmp_path, name):
    path, inner, channels = tmp_path / name, "", ["HHZ"]
    if name == "a.xdf":
        pytest.importorskip("pyxdf")
        xdf(path)
        channels = NAMES
    elif name == "a.npz":
        np.savez_compressed(path, x=np.resize(VALUES, (2_000_000, 3)))
        inner, channels = "::x", NAMES
    else:
        obspy = pytest.importorskip("obspy")
        traces = seed(path, [0], rows=3_000_000)
        if name == "a.sac":
            traces[0].data = traces[0].data.astype("f4")
        obspy.Stream(traces).write(str(path), format=name[2:].upper())
    with open_source(f"{path}{inner}", None, channels) as source:
        rows = source.shape[0]
    recording = PlannedRecording("r", f"{path}{inner}", None, rows)
    request = RecordingConversion(recording, tuple(channels))
    limit = conversion_mb(library_bytes([recording.path]))
    batch = (Conversion(request, (str(tmp_path / "out.npy"),)),)
    ended = run_stage("convert_recordings", tmp_path, batch, memory_mb=limit)
    assert ended.status == 0, ended.told
    assert ended.usage["peak_anonymous_mb"] < limit
