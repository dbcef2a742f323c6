"""A few shards that follow from the size of the features: one job does their short steps."""

import shutil
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from tiny_project import Project

ROWS, GAP = 111_000, slice(70_000, 70_003)
# 600 features a window, so that all are more than a shard of 256 MB.
FEATURES = {"window": 400, "wavelet": "haar", "level": 1, "bands": ["d1"], "layout": "per-channel"}
STORED, UNSTORED = "toy/stored/exact", "toy/unstored/signal"
# Of shards that are asked for.
JOBS = {
    ("summarize_features", STORED),
    ("summarize_lags", UNSTORED),
    ("project_features", STORED),
    ("project_recordings", UNSTORED),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What was planned, and the results, of shards from the size of the features and of two."""
    folder = tmp_path_factory.mktemp("few")
    project = Project(folder / "project", ["exact", "signal"])
    rows = np.random.default_rng(7).standard_normal((ROWS, 3)).cumsum(axis=0)
    rows[GAP] = np.nan
    np.save(project.folder / "recordings/long.npy", rows.astype("float32"))
    (project.folder / "config/toy.tsv").write_text("recording\tpath\nlong\trecordings/long.npy\n")
    config = project.config
    config["datasets"]["toy"]["missing"] = "drop"
    config["features"] = {
        "stored": FEATURES | {"dtype": "float32"},
        "unstored": FEATURES | {"dtype": "float32", "store": False},
    }
    config["experiments"] = [
        dict(zip(("dataset", "features", "model"), name.split("/"), strict=True))
        for name in (STORED, UNSTORED)
    ]
    found = []
    for shards in ("auto", 2):
        config["shards"] = shards
        project.write_config()
        planned = {job[:2] for job in project.planned() if job[-1].endswith("-of-2")}
        done = project.snakemake("--cores", "2")
        assert done.returncode == 0, done.stderr[-4000:]
        assert project.planned() == set()
        copy = folder / str(shards)
        shutil.copytree(project.folder / "results", copy)
        found.append(SimpleNamespace(planned=planned, folder=copy))
    return found


def test_only_long_steps_have_jobs_for_each_shard(runs):
    few, asked = (run.planned & JOBS for run in runs)
    assert few == {("summarize_features", STORED)}
    assert asked == JOBS - few
    assert ("extract_features", "toy/stored") in runs[0].planned


@pytest.mark.parametrize("name", [STORED, UNSTORED])
def test_results_are_those_of_jobs_for_each_shard(runs, name):
    models, projections = (
        [run.folder / name / file for run in runs] for file in ("model.h5", "projection.h5")
    )
    assert models[0].read_bytes() == models[1].read_bytes()
    with h5py.File(projections[0]) as few, h5py.File(projections[1]) as asked:
        assert len(few["scores"]) == ROWS - 400 + 1 - (400 + 2)
        assert set(few) == set(asked)
        for column in few:
            np.testing.assert_array_equal(few[column][()], asked[column][()])
        assert dict(few.attrs) == dict(asked.attrs)
    for file in ("limits.tsv", "alarms.tsv", "contributions.h5"):
        assert len({(run.folder / name / file).read_bytes() for run in runs}) == 1, file
