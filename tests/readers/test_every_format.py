"""What holds for every format that has a reader: pieces are those of the whole, and ``init``."""

import gc
import os
import weakref
from pathlib import Path

import field_files
import h5py
import numpy as np
import pytest
import test_formats
import test_mat
import test_tables
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from memwave.cli import main
from memwave.readers import FORMATS, ArraySource, open_source

NAMES, ROWS = ["left", "right", "up"], 300
VALUES = np.random.default_rng(0).integers(-3000, 3000, (ROWS, 3)).astype("i2")


def save_hdf5(path, array):
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=array, chunks=(64, 2), compression="gzip")


def save_npz(path, array):
    np.savez_compressed(path, x=array)


def save_mseed(path, array):
    obspy = pytest.importorskip("obspy")
    traces = field_files.seed(path, [0, 0, 0], rows=ROWS)
    for trace, name, values in zip(traces, NAMES, array.T, strict=True):
        trace.data, trace.stats.channel = values.astype("i4"), name[:3].upper()
    obspy.Stream(traces).write(str(path), format="MSEED")


def save_xdf(path, array):
    pytest.importorskip("pyxdf")
    field_files.xdf(path)


# By the name of its reader: the path of a recording, how it is written, and names of channels.
SAVED = {
    "npy": ("a.npy", np.save, None),
    "raw": ("a.dat", lambda path, array: array.tofile(path), None),
    "hdf5": ("a.h5::/X", save_hdf5, None),
    "h5ad": ("a.h5ad", save_hdf5, None),
    "zarr": ("a.zarr", test_formats.save_zarr, None),
    "mat": ("a.mat::x", test_mat.save_packed, None),
    "csv": ("a.csv", test_tables.save_csv, NAMES),
    "parquet": ("a.parquet", test_tables.save_parquet, NAMES),
    "arrow": ("a.feather", test_tables.save_feather, NAMES),
    "edf": ("a.edf", test_formats.save_edf, NAMES),
    "wfdb": ("a.hea", test_formats.save_wfdb, NAMES),
    "audio": ("a.flac", test_formats.save_audio, None),
    "npz": ("a.npz::x", save_npz, None),
    "nwb": ("a.nwb", field_files.save_nwb, None),
    "tdms": ("a.tdms", field_files.save_tdms, NAMES),
    "xdf": ("a.xdf", save_xdf, NAMES),
    "mne": ("a_raw.fif", field_files.save_fif, NAMES),
    "obspy": ("a.mseed", save_mseed, ["LEF", "RIG", "UP"]),
}
# Formats that have another unit, or other values.
SCALED = {"mne": 1e-6}
RATES = {"csv", "parquet", "arrow", "npy", "npz", "raw", "hdf5", "h5ad", "zarr", "mat"}


def test_every_reader_is_tested():
    assert set(SAVED) == set(FORMATS.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("every")


def expected_of(name):
    values = field_files.VALUES if name == "xdf" else VALUES
    return values * SCALED.get(name, 1)


def read(path, channels, start, stop):
    dtype = "<i2" if path.endswith(".dat") else None
    with open_source(path, dtype, channels) as source:
        if isinstance(source, ArraySource):
            return source.read(start, stop)
    return test_tables.read_all(path, channels)[start:stop]


@pytest.mark.parametrize("name", SAVED)
@settings(max_examples=20)
@given(data=st.data())
def test_any_piece_of_any_channels_is_that_of_the_whole(folder, name, data):
    place, save, names = SAVED[name]
    file = folder / place.split("::")[0]
    if not file.exists():
        save(file, VALUES)
    expected = expected_of(name)
    columns = list(range(3))
    if names:
        columns = data.draw(st.permutations(columns))[: data.draw(st.integers(1, 3))]
    channels = [(names or NAMES)[column] for column in columns]
    start = data.draw(st.integers(0, len(expected)))
    stop = data.draw(st.integers(start, len(expected)))
    piece = read(f"{folder}/{place}", channels if names or name == "raw" else None, start, stop)
    np.testing.assert_allclose(piece, expected[start:stop, columns], rtol=1e-12)


@pytest.mark.parametrize("name", SAVED)
def test_the_memory_of_a_file_is_free_once_it_is_closed(folder, name):
    """A cycle of references would keep it until Python happens to look for cycles."""
    place, save, names = SAVED[name]
    if not (folder / place.split("::")[0]).exists():
        save(folder / place.split("::")[0], VALUES)
    dtype = "<i2" if name == "raw" else None
    gc.collect()
    gc.disable()
    try:
        with open_source(f"{folder}/{place}", dtype, names or (NAMES if dtype else None)) as source:
            kept = weakref.ref(source)
        del source
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("name", SAVED)
def test_init_knows_the_format(tmp_path, monkeypatch, name):
    """``memwave init`` writes a configuration of a plan, with names and rate of the file."""
    monkeypatch.chdir(tmp_path)
    place, save, names = SAVED[name]
    save(tmp_path / place.split("::")[0], VALUES)
    shape = ["--dtype", "int16", "--columns", "3"] if name == "raw" else []
    assert main(["init", place, "--window", "16", *shape]) == 0
    dataset = yaml.safe_load(Path("mine.yaml").read_text())["datasets"]["mine"]
    assert dataset["channels"] == (names or ["channel1", "channel2", "channel3"])
    rate = None if name in RATES else field_files.RATE
    assert dataset.get("sampling_rate") == (rate and pytest.approx(rate))
    assert os.path.abspath(place) in Path("mine.tsv").read_text()
