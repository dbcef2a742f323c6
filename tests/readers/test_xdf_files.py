"""XDF files: streams, gaps, files that were cut short, and what planning reads."""

import re

import numpy as np
import pytest
from field_files import NAMES, RATE, ROWS, VALUES, xdf
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import open_source


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
