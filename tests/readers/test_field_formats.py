"""What holds for all formats of fields of work: pieces, damage, ``init``, and memory."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from field_files import (
    NAMES,
    RATE,
    ROWS,
    VALUES,
    save_brainvision,
    save_eeglab,
    save_fif,
    save_nwb,
    save_tdms,
    seed,
    xdf,
)
from hypothesis import given
from hypothesis import strategies as st
from oracles import make_spec
from stages import run_stage

from memwave.cli import main
from memwave.core.errors import MemwaveError
from memwave.readers import library_bytes, open_array, open_source
from memwave.recordings.segments import PlannedRecording, Segment
from memwave.workflow.planning.memory.blocks import extraction_rows
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.stages import conversion_mb, extraction_bytes
from memwave.workflow.requests.features import Extraction
from memwave.workflow.requests.recordings import Conversion, RecordingConversion

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
