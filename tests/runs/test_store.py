"""Feature sets that are not stored: the same models and projections, and no feature file."""

import h5py
import numpy as np
import pytest
from tiny_project import Project

MODELS = ["signal", "wide"]
# Features are rounded to single precision, and so are products with them.
ROUNDING = 1e-5


# Windows hardly longer than their edges, projected by blocks of features, and others, by signal.
SHAPES = {
    "blocks": {"scale": "zscore"},
    "signal": {"window": 60, "level": 1, "bands": ["d1", "a1"], "dtype": "float64"},
}


@pytest.fixture(scope="module", params=SHAPES)
def projects(request, tmp_path_factory):
    """Finished runs that store features, and that do not."""
    found = {}
    for store in (True, False):
        project = Project(tmp_path_factory.mktemp("run") / "project", MODELS)
        project.config["features"]["deep"] |= {"store": store} | SHAPES[request.param]
        project.write_config()
        done = project.snakemake("--cores", "2")
        assert done.returncode == 0, done.stderr[-4000:]
        found[store] = project
    return found


def test_no_feature_is_written(projects):
    assert projects[True].result("features/1-of-2.npy").exists()
    assert not projects[False].result("features").exists()
    assert not projects[False].result("usage/extract_features").exists()


@pytest.mark.parametrize("model", MODELS)
def test_models_are_the_same(projects, model):
    with (
        h5py.File(projects[True].result(f"{model}/model.h5")) as stored,
        h5py.File(projects[False].result(f"{model}/model.h5")) as unstored,
    ):
        for name in ("components", "mean", "explained_variance", "channel_scale"):
            if name in stored:
                assert stored[name][()].tobytes() == unstored[name][()].tobytes()


@pytest.mark.parametrize("model", MODELS)
def test_projections_are_the_same_within_rounding(projects, model):
    with (
        h5py.File(projects[True].result(f"{model}/projection.h5")) as stored,
        h5py.File(projects[False].result(f"{model}/projection.h5")) as unstored,
    ):
        assert set(stored) == set(unstored)
        scale = np.abs(stored["scores"][()]).max()
        for name in ("scores", "reconstruction_error", "captured_variance"):
            power = 1 if name == "scores" else 2
            np.testing.assert_allclose(
                unstored[name][()], stored[name][()], rtol=0, atol=ROUNDING * scale**power
            )
        for name in ("recording", "start_row", "split", "label", "residual"):
            assert (stored[name][()] == unstored[name][()]).all()


def test_solvers_find_the_same_components(projects):
    """By the lag sums, and by products of the signal, of the train windows only."""
    for project in projects.values():
        models = [h5py.File(project.result(f"{model}/model.h5")) for model in MODELS]
        signal, wide = ((m["components"][()], m["explained_variance"][()]) for m in models)
        np.testing.assert_allclose(wide[1], signal[1], rtol=0, atol=1e-9 * signal[1][0])
        cosines = np.abs(np.vecdot(wide[0], signal[0]))
        np.testing.assert_allclose(cosines, 1, rtol=0, atol=1e-9)
        assert models[0].attrs["n_samples"] == models[1].attrs["n_samples"]
        for name in ("mean", "residual"):
            scale = np.abs(models[0][name][()]).max() + signal[1][0]
            np.testing.assert_allclose(models[1][name], models[0][name], atol=1e-8 * scale)
        for model in models:
            model.close()


def test_a_solver_that_reads_features_is_refused(tmp_path):
    project = Project(tmp_path / "project", ["signal", "exact"])
    project.config["features"]["deep"]["store"] = False
    project.write_config()
    done = project.snakemake("--dry-run")
    assert done.returncode != 0
    assert (
        "features.deep.store: false, but models.exact (solver covariance) reads the features. "
        "Use solver lag-covariance or lag-randomized, which do not, or store: true."
    ) in done.stderr
    assert "Traceback" not in done.stderr


def test_auto_chooses_what_needs_no_features(tmp_path):
    project = Project(tmp_path / "project", ["signal"])
    project.config["features"]["deep"]["store"] = False
    project.config["models"]["signal"] = {"solver": "auto", "n_components": 4}
    project.write_config()
    rules = {job[0] for job in project.planned()}
    assert {"summarize_lags", "fit_model", "project_recordings"} < rules
    assert not rules & {"extract_features", "summarize_features", "project_features"}
