"""What is found about sizes: components, windows, shards, and memory."""

import numpy as np
import pytest

from memwave.core.errors import ConfigurationError
from memwave.features.spec import FeatureSpec
from memwave.workflow.config import settings
from memwave.workflow.planning.jobs.job import Job
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages
from memwave.workflow.planning.plan import make_plan
from memwave.workflow.planning.resources import memory_mb


def test_more_components_than_features(project):
    project.config["models"]["exact"]["n_components"] = 9
    project.refused("models.exact.n_components: found 9", "haar has 8 features", "at most 8")


def test_as_many_components_as_features_are_allowed(project):
    project.config["models"]["exact"]["n_components"] = 8
    project.check()


def test_more_components_than_train_windows_allow(project):
    project.config["features"]["haar"]["step"] = 16
    project.rows[0]["split"], project.rows[1]["split"] = "train", "test"
    project.refused("models.exact.n_components: found 3", "3 train windows", "Use at most 2.")
    project.config["models"]["exact"]["n_components"] = 2
    project.check()


def test_one_train_window_is_not_enough(project):
    project.config["features"]["haar"]["window"] = 40
    project.config["shards"] = project.config["models"]["exact"]["n_components"] = 1
    project.refused("found 1", "1 train windows", "Add recordings to split train")


def test_more_shards_than_windows(project):
    project.config["features"]["haar"]["step"] = 16
    project.config["shards"] = 6
    project.refused("shards: 6 shards", "the 5 windows of pilot/haar", "Use at most 5")
    project.config["shards"] = 5
    project.check()


def test_short_recordings_are_warned_of(project):
    project.config["features"]["haar"]["window"] = 32
    (warning,) = project.check().warnings
    assert '"two" has 30 rows' in warning
    assert "features.haar (32 rows)" in warning


def test_short_train_recordings_are_an_error(project):
    project.rows[0]["split"], project.rows[1]["split"] = "test", "train"
    project.config["features"]["haar"]["window"] = 32
    project.refused("features.haar.window", "no train recording", '"two", has 30', "at most 30")


def needs(project, **changes):
    """Prediction for the only experiment, and the largest need in it."""
    complete = settings.complete(project.config)
    spec = FeatureSpec.from_settings(complete["features"]["haar"], ["x", "y"])
    sizes = {"shards": 1} | {key: complete[key] for key in ("block_mb", "threads")} | changes
    return predict_stages(spec, complete["models"]["exact"], Sizes(**sizes, together=True))


def test_a_stage_over_the_limit_is_told_the_block_that_fits(project):
    least, most = (max(needs(project, block_mb=mb).values()) for mb in (8, 64))
    assert least < most
    project.config |= {"block_mb": 64, "max_mem_mb": least}
    stages = {stage for stage, need in needs(project).items() if need > least}
    findings = project.findings()
    assert len(findings) == len(stages)
    for stage, finding in zip(sorted(stages), sorted(findings), strict=True):
        assert finding.startswith(f"max_mem_mb: stage {stage} of pilot/haar with exact needs ")
        block = int(finding.split("With block_mb: ")[1].split(" ")[0])
        assert needs(project, block_mb=block)[stage] <= least < needs(project)[stage]
        assert needs(project, block_mb=2 * block)[stage] > least
    project.config["block_mb"] = 8
    project.check()


def test_a_fit_over_the_limit_is_told_the_solvers_that_fit(project):
    project.save("one.npy", np.zeros((9000, 2)))
    project.config["features"]["haar"]["window"] = 4000
    least = needs(project, block_mb=1)["fit_model"]
    project.config["max_mem_mb"] = least - 1
    (finding,) = [f for f in project.findings() if "stage fit_model" in f]
    assert f"with block_mb: 1, is {least} MB: raise max_mem_mb to {least}" in finding
    assert "use solver incremental (" in finding
    assert "use solver covariance" not in finding


def test_a_stage_that_models_share_is_reported_once(project):
    project.config["models"]["again"] = dict(project.config["models"]["exact"])
    project.config["experiments"][0]["model"] = ["exact", "again"]
    project.config["max_mem_mb"] = 1
    findings = project.findings()
    assert len(findings) == len(needs(project))
    assert all("of pilot/haar with exact, again needs" in finding for finding in findings)


def test_figures_count_only_where_they_are_drawn(project):
    project.config |= {"max_mem_mb": 150, "block_mb": 1}
    project.check()
    project.config["plots"] = True
    (finding,) = project.findings()
    assert "plot_experiment of pilot/haar/exact needs" in finding
    assert "plots: false" in finding


def test_conversions_over_the_limit(project):
    (project.folder / "one.csv").write_text("x,y,state\n" + "1,2,walk\n" * 40)
    project.rows[0] |= {"path": "one.csv", "labels": "one.csv::state"}
    project.rows[1]["recording_label"] = "walk"
    project.config["datasets"]["pilot"]["channels"] = ["x", "y"]
    project.config["max_mem_mb"] = 120
    findings = [finding for finding in project.findings() if "stage convert" in finding]
    assert ["convert_recordings" in finding for finding in findings] == [True, False]
    assert all("one.csv" in finding and "max_mem_mb is 120" in finding for finding in findings)


def test_the_rows_of_a_matrix_count_for_a_solver_that_reads_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.zeros((3000, 50), "float32"))
    config = {
        "datasets": {"x": {"matrix": "x.npy"}},
        "models": {"rows": {"solver": "gram", "n_components": 2}},
        "experiments": [{"dataset": "x", "model": "rows"}],
        "plots": False,
    }
    plan = make_plan(config | {"max_mem_mb": 10_000})
    need = memory_mb(plan, "fit_model", Job("fit_model", "x", "matrix", "rows"))
    with pytest.raises(ConfigurationError, match=f"fit_model of x/matrix .* needs {need} MB"):
        make_plan(config | {"max_mem_mb": need - 1})
    make_plan(config | {"max_mem_mb": need})
