"""A fitted model projects a recording by itself, as the workflow does, and refuses what differs."""

import os
import subprocess
import sys
from dataclasses import asdict

import h5py
import numpy as np
import pytest
from fitting import fit
from oracles import make_spec, oracle
from tiny_run import ROOT

from memwave.api.recordings.projecting import project_recording
from memwave.api.recordings.reconstructing import distances, reconstruct_recording
from memwave.core.errors import MemwaveError
from memwave.recordings.channels import Scaling
from memwave.results.extraction import load_extraction
from memwave.results.model_file import load_model, save_model
from memwave.results.projection_file import open_projection


def run_command(*arguments):
    command = [sys.executable, "-m", "memwave", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A recording, and a model with all components of all bands of its scaled channels."""
    folder = tmp_path_factory.mktemp("fitted")
    changes = {"window": 16, "level": 2, "bands": ["a2", "d2", "d1"], "layout": "per-channel"}
    spec = make_spec(channels=3, scale="zscore", step=3, **changes)
    recording = np.random.default_rng(0).normal(size=(400, 3)) * [1, 40, 0.1] + [5, 0, 9]
    scaling = Scaling(recording.mean(axis=0), recording.std(axis=0))
    features = oracle(scaling.apply(recording), spec, 129)
    model = fit("covariance", [features], n_components=spec.n_features)
    table, path = spec.feature_table(), folder / "model.h5"
    save_model(path, model, table, {"made": "here"}, scaling, spec)
    np.save(folder / "monday.npy", recording)
    return folder, spec, (features - model.mean) @ model.components.T


def test_how_features_are_made_is_kept(fitted):
    folder, spec, _ = fitted
    found, scaling = load_extraction(folder / "model.h5")
    assert asdict(found) == asdict(spec)
    assert scaling is not None
    assert scaling.scale.shape == (3,)


@pytest.mark.parametrize("block_mb", [0.01, 32])
def test_scores_are_those_of_the_features(fitted, tmp_path, block_mb):
    folder, _, expected = fitted
    out = tmp_path / "out.h5"
    project_recording(
        model_path=folder / "model.h5",
        recording=str(folder / "monday.npy"),
        projection=out,
        score_dtype="float64",
        block_mb=block_mb,
    )
    with open_projection(out) as file:
        np.testing.assert_allclose(file["scores"][:], expected, rtol=0, atol=1e-9)
        assert list(file["recording_names"].asstr()) == ["monday"]
        np.testing.assert_array_equal(file["start_row"][:], np.arange(129) * 3)
        assert (file["split"][:] == 1).all()
        assert file.attrs["reconstruction_error_test"] == pytest.approx(0, abs=1e-12)


def test_all_scores_of_all_bands_give_back_the_recording(fitted, tmp_path):
    folder, _, _ = fitted
    model, original = folder / "model.h5", str(folder / "monday.npy")
    paths = {"model_path": model, "projection": tmp_path / "projection.h5"}
    project_recording(recording=original, score_dtype="float64", **paths)
    for block_mb in (0.01, 32):
        reconstruct_recording(
            recording="monday", output=tmp_path / "again.npy", block_mb=block_mb, **paths
        )
        again = np.load(tmp_path / "again.npy")
        np.testing.assert_allclose(again, np.load(original)[: len(again)], rtol=0, atol=1e-9)
    lost = distances(original, tmp_path / "again.npy", ("a", "b", "c"))
    np.testing.assert_allclose(lost, 0, atol=1e-20)


def test_a_recording_of_the_workflow_gets_the_same_scores(tiny_results, tmp_path):
    folder = tiny_results / "results/hapt/haar/exact"
    out = tmp_path / "out.h5"
    ended = run_command("transform", folder / "model.h5", tiny_results / "user04-run2.npy", out)
    assert ended.returncode == 0, ended.stderr
    with open_projection(out) as file, open_projection(folder / "projection.h5") as other:
        mine = other["recording"][:] == 2
        scores = other["scores"][:][mine]
        # The workflow projects in float64, a transform in the type of the features.
        np.testing.assert_allclose(file["scores"][:], scores, atol=1e-6 * np.abs(scores).max())
        ours, theirs = file["reconstruction_error"][:], other["reconstruction_error"][:][mine]
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    again = tmp_path / "again.npy"
    original = tiny_results / "user04-run2.npy"
    arguments = ("--recording", "user04-run2", "--original", original)
    ended = run_command("inverse", folder / "model.h5", out, again, *arguments)
    assert ended.returncode == 0, ended.stderr
    assert "share of each channel's variance that is lost" in ended.stdout
    assert np.load(again).shape == np.load(original).shape


def test_what_does_not_fit_the_model_is_refused(fitted, tmp_path):
    folder, spec, _ = fitted
    np.save(tmp_path / "narrow.npy", np.zeros((90, 2)))
    np.save(tmp_path / "short.npy", np.zeros((15, 3)))
    np.save(tmp_path / "gap.npy", np.where(np.arange(60)[:, None] == 41, np.nan, np.ones((60, 3))))
    for name, words in {
        "narrow": r"shape \(90, 2\), expected rows x 3: .*model.h5 has the channels a, b, c",
        "short": "has 15 rows, expected at least 16, the window of the model",
        "gap": "row 41, channel a is nan",
    }.items():
        with pytest.raises(MemwaveError, match=words):
            project_recording(
                model_path=folder / "model.h5",
                recording=str(tmp_path / f"{name}.npy"),
                projection=tmp_path / "out.h5",
            )
        assert not (tmp_path / "out.h5").exists()
    ended = run_command("transform", folder / "model.h5", tmp_path / "gone.npy", tmp_path / "o.h5")
    assert ended.returncode == 1
    assert "gone.npy: No such file or directory" in ended.stderr
    assert "Traceback" not in ended.stderr
    model = load_model(folder / "model.h5")
    save_model(tmp_path / "old.h5", model, spec.feature_table(), {})
    with pytest.raises(MemwaveError, match="does not contain the specification of its features"):
        load_extraction(tmp_path / "old.h5")


def test_a_recording_in_far_larger_units_is_refused(tmp_path):
    spec = make_spec(window=16, channels=3, dtype="float16")
    recording = np.random.default_rng(0).normal(size=(100, 3))
    model = fit("covariance", [oracle(recording, spec, 85)], n_components=4)
    save_model(tmp_path / "model.h5", model, spec.feature_table(), {}, None, spec)
    paths = {"model_path": tmp_path / "model.h5", "projection": tmp_path / "out.h5"}
    np.save(tmp_path / "volts.npy", recording * 1e-6)
    with pytest.raises(MemwaveError, match=r"'volts'.*float16 loses digits"):
        project_recording(recording=str(tmp_path / "volts.npy"), **paths)
    assert not (tmp_path / "out.h5").exists()
    np.save(tmp_path / "microvolts.npy", recording)
    project_recording(recording=str(tmp_path / "microvolts.npy"), **paths)


def test_a_recording_that_was_not_projected_is_named(fitted, tmp_path):
    folder, _, _ = fitted
    paths = {"model_path": folder / "model.h5", "projection": tmp_path / "projection.h5"}
    project_recording(recording=str(folder / "monday.npy"), **paths)
    with pytest.raises(MemwaveError, match=r"no recording 'tuesday', but \['monday'\]"):
        reconstruct_recording(recording="tuesday", output=tmp_path / "x.npy", **paths)
    assert not (tmp_path / "x.npy").exists()
    with h5py.File(folder / "model.h5") as file:
        assert "extraction" in file.attrs
