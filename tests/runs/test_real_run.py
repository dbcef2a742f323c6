"""Odd recordings through the workflow: right features, warnings, or one message for each."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile
import yaml
from real_files import edf, wfdb_record
from scipy.signal import resample_poly
from started import run_snakemake

ROOT = Path(__file__).parents[2]
PATIENCE = 300
ROWS = 40


def steps():
    return np.random.default_rng(1).integers(-100, 100, ROWS).astype("i1")


def write_recordings(folder):
    """Recordings of one channel, x, and the values that are right; by path."""
    counts = np.arange(ROWS, dtype="<i2")
    wfdb_record(folder, [f"r.dat 8 200/mV 12 0 -2047 0 0 {'x'}"], ROWS, r=steps().tobytes())
    edf(folder / "a.edf", counts[:, None], said=2, labels="x")
    with h5py.File(folder / "a.h5", "w") as file:
        stored = file.create_dataset("x", data=counts[:, None])
        stored.attrs.update(scale_factor=0.01, add_offset=5.0, _FillValue=np.int16(7))
    lines = [f"{i};{i},25" for i in range(ROWS)]
    (folder / "a.csv").write_text("a device\n" + "t;x\n" + "\n".join(lines) + "\n")
    soundfile.write(folder / "a.wav", (counts[:-1] - 20) / 32, 50, "PCM_24")
    scaled = np.where(counts == 7, np.nan, 5 + 0.01 * counts)
    return {
        "r.hea": (steps().astype(int).cumsum() - 2047) / 200,
        "a.edf": counts,
        "a.h5::/x": scaled,
        "a.csv": counts + 0.25,
        "a.wav": (counts[:-1].astype(float) - 20) * 2**26,
    }


def snakemake(folder, config, *arguments):
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    arguments = ("-s", str(ROOT / "Snakefile"), *arguments)
    return run_snakemake([*arguments], folder, dict(os.environ), PATIENCE)


def config_of(datasets):
    return {
        "datasets": datasets,
        "features": {
            "f": {
                "window": 2,
                "level": 1,
                "bands": ["a1"],
                "layout": "interleaved",
                "dtype": "float64",
            }
        },
        "models": {"m": {"solver": "covariance", "n_components": 1}},
        "experiments": [{"dataset": name, "features": "f", "model": "m"} for name in datasets],
        "plots": False,
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    values = write_recordings(folder)
    lines = [f"r{i}\t{path}\t{'1' * (path == 'a.csv')}" for i, path in enumerate(values)]
    (folder / "sheet.tsv").write_text("recording\tpath\tskip_lines\n" + "\n".join(lines) + "\n")
    fast = np.random.default_rng(0).integers(-999, 999, (600, 1))
    two_rates(folder / "two.edf", fast)
    (folder / "two.tsv").write_text("recording\tpath\ntwo\ttwo.edf\n")
    odd = {"recordings": "sheet.tsv", "channels": ["x"], "missing": "drop", "decimal": ","}
    two = {"recordings": "two.tsv", "channels": ["slow", "fast"], "sampling_rate": 50}
    config = config_of({"odd": odd | {"sampling_rate": 50}, "two": two | {"resample": "polyphase"}})
    # The recordings have several rates, which do not matter here.
    (folder / "sheet.tsv").write_text(
        "recording\tpath\tskip_lines\tsampling_rate\n"
        + "\n".join(f"{line}\t50" for line in lines)
        + "\n"
    )
    done = snakemake(folder, config, "--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, values, fast, done.stderr


def two_rates(path, fast):
    """EDF of a signal of 50 Hz and one of 25 Hz, every other sample of it."""
    edf(path, np.zeros((len(fast), 2)), samples=50, labels=["fast", "slow"])
    content = bytearray(path.read_bytes())
    at = 256 + 2 * (16 + 80 + 5 * 8 + 80) + 8
    content[at : at + 8] = b"25      "
    records = fast.reshape(-1, 50).astype("<i2")
    content[768:] = b"".join(r.tobytes() + np.ascontiguousarray(r[::2]).tobytes() for r in records)
    path.write_bytes(content)


def features(values):
    """Haar approximations of windows of two rows, without those that touch a missing value."""
    windows = np.stack([values[i : i + 2].ravel() for i in range(len(values) - 1)])
    whole = windows[~np.isnan(windows).any(1)]
    return (whole[:, 0::2] + whole[:, 1::2]) / np.sqrt(2)


def stored(folder, dataset):
    return np.load(folder / f"results/{dataset}/f/features/1-of-1.npy")


def test_values_are_right(run):
    folder, values, *_ = run
    expected = [features(np.asarray(column, float)[:, None]) for column in values.values()]
    np.testing.assert_allclose(stored(folder, "odd"), np.vstack(expected), rtol=1e-6)


def test_warnings_say_what_is_odd(run):
    told = run[-1]
    assert 'recording "r1": its header announces 2 records, the file holds 10' in told
    assert 'recording "r2": its attributes are applied' in told
    assert "the sheet says 50, which is used" in told


def test_channels_of_several_rates_are_brought_to_one(run):
    folder, _, fast, _ = run
    slow = resample_poly(fast[::2, 0].astype(float), 2, 1)
    expected = features(np.stack([slow, fast[:, 0]], 1))
    np.testing.assert_allclose(stored(folder, "two"), expected, atol=1e-9)


def test_what_cannot_be_read_is_refused_before_anything_runs(tmp_path):
    edf(tmp_path / "a.edf", np.zeros((20, 1)), labels="x", duration=0, reserved="EDF+C")
    with open(tmp_path / "a.npy", "wb") as file:
        np.save(file, np.zeros((12, 1)))
        np.save(file, np.zeros((12, 1)))
    (tmp_path / "a.csv").write_text('t,x,note\n0,1,"5 min\n1,2,ok\n2,3,late"\n3,4,ok\n')
    paths = ("a.edf", "a.npy", "a.csv")
    lines = [f"{path}\t{path}" for path in paths]
    (tmp_path / "sheet.tsv").write_text("recording\tpath\n" + "\n".join(lines) + "\n")
    config = config_of({"odd": {"recordings": "sheet.tsv", "channels": ["x"]}})
    done = snakemake(tmp_path, config, "--dry-run")
    assert done.returncode == 1
    assert "3 problems" in done.stderr
    for words in ("duration of a record is 0", "announces 12 rows", "opens in line 2"):
        assert words in done.stderr
    assert not (tmp_path / "results").exists()
