"""One experiment over every format: the same recording gives the same features, bit for bit."""

import os
from functools import partial
from pathlib import Path

import field_files
import h5py
import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
import test_formats
import test_mat
import test_tables
import yaml
from started import run_snakemake

ROOT = Path(__file__).parents[2]
CHANNELS = ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]
RATE, SECONDS, STEP, WINDOW = test_formats.RATE, 60, 16, 128
PATIENCE = 300


def save_npy(path, array):
    np.save(path, array)


def save_raw(path, array):
    array.tofile(path)


def save_hdf5(path, array):
    with h5py.File(path, "w") as file:
        file.create_dataset("night/x", data=array, chunks=(100, 2), compression="gzip")


def save_arrow(path, array, write):
    write(test_tables.table_of(array, CHANNELS), str(path))


def write_ipc(table, path):
    with pyarrow.ipc.new_file(path, table.schema) as file:
        file.write_table(table)


named = {"names": CHANNELS}
save_csv = partial(test_tables.save_csv, **named)
# By path as in the sheet; the first is what the others are compared with.
FORMATS = {
    "a.npy": save_npy,
    "a.dat": save_raw,
    "a.h5::/night/x": save_hdf5,
    "a.edf": partial(test_formats.save_edf, **named),
    "a.bdf": partial(test_formats.save_edf, **named),
    "b.hea": partial(test_formats.save_wfdb, **named),
    "a.wav": test_formats.save_audio,
    "a.flac": test_formats.save_audio,
    "a.zarr": test_formats.save_zarr,
    "a.csv": save_csv,
    "a.tsv": partial(save_csv, delimiter="\t"),
    "a.csv.gz": save_csv,
    "a.tsv.gz": partial(save_csv, delimiter="\t"),
    "a.parquet": partial(save_arrow, write=pyarrow.parquet.write_table),
    "a.feather": partial(save_arrow, write=pyarrow.feather.write_feather),
    "a.arrow": partial(save_arrow, write=write_ipc),
    "packed.mat::x": test_mat.save_packed,
    "plain.mat::x": test_mat.save_plain,
    "new.mat::x": test_mat.save_hdf5,
    "a.npz::x": lambda path, array: np.savez_compressed(path, x=array),
    "a.nwb": field_files.save_nwb,
    "a.txt": partial(save_csv, delimiter="\t"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder in which one experiment has run on a minute of one recording, in every format."""
    folder = tmp_path_factory.mktemp("same")
    recording = np.load(ROOT / "resources/hapt/user01-run1.npy")[: SECONDS * RATE]
    # Integers of 16 bits, which every format holds; EDF holds nothing else.
    array = np.round(recording * 8000).astype("i2")
    lines = ["recording\tpath\tdtype"]
    for i, (path, save) in enumerate(FORMATS.items()):
        save(folder / path.split("::")[0], array)
        lines.append(f"r{i}\t{path}\t{'int16' if path == 'a.dat' else ''}")
    (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
    config = {
        "datasets": {
            "all": {"recordings": "sheet.tsv", "channels": CHANNELS, "sampling_rate": RATE}
        },
        "features": {"haar": {"window": WINDOW, "step": STEP, "dtype": "float64"}},
        "models": {"exact": {"solver": "covariance", "n_components": 5}},
        "experiments": [{"dataset": "all", "features": "haar", "model": "exact"}],
        "shards": 2,
        "plots": False,
    }
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    arguments = ["--cores", "2", "-s", str(ROOT / "Snakefile")]
    done = run_snakemake(arguments, folder, dict(os.environ), PATIENCE)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "results/all/haar"


def test_every_format_gives_the_same_features(results):
    features = np.concatenate([np.load(results / f"features/{i}-of-2.npy") for i in (1, 2)])
    windows = (SECONDS * RATE - WINDOW) // STEP + 1
    blocks = features.reshape(len(FORMATS), windows, -1)
    assert np.unique(blocks[0], axis=0).shape[0] == windows
    different = [
        path for path, block in zip(FORMATS, blocks, strict=True) if not (block == blocks[0]).all()
    ]
    assert not different


def test_every_format_gives_the_same_scores(results):
    with h5py.File(results / "exact/projection.h5") as file:
        scores, recording = file["scores"][()], file["recording"][()]
    first = scores[recording == 0]
    for i in range(len(FORMATS)):
        np.testing.assert_array_equal(scores[recording == i], first)
