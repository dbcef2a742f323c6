"""Recordings in a notebook: from a file to scores, and back."""

import doctest
from dataclasses import replace

import h5py
import numpy as np
import pytest
from oracles import make_spec, oracle
from scipy.signal import resample_poly

import memwave
from memwave.api.recordings import functions
from memwave.results.model_file import load_model, save_model

CHANGES = {"window": 16, "level": 2, "bands": ["a2", "d2", "d1"], "layout": "per-channel"}


@pytest.fixture
def recording(tmp_path):
    rows = np.random.default_rng(0).normal(size=(300, 3))
    np.save(tmp_path / "monday.npy", rows)
    return tmp_path / "monday.npy", rows


def test_features_are_those_of_the_workflow(recording, tmp_path):
    path, rows = recording
    spec = make_spec(channels=3, dtype="float64", **CHANGES)
    keys = {key: getattr(spec, key) for key in ("window", "step", "wavelet", "level", "layout")}
    keys |= {"bands": list(spec.bands), "mode": spec.mode, "dtype": spec.dtype}
    found = memwave.extract_features(path, tmp_path / "f.npy", block_mb=0.01, **keys)
    assert isinstance(found, np.memmap)
    expected = oracle(rows, spec, spec.windows.count(300))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    fitted = memwave.PCA(3).fit(found)
    assert fitted.n_samples_ == len(expected)


def test_scores_and_the_way_back(recording, tmp_path):
    path, rows = recording
    spec = make_spec(channels=3, dtype="float64", **CHANGES)
    features = oracle(rows, spec, spec.windows.count(300))
    memwave.PCA(spec.n_features).fit(features).save(tmp_path / "matrix.h5")
    model = load_model(tmp_path / "matrix.h5")
    save_model(tmp_path / "model.h5", model, spec.feature_table(), {}, None, spec)
    memwave.project(tmp_path / "model.h5", path, tmp_path / "p.h5")
    with h5py.File(tmp_path / "p.h5") as file:
        expected = memwave.load_model(tmp_path / "model.h5").transform(features)
        np.testing.assert_allclose(file["scores"][:], expected, atol=1e-4)
    again = memwave.reconstruct(
        tmp_path / "model.h5", tmp_path / "p.h5", "monday", tmp_path / "again.npy"
    )
    np.testing.assert_allclose(again, rows[: len(again)], atol=1e-4)
    for call in (
        lambda: memwave.project(tmp_path / "model.h5", path, path),
        lambda: memwave.reconstruct(tmp_path / "model.h5", path, "monday", path),
        lambda: memwave.extract_features(path, path, window=16),
    ):
        with pytest.raises(memwave.MemwaveError, match="is read for it, expected another file"):
            call()
    np.testing.assert_array_equal(np.load(path), rows)
    for wrong in ({"step": 0}, {"step": -1}, {"step": 2.5}, {"sampling_rate": 0.0}):
        (name,) = wrong
        with pytest.raises(memwave.MemwaveError, match=f"^{name} is .*, expected a .*number"):
            memwave.project(tmp_path / "model.h5", path, tmp_path / "never.h5", **wrong)
    with pytest.raises(memwave.MemwaveError, match="fitted to the columns of a matrix"):
        memwave.project(tmp_path / "matrix.h5", path, tmp_path / "q.h5")


def test_a_recording_whose_channels_have_several_rates(tmp_path):
    """A WFDB record with 100 samples a second of one channel and 50 of another, projected at 50."""
    rows = np.random.default_rng(0).integers(-999, 999, (300, 3)).astype("<i2")
    (tmp_path / "r.dat").write_bytes(rows.tobytes())
    (tmp_path / "r.hea").write_text(
        "r 2 50 300\nr.dat 16x2 100/mV 16 0 0 0 0 fast\nr.dat 16 100/mV 16 0 0 0 0 slow\n"
    )
    spec = replace(make_spec(channels=2, dtype="float64", **CHANGES), channels=("slow", "fast"))
    fast = resample_poly(rows[:, :2].ravel() / 100, 1, 2)
    together = np.stack([rows[:, 2] / 100, fast], axis=1)
    features = oracle(together, spec, spec.windows.count(300))
    memwave.PCA(spec.n_features).fit(features).save(tmp_path / "matrix.h5")
    dataset = {"channels": ["slow", "fast"], "sampling_rate": 50, "resample": "polyphase"}
    made_by = {"configuration": {"datasets": {"mine": dataset}}}
    model = load_model(tmp_path / "matrix.h5")
    save_model(tmp_path / "model.h5", model, spec.feature_table(), made_by, None, spec)
    memwave.project(tmp_path / "model.h5", tmp_path / "r.hea", tmp_path / "p.h5")
    with h5py.File(tmp_path / "p.h5") as file:
        expected = memwave.load_model(tmp_path / "model.h5").transform(features)
        np.testing.assert_allclose(file["scores"][:], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"window": 0}, "window: found 0, expected a whole number"),
        ({"window": 16, "wavlet": "haar"}, 'wavlet: unknown key. Did you mean "wavelet"'),
        ({"window": 16, "wavelet": "morl"}, "wavelet: .*continuous"),
        ({"window": 16, "channels": ["a"]}, "has 3 columns, expected 1"),
        ({"window": 301}, "has 300 rows, expected at least a window of 301"),
        ({"window": 1, "level": 1, "layout": "interleaved"}, "an odd number.*one feature too many"),
    ],
)
def test_what_cannot_be_extracted_is_refused(recording, tmp_path, keys, message):
    path, _ = recording
    with pytest.raises(memwave.MemwaveError, match=message):
        memwave.extract_features(path, tmp_path / "f.npy", **keys)
    assert not (tmp_path / "f.npy").exists()


def test_the_example_of_the_help_runs():
    results = doctest.testmod(functions)
    assert results.attempted >= 6
    assert results.failed == 0
