"""A run of the workflow that scales channels and standardizes features."""

import csv

import h5py
import numpy as np
import pytest
from oracles import make_spec, oracle
from tiny_project import FEATURES, RECORDINGS, Project, recording, windows_of

from memwave.model_file import load_model


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


def test_another_scale_measures_the_channels_no_more(project):
    project.config["features"]["deep"]["scale"] = "zscore"
    project.write_config()
    rules = {job[0] for job in project.planned()}
    assert "extract_features" in rules
    assert "measure_channels" not in rules
