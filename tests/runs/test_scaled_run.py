"""A run of the workflow that scales channels and standardizes features."""

import copy
import csv

import h5py
import numpy as np
import pytest
from oracles import make_spec, oracle
from tiny_project import FEATURES, RECORDINGS, Project, recording, windows_of

from memwave.core.errors import ConfigurationError
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("scaled") / "run", ["exact"])
    project.config["features"]["deep"]["scale"] = "robust"
    project.config["models"]["exact"]["standardize"] = True
    project.write_config()
    ended = project.snakemake("--cores", "2")
    assert ended.returncode == 0, ended.stderr
    return project


def scaled_features():
    """Features of all windows, of channels scaled by their quartiles in split train."""
    train = [recording(i) for i, row in enumerate(RECORDINGS) if row[3] == "train"]
    low, centre, high = np.quantile(np.concatenate(train), [0.25, 0.5, 0.75], axis=0)
    spec = make_spec(channels=3, **FEATURES)
    scaled = [(recording(i) - centre) / (high - low) for i in range(len(RECORDINGS))]
    parts = [oracle(rows, spec, n) for rows, n in zip(scaled, windows_of(), strict=True)]
    mask = np.repeat([row[3] == "train" for row in RECORDINGS], windows_of())
    return np.vstack(parts), mask, centre, high - low


def test_features_and_model_are_those_of_the_scaled_channels(project):
    features, train, centre, spread = scaled_features()
    np.testing.assert_allclose(project.features(), features, rtol=1e-5, atol=1e-5)
    model = load_model(project.result("exact/model.h5"))
    values = np.linalg.eigvalsh(np.corrcoef(features[train].T))[::-1]
    np.testing.assert_allclose(model.explained_variance, values[:4], rtol=1e-5)
    with h5py.File(project.result("exact/model.h5")) as file:
        np.testing.assert_allclose(file["channel_centre"][:], centre, rtol=1e-6)
        np.testing.assert_allclose(file["channel_spread"][:], spread, rtol=1e-6)
    assert model.total_variance == pytest.approx(features.shape[1], rel=1e-5)


def test_the_summary_has_the_stages_that_measure(project):
    with open(project.folder / "results/summary.tsv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    for stage in ("measure_channels", "measure_features"):
        assert float(row[f"{stage}_peak_mb"]) <= float(row[f"{stage}_predicted_mb"])


def test_the_model_is_applied_to_channels_scaled_as_its_own(project):
    path = "results/toy/deep/exact/model.h5"
    complete = project.config
    project.config = copy.deepcopy(complete)
    project.config["features"]["again"] = complete["features"]["deep"] | {"scale": path}
    project.config["models"]["old"] = {"apply": path}
    project.config["experiments"] = [{"dataset": "toy", "features": "again", "model": "old"}]
    project.write_config()
    ended = project.snakemake("--cores", "2")
    assert ended.returncode == 0, ended.stderr
    folder = project.folder / "results/toy/again/old"
    assert (folder / "model.h5").read_bytes() == project.result("exact/model.h5").read_bytes()
    with (
        open_projection(folder / "projection.h5") as applied,
        open_projection(project.result("exact/projection.h5")) as fitted,
    ):
        np.testing.assert_allclose(applied["scores"][:], fitted["scores"][:], atol=1e-5)
        np.testing.assert_array_equal(applied["label"][:], fitted["label"][:])
        assert (applied["split"][:] == 1).all()
        assert np.isnan(applied["captured_variance"][:]).all()
        assert "reconstruction_error_train" not in applied.attrs
        assert applied.attrs["reconstruction_error_test"] < 1
    with open(project.folder / "results/summary.tsv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert row["reconstruction_error_train"] == ""
    project.config = complete
    assert float(row["adopt_model_peak_mb"]) <= float(row["adopt_model_predicted_mb"])


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({"window": 30}, "fitted with window 24, and features.again has 30"),
        ({"bands": ["a2"]}, "fitted with bands ['a2', 'd1'], and features.again has ['a2']"),
        ({"scale": "none"}, "expected features.again.scale: results/toy/deep/exact/model.h5"),
        ({"scale": "gone.h5"}, "features.again.scale: gone.h5: No such file, expected a model.h5"),
    ],
)
def test_a_model_of_other_features_is_refused(project, monkeypatch, features, words):
    path = "results/toy/deep/exact/model.h5"
    config = copy.deepcopy(project.config)
    config["features"]["again"] = config["features"]["deep"] | {"scale": path} | features
    config["models"] = {"old": {"apply": path}}
    config["experiments"] = [{"dataset": "toy", "features": "again", "model": "old"}]
    monkeypatch.chdir(project.folder)
    with pytest.raises(ConfigurationError) as caught:
        check(settings.complete(config))
    assert words in str(caught.value)


def test_a_model_that_is_applied_has_no_options(project):
    project.config["models"]["old"] = {"apply": "model.h5", "n_components": 3}
    with pytest.raises(ConfigurationError, match=r"models.old.n_components: unknown key.* apply"):
        settings.complete(project.config)
    project.config["models"]["old"] = {"apply": "model.txt"}
    with pytest.raises(ConfigurationError, match=r"models.old.apply: .* the path of a model.h5"):
        settings.complete(project.config)
    project.config["models"]["old"] = {}
    with pytest.raises(ConfigurationError, match=r"models.old.solver: missing"):
        settings.complete(project.config)
    del project.config["models"]["old"]


def test_another_scale_measures_the_channels_no_more(project):
    project.config["features"]["deep"]["scale"] = "zscore"
    project.write_config()
    rules = {job[0] for job in project.planned()}
    assert "extract_features" in rules
    assert "measure_channels" not in rules
