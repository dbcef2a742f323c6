"""Seismic files, which ObsPy reads: traces, gaps, damaged files, files of instruments."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from field_files import RATE, seed
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import open_source


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
