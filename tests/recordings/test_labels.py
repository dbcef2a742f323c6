"""Labels: of rows, intervals and recordings, as numbers and texts, for windows."""

import gzip
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import h5py
import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pyedflib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stages import run_stage

from convert_labels import convert_labels_of_rows
from memwave.core.errors import MemwaveError
from memwave.readers import library_bytes, open_array
from memwave.recordings.labels.coding import RULES, Coding, rows_of_labels, window_labels
from memwave.recordings.labels.file import load_names
from memwave.recordings.labels.intervals import read_intervals
from memwave.recordings.labels.windows import WindowLabels
from memwave.recordings.segments import LabelledRecording, Windows
from memwave.workflow.planning.memory.stages import labelling_mb
from memwave.workflow.requests.recordings import Conversion, LabelConversion

ROWS = 100
RATE = 10.0


@given(data=st.data(), rule=st.sampled_from(RULES))
def test_a_window_has_the_label_of_its_last_or_central_or_most_rows(data, rule):
    window, step = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    rows = data.draw(st.integers(window, 40))
    labels = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=rows, max_size=rows)))
    total = (rows - window) // step + 1
    first = data.draw(st.integers(0, total - 1))
    count = data.draw(st.integers(1, total - first))
    start, stop = rows_of_labels(rule, window, step, first, count)
    found = window_labels(rule, labels[start:stop], window, step)
    expected = []
    for i in range(first, first + count):
        mine = labels[i * step : i * step + window]
        most = Counter(mine.tolist()).most_common(1)[0][0]  # of equally frequent ones the first
        expected.append({"last": mine[-1], "centre": mine[window // 2], "majority": most}[rule])
    assert found.tolist() == expected


def test_a_majority_of_labels_that_do_not_repeat():
    with pytest.raises(MemwaveError, match=r"2000 different ones.*window_label: last"):
        window_labels("majority", np.arange(2000), 10, 1)


def test_texts_are_numbered_in_their_order_and_numbers_stay():
    coding = Coding.of(["sit", "walk", "lie", "sit"])
    assert coding.names == ("lie", "sit", "walk")
    codes = coding.translate(np.array([0, 1, -1, 1]), ["walk", "lie"])
    assert codes.tolist() == [2, 0, -1, 0]
    coding = Coding.of(["10", "-1", "2"])
    assert coding.names == ()
    assert coding.translate(np.array([1, 0, -1]), ["2", "10"]).tolist() == [10, 2, -1]
    assert Coding.of(["1", "2.5"]).names == ("1", "2.5")


def write(folder, text, name="intervals.tsv"):
    path = folder / name
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "wb") as file:
        file.write(text.encode())
    return str(path)


def intervals(path, rows=ROWS, rate=RATE):
    return [(i.start, i.stop, i.label) for i in read_intervals(path, rows, rate)]


def test_intervals_in_rows_and_in_seconds(tmp_path):
    expected = [(0, 30, "sit, still"), (30, 55, "walk"), (90, 100, "sit, still")]
    rows = "stop\tstart\tremark\tlabel\n55\t30\t\twalk\n\n30\t0\tx\tsit, still\n"
    rows += "100\t90\t\tsit, still\n"
    assert intervals(write(tmp_path, rows)) == expected
    assert intervals(write(tmp_path, rows, "a.tsv.gz"), rate=None) == expected
    seconds = '\ufeffonset,duration,trial_type\r\n0,3,"sit, still"\r\n3.0,2.5,walk\r\n'
    seconds += '9,1.04,"sit, still"\r\n'
    assert intervals(write(tmp_path, seconds, "a.csv")) == expected


def test_an_interval_of_seconds_may_end_after_the_recording(tmp_path):
    path = write(tmp_path, "onset\tduration\tlabel\n9.5\t30\tsleep\n")
    assert intervals(path) == [(95, 100, "sleep")]


def test_annotations_of_edf(tmp_path):
    path = str(tmp_path / "night.edf")
    writer = pyedflib.EdfWriter(path, 1, pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeader(0, {"label": "eeg", "dimension": "uV", "sample_frequency": 10})
    for onset, duration, text in (
        (3, 2.5, "Sleep stage W"),
        (4, -1, "noise"),
        (0, 3, "Sleep stage 1"),
    ):
        writer.writeAnnotation(onset, duration, text)
    writer.writeSamples([np.zeros(100)])
    writer.close()
    assert intervals(path) == [(0, 30, "Sleep stage 1"), (30, 55, "Sleep stage W")]


BAD_INTERVALS = {
    "overlap": (
        "start\tstop\tlabel\n0\t5\ta\n9\t12\tc\n4\t8\tb\n",
        ["line 2", "line 4", "row 4", '"a"'],
    ),
    "empty": ("start\tstop\tlabel\n5\t5\ta\n", ["line 2", "from row 5 to 5 is empty"]),
    "backwards": ("start\tstop\tlabel\n5\t3\ta\n", ["line 2", "is empty"]),
    "before the recording": ("start\tstop\tlabel\n-1\t3\ta\n", ["line 2", "not in the recording"]),
    "after the recording": ("start\tstop\tlabel\n100\t101\ta\n", ["which has 100 rows"]),
    "too long": ("start\tstop\tlabel\n0\t101\ta\n", ["from row 0 to 101", "has 100 rows"]),
    "no label": ("start\tstop\tlabel\n0\t5\t \n", ["line 2", "a label of 0 characters"]),
    "a fraction of a row": ("start\tstop\tlabel\n0\t5.5\ta\n", ['found "5.5"', "whole number"]),
    "a word": ("onset\tduration\tlabel\n0\tn/a\ta\n", ["line 2", 'found "n/a"', "seconds"]),
    "not a number": ("onset\tduration\tlabel\nnan\t1\ta\n", ['found "nan"', "seconds"]),
    "endless": ("onset\tduration\tlabel\n0\tinf\ta\n", ['found "inf"', "seconds"]),
    "other columns": ("begin\tend\tlabel\n0\t5\ta\n", ['"begin", "end"', "start, stop and label"]),
    "a missing cell": ("start\tstop\tlabel\n0\t5\n", ["line 2", "has 2 cells, expected 3"]),
    "no line": ("start\tstop\tlabel\n", ["has no interval"]),
    "nothing": ("", ["has the columns nothing"]),
    "an open quote": ('start\tstop\tlabel\n0\t5\t"a\n', ["unexpected end of data"]),
}


@pytest.mark.parametrize("case", BAD_INTERVALS)
def test_intervals_that_cannot_be_labels(tmp_path, case):
    text, words = BAD_INTERVALS[case]
    path = write(tmp_path, text)
    with pytest.raises(MemwaveError) as caught:
        read_intervals(path, ROWS, RATE)
    assert all(word in str(caught.value) for word in [path, *words]), caught.value


def test_consecutive_annotations_do_not_overlap_by_rounding(tmp_path):
    """An end is a sum, the next onset is not: of two times at half a row, both are one row."""
    onsets = [0.1 * (3 * i) for i in range(1000)]
    lines = [f"{onset!r}\t0.3\t{i % 7}" for i, onset in enumerate(onsets)]
    path = tmp_path / "a.tsv"
    path.write_text("\n".join(["onset\tduration\tlabel", *lines]) + "\n")
    found = read_intervals(str(path), 1500, 5.0)
    assert [(i.start, i.stop) for i in found[:4]] == [(0, 2), (2, 3), (3, 5), (5, 6)]
    assert all(one.stop == other.start for one, other in pairwise(found))


def annotated(path, entries):
    """A recording of ten seconds with annotations: onset, duration and text."""
    writer = pyedflib.EdfWriter(str(path), 1)
    writer.setSignalHeader(0, pyedflib.highlevel.make_signal_header("x", sample_frequency=10))
    writer.writeSamples([np.zeros(100)])
    for entry in entries:
        writer.writeAnnotation(*entry)
    writer.close()
    return str(path)


def test_annotations_that_cover_no_row(tmp_path, caplog):
    """Hypnograms end with a stage that begins where the recording ends; events may be short."""
    entries = [(0.0, 5.0, "W"), (4.99, 0.01, "click"), (5.0, 5.0, "R"), (10.0, 5.0, "?")]
    found = read_intervals(annotated(tmp_path / "a.edf", entries), 100, 10.0)
    assert [(i.start, i.stop, i.label) for i in found] == [(0, 50, "W"), (50, 100, "R")]
    assert "annotation 2 covers no row; it is not used" in caplog.text
    assert "annotation 4 is after the last row; it is not used" in caplog.text


def test_annotations_are_cut_off_at_the_first_row(tmp_path, caplog):
    path = annotated(tmp_path / "a.edf", [(0.0, 1.5, "a"), (1.0, 3.0, "b"), (5.0, 1.0, "c")])
    content = (tmp_path / "a.edf").read_bytes()
    assert content.count(b"+0\x14\x14\x00") == 1
    (tmp_path / "a.edf").write_bytes(content.replace(b"+0\x14\x14\x00", b"+2\x14\x14\x00"))
    found = read_intervals(path, 80, 10.0)
    assert [(i.start, i.stop, i.label) for i in found] == [(0, 20, "b"), (30, 40, "c")]
    assert "annotation 1 is before the first row" in caplog.text


@pytest.mark.parametrize("begin", [None, 1000.0])
def test_annotations_of_a_part_of_a_measurement(tmp_path, begin):
    """MNE-Python counts their onsets from the start of the measurement, whether it is known."""
    mne = pytest.importorskip("mne")
    raw = mne.io.RawArray(np.zeros((1, 100)), mne.create_info(["x"], 10.0, "eeg"), verbose="error")
    raw.set_meas_date(begin)
    raw.set_annotations(mne.Annotations([1.0, 3.0, 5.0], [1.5, 1.0, 1.0], ["a", "b", "c"]))
    raw.crop(2.0).save(tmp_path / "a_raw.fif", verbose="error")
    found = read_intervals(str(tmp_path / "a_raw.fif"), 80, 10.0)
    assert [(i.start, i.stop, i.label) for i in found] == [
        (0, 5, "a"),
        (10, 20, "b"),
        (30, 40, "c"),
    ]


def test_annotations_without_a_duration(tmp_path):
    path = annotated(tmp_path / "a.edf", [(1.0, -1, "x"), (2.0, 0, "y")])
    with pytest.raises(MemwaveError, match=r"has 2 annotations, none of which has a duration"):
        read_intervals(path, 100, 10.0)


def test_intervals_in_seconds_need_a_sampling_rate(tmp_path):
    path = write(tmp_path, "onset\tduration\tlabel\n0\t1\ta\n")
    with pytest.raises(MemwaveError, match="the sampling rate of the recording is unknown"):
        read_intervals(path, ROWS, None)


def test_intervals_in_another_encoding(tmp_path):
    (tmp_path / "a.tsv").write_bytes("start\tstop\tlabel\n0\t5\tfrüh\n".encode("latin-1"))
    with pytest.raises(MemwaveError, match="Expected UTF-8"):
        read_intervals(str(tmp_path / "a.tsv"), ROWS, RATE)


@given(content=st.binary(max_size=60), header=st.sampled_from([b"", b"start\tstop\tlabel\n0\t"]))
def test_junk_is_no_interval(tmp_path_factory, content, header):
    path = tmp_path_factory.getbasetemp() / "junk.tsv"
    path.write_bytes(header + content)
    with suppress(MemwaveError):
        assert all(0 <= i.start < i.stop <= ROWS for i in read_intervals(str(path), ROWS, RATE))


TEXTS = ["walk", "walk", "", "sit", "ü"] * 20


def save_columns(folder):
    cells = "".join(f"{i},{text}\n" for i, text in enumerate(TEXTS))
    write(folder, "x,state\n" + cells, "a.csv")
    write(folder, "x,state\n" + cells, "a.csv.gz")
    table = pyarrow.table({"x": range(ROWS), "state": [text or None for text in TEXTS]})
    pyarrow.parquet.write_table(table, folder / "a.parquet", row_group_size=7)
    pyarrow.feather.write_feather(table, str(folder / "a.feather"), chunksize=9)
    return ["a.csv", "a.csv.gz", "a.parquet", "a.feather"]


def convert(folder, path, rows=ROWS):
    convert_labels_of_rows(LabelConversion(path, rows, RATE), labels=folder / "out.h5")
    with open_array(f"{folder}/out.h5::/label") as labels:
        codes = labels.read(0, rows)
    names = [*load_names(f"{folder}/out.h5::/label"), ""]
    return [names[code] for code in codes]


def test_texts_of_rows(tmp_path):
    contents = set()
    for name in save_columns(tmp_path):
        assert convert(tmp_path, f"{tmp_path / name}::state") == TEXTS
        contents.add((tmp_path / "out.h5").read_bytes())
    assert len(contents) == 1


def test_texts_of_intervals(tmp_path):
    path = write(tmp_path, "start\tstop\tlabel\n30\t55\twalk\n0\t30\tsit\n90\t100\tsit\n")
    assert convert(tmp_path, path) == ["sit"] * 30 + ["walk"] * 25 + [""] * 35 + ["sit"] * 10


def test_a_column_that_is_not_there(tmp_path):
    for name in save_columns(tmp_path):
        with pytest.raises(MemwaveError, match=r'no column "stat". Did you mean "state".*sheet'):
            convert(tmp_path, f"{tmp_path / name}::stat")


@pytest.mark.parametrize("rows", [ROWS - 1, ROWS + 1])
def test_another_number_of_rows_than_planned(tmp_path, rows):
    for name in save_columns(tmp_path):
        with pytest.raises(MemwaveError, match=f"has 100 rows now, and had {rows}"):
            convert(tmp_path, f"{tmp_path / name}::state", rows)


def test_too_many_texts(tmp_path):
    path = write(tmp_path, "a\n" + "".join(f"t{i}\n" for i in range(10_001)), "a.csv")
    with pytest.raises(MemwaveError, match="more than 10,000 different labels"):
        convert(tmp_path, f"{path}::a", 10_001)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_a_conversion_keeps_to_the_predicted_memory(tmp_path):
    rows = 200_000
    lines = "".join(f"{i}\t{i + 2}\tlabel {i % 5000}\n" for i in range(0, rows, 2))
    text = write(tmp_path, "start\tstop\tlabel\n" + lines, "a.tsv")
    table = pyarrow.table({"state": ["some state"] * rows})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    for path in (text, f"{tmp_path}/a.parquet::state"):
        request = LabelConversion(path, rows, None)
        limit = labelling_mb(library_bytes([path]))
        batch = (Conversion(request, (str(tmp_path / "out.h5"),)),)
        ended = run_stage("convert_labels", tmp_path, batch, memory_mb=limit)
        assert ended.status == 0, ended.told
        assert ended.usage["peak_anonymous_mb"] < limit


def test_recordings_labelled_in_different_ways_share_their_numbers(tmp_path):
    path = write(tmp_path, "start\tstop\tlabel\n30\t55\twalk\n0\t30\tsit\n")
    convert(tmp_path, path)
    unlabelled = LabelledRecording("r", "train", 10)
    recordings = [
        replace(unlabelled, labels=f"{tmp_path}/out.h5::/label", are_texts=True),
        replace(unlabelled, recording_label="run"),
    ]
    labels = WindowLabels(recordings, "last", Windows(10, 10))
    assert labels.names == ("run", "sit", "walk")
    (found,) = labels.of(0, 0, 10)
    assert found[1].tolist() == [1, 1, 1, 2, 2, -1, -1, -1, -1, -1]
    (found,) = labels.of(1, 0, 3)
    assert found[1].tolist() == [0, 0, 0]
    assert WindowLabels([unlabelled], "last", Windows(10, 10)).description is None


def test_windows_are_labelled_stretch_by_stretch(tmp_path):
    kinds = np.random.default_rng(0).integers(0, 3, 200_000)
    np.save(tmp_path / "a.npy", kinds)
    count = (len(kinds) - 50) // 3 + 1
    recording = LabelledRecording("r", "train", count, str(tmp_path / "a.npy"))
    for rule in RULES:
        labels = WindowLabels([recording], rule, Windows(50, 3))
        chunks = list(labels.of(0, 0, count))
        assert [first for first, _ in chunks] == list(range(0, count, 65_536 // 3))
        start, stop = rows_of_labels(rule, 50, 3, 0, count)
        whole = window_labels(rule, kinds[start:stop], 50, 3)
        np.testing.assert_array_equal(np.concatenate([part for _, part in chunks]), whole)


def test_damaged_labels_are_refused(tmp_path):
    convert(tmp_path, write(tmp_path, "start\tstop\tlabel\n30\t55\twalk\n"))
    with h5py.File(tmp_path / "out.h5", "r+") as file:
        file["label"][0] = 0
    with pytest.raises(MemwaveError, match="cut off or changed"):
        load_names(f"{tmp_path}/out.h5::/label")
