"""Formats of recordings whose files name their channels or rates, read piece by piece."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyedflib
import pytest
import soundfile
import wfdb
import zarr
from hypothesis import given
from hypothesis import strategies as st
from oracles import make_spec
from stages import run_stage

from memwave.core.errors import MemwaveError
from memwave.readers import files_of, library_bytes, open_array
from memwave.recordings.segments import PlannedRecording, Segment
from memwave.workflow.planning.memory.blocks import extraction_rows
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.stages import extraction_bytes
from memwave.workflow.requests.features import Extraction

NAMES = ["left", "right", "up"]
RATE = 50


def save_edf(path, array, names=NAMES, rates=None):
    """Integers of 16 bits (EDF) or 24 bits (BDF), in units of one."""
    bdf = path.suffix == ".bdf"
    largest = 2**23 - 1 if bdf else 2**15 - 1
    kind = pyedflib.FILETYPE_BDFPLUS if bdf else pyedflib.FILETYPE_EDFPLUS
    limits = {"min": -largest - 1, "max": largest}
    header = {f"{what}_{end}": limits[end] for what in ("physical", "digital") for end in limits}
    writer = pyedflib.EdfWriter(str(path), array.shape[1], kind)
    rates = rates or [RATE] * len(names)
    for i, (name, rate) in enumerate(zip(names, rates, strict=True)):
        writer.setSignalHeader(
            i,
            {"label": name, "dimension": "uV", "sample_frequency": rate, **header}
            | {"transducer": "", "prefilter": ""},
        )
    columns = [np.ascontiguousarray(array[:, i], np.int32) for i in range(array.shape[1])]
    writer.writeSamples(columns, digital=True)
    writer.close()


def save_audio(path, array):
    soundfile.write(path, array.astype("i2"), RATE, "PCM_16")


def save_wfdb(path, array, names=NAMES):
    wfdb.wrsamp(
        path.stem,
        fs=RATE,
        units=["g"] * len(names),
        sig_name=list(names),
        d_signal=array.astype("i8"),
        fmt=["16"] * len(names),
        adc_gain=[1] * len(names),
        baseline=[0] * len(names),
        write_dir=str(path.parent),
    )


def save_zarr(path, array):
    chunks = (max(16, len(array) // 16), 2)
    zarr.create_array(str(path), data=array, chunks=chunks, overwrite=True)


SAVERS = {
    "a.edf": save_edf,
    "a.bdf": save_edf,
    "a.wav": save_audio,
    "a.flac": save_audio,
    "a.hea": save_wfdb,
    "a.zarr": save_zarr,
}
NAMED = ("a.edf", "a.bdf", "a.hea")


@pytest.fixture(scope="module")
def signal():
    return np.random.default_rng(0).integers(-(2**15) + 1, 2**15, (400, 3)).astype("i2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, signal):
    folder = tmp_path_factory.mktemp("formats")
    for name, save in SAVERS.items():
        save(folder / name, signal)
    return folder


@pytest.mark.parametrize("name", SAVERS)
@given(data=st.data())
def test_any_piece_of_any_channels_is_read_as_it_was_written(folder, signal, name, data):
    chosen = data.draw(st.permutations(NAMES)) if name in NAMED else NAMES
    chosen = chosen[: data.draw(st.integers(1, 3))] if name in NAMED else chosen
    start = data.draw(st.integers(0, len(signal)))
    stop = data.draw(st.integers(start, len(signal)))
    with open_array(str(folder / name), None, chosen) as source:
        assert source.shape == (len(signal), len(chosen))
        for low, high in ((start, stop), (0, len(signal)), (start, start)):
            piece = source.read(low, high)
            assert piece.dtype == source.dtype
            expected = signal[low:high, [NAMES.index(channel) for channel in chosen]]
            np.testing.assert_array_equal(piece, expected)


@pytest.mark.parametrize("name", SAVERS)
def test_the_sampling_rate_is_told_where_the_file_has_one(folder, name):
    with open_array(str(folder / name)) as source:
        assert source.sampling_rate == (None if name == "a.zarr" else RATE)


def test_physical_units(tmp_path):
    """EDF and WFDB keep integers with a gain and an offset."""
    array = np.array([[0.0, 1], [0.5, -1], [-0.25, 0]] * RATE)
    writer = pyedflib.EdfWriter(str(tmp_path / "a.edf"), 2)
    header = {"sample_frequency": RATE, "transducer": "", "prefilter": "", "dimension": "mV"}
    limits = {"physical_min": -2, "physical_max": 2, "digital_min": -1000, "digital_max": 1000}
    for i, name in enumerate("ab"):
        writer.setSignalHeader(i, {"label": name, **header, **limits})
    writer.writeSamples([array[:, 0], array[:, 1]])
    writer.close()
    gains = {"adc_gain": [100, 10], "baseline": [5, -5], "fmt": ["16"] * 2, "units": ["mV"] * 2}
    stored = (array * gains["adc_gain"] + gains["baseline"]).round().astype(int)
    wfdb.wrsamp("a", RATE, sig_name=["a", "b"], d_signal=stored, write_dir=str(tmp_path), **gains)
    for name in ("a.edf", "a.hea"):
        with open_array(str(tmp_path / name)) as source:
            np.testing.assert_allclose(source.read(0, len(array)), array, atol=1e-12)


def test_invalid_samples_of_a_wfdb_record_are_nan(tmp_path, signal):
    stored = signal.copy()
    stored[7, 1] = -(2**15)  # what format 16 has for a sample that is missing
    save_wfdb(tmp_path / "a.hea", stored)
    with open_array(str(tmp_path / "a.hea")) as source:
        assert np.argwhere(np.isnan(source.read(0, 20))).tolist() == [[7, 1]]


def test_wfdb_records_of_several_segments(tmp_path, signal):
    save_wfdb(tmp_path / "one.hea", signal[:150])
    save_wfdb(tmp_path / "two.hea", signal[150:])
    (tmp_path / "all.hea").write_text(f"all/2 3 {RATE} 400\none 150\ntwo 250\n")
    path = str(tmp_path / "all.hea")
    with open_array(path, None, ["up", "left"]) as source:
        np.testing.assert_array_equal(source.read(100, 300), signal[100:300, [2, 0]])
    names = ["all.hea", "one.hea", "two.hea", "one.dat", "two.dat"]
    assert files_of(path) == [str(tmp_path / name) for name in names]


@pytest.mark.parametrize(
    ("subtype", "dtype", "factor"),
    [("PCM_U8", "i2", 1), ("PCM_24", "i4", 2**16), ("FLOAT", "f4", 1), ("DOUBLE", "f8", 1)],
)
def test_samples_of_other_widths(tmp_path, signal, subtype, dtype, factor):
    stored = signal // 256 * 256 if subtype == "PCM_U8" else signal
    soundfile.write(tmp_path / "a.wav", stored, RATE, subtype)
    with open_array(str(tmp_path / "a.wav")) as source:
        assert source.dtype == dtype
        np.testing.assert_array_equal(source.read(0, 400), stored.astype(dtype) * factor)


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_arrays_in_groups(tmp_path, signal, version):
    path = tmp_path / "a.zarr"
    group = zarr.create_group(str(path), zarr_format=version)
    group.create_group("night").create_array("eeg", data=signal.astype(">f8"), chunks=(64, 3))
    with open_array(f"{path}::/night/eeg") as source:
        np.testing.assert_array_equal(source.read(60, 130), signal[60:130])
    (file,) = files_of(f"{path}::/night/eeg")
    assert Path(file).is_file()


@pytest.mark.parametrize("name", SAVERS)
@pytest.mark.parametrize("change", ["touch", "cut", "remove"])
def test_a_file_that_changes_while_it_is_read(tmp_path, signal, name, change):
    SAVERS[name](tmp_path / name, signal)
    with open_array(str(tmp_path / name)) as source:
        file = source.watched()[-1]
        if change == "touch":
            os.utime(file, ns=(0, 0))
        elif change == "cut":
            os.truncate(file, 100)
        else:
            os.remove(file)
        with pytest.raises(MemwaveError, match=r"changed while it was read.*start again"):
            source.read(200, 400)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("name", SAVERS)
def test_an_extraction_keeps_to_the_predicted_memory(tmp_path, signal, name):
    rows, block_mb = 60_000, 4
    SAVERS[name](tmp_path / name, np.resize(signal, (rows, 3)))
    spec = make_spec(window=64, channels=3, dtype="float32")
    path, count = str(tmp_path / name), rows - spec.window + 1
    segment = Segment(PlannedRecording("r", path, None, rows), 0, count, 0)
    request = Extraction(
        replace(spec, channels=tuple(NAMES)), (segment,), extraction_rows(spec, block_mb)
    )
    limit = stage_mb(extraction_bytes(spec, block_mb) + library_bytes([path]))
    files = {"shard": tmp_path / "shard.npy"}
    ended = run_stage("extract_features", tmp_path, request, memory_mb=limit, **files)
    assert ended.status == 0, ended.told
    assert ended.usage["peak_anonymous_mb"] < limit
