"""What is found about models that are applied, or that scale channels."""

import shutil

import numpy as np
import pytest
from checked_project import HAAR

from memwave.core.errors import ConfigurationError
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check


@pytest.mark.parametrize("kind", ["gone", "recording"])
def test_a_model_that_scales_is_read_before_the_run(project, kind):
    path = project.folder / f"{kind}.h5"
    if kind == "recording":
        shutil.copy(project.folder / "one.npy", path)
    project.config["features"]["haar"] |= {"layout": "per-channel", "scale": str(path)}
    (finding,) = project.findings()
    assert finding.startswith(f"features.haar.scale: {path}: ")


@pytest.mark.parametrize("kind", ["gone", "folder", "recording"])
def test_a_model_to_apply_that_is_none_is_not_to_be_deleted(project, kind):
    (project.folder / "folder.h5").mkdir()
    shutil.copy(project.folder / "one.npy", project.folder / "recording.h5")
    reasons = {
        "gone": "No such file, expected a model.h5",
        "folder": "is a folder, expected a model.h5",
        "recording": "It is not a whole model.h5: copy it again",
    }
    path = project.folder / f"{kind}.h5"
    project.config["models"]["exact"] = {"apply": str(path)}
    (finding,) = project.findings()
    assert finding.startswith(f"models.exact.apply: {path}: ")
    assert reasons[kind] in finding
    assert "rm " not in finding


FITTED = "results/pilot/haar/exact/model.h5"


@pytest.fixture
def applied(project, monkeypatch):
    """A model that is fitted and applied to other features of its kind, in one configuration."""
    monkeypatch.chdir(project.folder)
    project.config["features"]["again"] = HAAR | {"step": 2}
    project.config["models"]["old"] = {"apply": f"./{FITTED}"}
    project.config["models"]["older"] = {"apply": "results/pilot/again/old/model.h5"}
    project.config["experiments"] += [
        {"dataset": "pilot", "features": "again", "model": ["older", "old"]}
    ]
    return project


@pytest.mark.parametrize("n_components", [2, 3, 0.9])
def test_a_model_that_is_fitted_here_is_applied_as_it_is_configured(applied, n_components):
    """Whatever its file is, which may be missing, or that of an earlier configuration."""
    file = applied.folder / FITTED
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a model of before")
    applied.config["models"]["exact"] = {"solver": "covariance", "n_components": n_components}
    found = applied.check().models
    fitted = found["pilot", "haar", "exact"]
    for name, path in (("old", f"./{FITTED}"), ("older", "results/pilot/again/old/model.h5")):
        options = found["pilot", "again", name]
        assert options["apply"] == path
        for key in ("solver", "n_components", "select"):
            assert options.get(key) == fitted.get(key)
        assert not options["standardize"]


def test_features_are_compared_with_those_that_a_model_is_fitted_to(applied):
    applied.config["features"]["haar"]["window"] = 16
    findings = applied.findings()
    assert len(findings) == 2
    assert "was fitted with window 16, and features.again has 8" in findings[0]
    applied.config["features"]["again"]["window"] = 16
    applied.config["features"]["haar"]["scale"] = "zscore"
    assert "another scaling, expected features.again.scale: " in applied.findings()[0]
    for scale in (FITTED, f"./{FITTED}"):
        applied.config["features"]["again"]["scale"] = scale
        assert applied.check()
    applied.config["features"]["haar"]["scale"] = "none"
    assert "channels that were not scaled" in applied.findings()[0]


def test_models_that_are_applied_to_each_other_have_no_file(applied):
    applied.config["models"]["old"] = {"apply": "results/pilot/again/older/model.h5"}
    assert all("No such file, expected a model.h5" in finding for finding in applied.findings())


def test_columns_are_compared_with_those_that_a_model_is_fitted_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, width in (("first", 4), ("second", 5)):
        np.save(f"{name}.npy", np.random.default_rng(0).normal(size=(40, width)))
    config = {
        "datasets": {name: {"matrix": f"{name}.npy"} for name in ("first", "second")},
        "models": {
            "exact": {"solver": "covariance", "n_components": 2},
            "old": {"apply": "results/first/matrix/exact/model.h5"},
        },
        "experiments": [
            {"dataset": "first", "model": "exact"},
            {"dataset": "second", "model": "old"},
        ],
        "plots": False,
    }
    with pytest.raises(ConfigurationError, match="fitted to 4 columns, and the matrix has 5"):
        check(settings.complete(config))
    np.save("second.npy", np.zeros((9, 4)))
    assert check(settings.complete(config)).models["second", "matrix", "old"]["n_components"] == 2
