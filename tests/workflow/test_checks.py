"""What is found before the first job: all at once, each with place, expectation and remedy."""

import copy
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check

ROOT = Path(__file__).parents[2]


def test_a_right_configuration_gives_the_recordings(project):
    project.label(np.zeros(40, np.int8), np.zeros(30, np.uint16))
    project.rows[1]["split"], project.rows[0]["split"] = "test", "train"
    checked = project.check()
    assert list(checked.recordings) == ["pilot"]
    one, two = checked.recordings["pilot"]
    assert (one.name, one.rows, one.split, two.rows, two.split) == ("one", 40, "train", 30, "test")
    assert one.path == str(project.folder / "one.npy")
    assert one.dtype is None
    assert two.labels == str(project.folder / "two.labels.npy")
    assert checked.warnings == ()


def test_all_formats_together(project):
    np.zeros((9, 2), ">i2").tofile(project.folder / "three.bin")
    with h5py.File(project.folder / "four.h5", "w") as store:
        store["signal"], store["labels"] = np.zeros((11, 2), "u1"), np.zeros(11, "i8")
    project.rows += [
        {"recording": "three", "path": "three.bin", "dtype": ">i2"},
        {"recording": "four", "path": "four.h5::/signal", "labels": "four.h5::/labels"},
    ]
    project.label(np.zeros(40, int), np.zeros(30, int), np.zeros(9, int))
    assert [r.rows for r in project.check().recordings["pilot"]] == [40, 30, 9, 11]


def test_what_no_experiment_uses_is_left_alone(project):
    project.config["datasets"]["later"] = {"recordings": "none.tsv", "channels": ["x"]}
    project.config["features"]["later"] = {"window": 8, "wavelet": "none"}
    project.config["models"]["later"] = {"solver": "covariance", "n_components": 1000}
    assert list(project.check().recordings) == ["pilot"]


def test_inputs_are_left_as_they_are(project):
    project.write_sheet()
    config = settings.complete(project.config)
    before = copy.deepcopy(config), {p: p.read_bytes() for p in project.folder.iterdir()}
    check(config)
    assert before == (config, {p: p.read_bytes() for p in project.folder.iterdir()})


@pytest.mark.parametrize("path", ["config/config.yaml", "config/examples/original.yaml"])
def test_shipped_configurations_can_run(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    complete = settings.complete(yaml.safe_load(Path(path).read_text()))
    checked = check(complete)
    assert [r.rows for r in checked.recordings["hapt"]] == [20598, 18026, 15888]
    assert not checked.warnings


def test_everything_is_reported_together(project):
    project.config["datasets"]["other"] = {"recordings": "gone.tsv", "channels": ["x", "y"]}
    project.config["features"]["bad"] = {"window": 8, "wavelet": "harr"}
    project.config["models"]["exact"]["n_components"] = 9
    project.config["shards"] = 60
    project.config["experiments"] = [
        {"dataset": ["pilot", "other"], "features": ["haar", "bad"], "model": "exact"}
    ]
    findings = project.findings()
    assert len(findings) == len(set(findings)) == 4
    for words in ("gone.tsv", "features.bad.wavelet", "models.exact.n_components", "shards: 60"):
        assert any(words in finding for finding in findings)
