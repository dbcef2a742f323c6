"""Features in one shard: fits and projections read it themselves, with the same results."""

import json
import os
import shutil
import signal
from dataclasses import dataclass, field

import h5py
import numpy as np
import pytest
from faults import FaultyRun, build, fault
from tiny_project import FEATURES, PATIENCE, Project, recording

from memwave.readers.contents import contents_checksum

# Stored features, features that are not stored, a matrix: each misses rows, which are dropped.
EXPERIMENTS = (
    "toy/deep/exact",
    "toy/deep/incremental",
    "toy/unstored/signal",
    "table/matrix/exact",
)
# Stages of single shards, other than those that make them.
OF_SHARDS = {"summarize_features", "summarize_lags", "project_features", "project_recordings"}
# Sums over the rows of other shards are rounded otherwise.
ROUNDING = 1e-5


def of_shards(folder, shards):
    project = Project(folder, ["exact", "incremental", "signal"])
    rows = recording(0)
    rows[100:103] = np.nan
    project.save(0, rows)
    np.save(project.folder / "recordings/table.npy", rows)
    toy, config = project.config["datasets"]["toy"], project.config
    config["datasets"]["toy"] = toy | {"missing": "drop"}
    config["datasets"]["table"] = {"matrix": "recordings/table.npy", "missing": "drop"}
    for model in config["models"].values():
        model["n_components"] = 2
    config["features"]["unstored"] = {**FEATURES, "scale": "zscore", "store": False}
    config["experiments"] = [
        {"dataset": "toy", "features": "deep", "model": ["exact", "incremental"]},
        {"dataset": "toy", "features": "unstored", "model": "signal"},
        {"dataset": "table", "model": "exact"},
    ]
    config["shards"] = shards
    project.write_config()
    return project


def run(project, *arguments):
    done = project.snakemake("--cores", "2", *arguments)
    assert done.returncode == 0, done.stderr[-4000:]
    return project.results()


@dataclass
class Runs:
    """A project that ran with one shard, with two, and with one again.

    Attributes
    ----------
    planned : list of set of tuple
        Jobs of each run.
    results : list of dict
        Digests after each run.
    copies : list of Path
        Of the results after each run.
    """

    project: Project
    planned: list = field(default_factory=list)
    results: list = field(default_factory=list)
    copies: list = field(default_factory=list)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    found = Runs(of_shards(folder / "project", 1))
    for number, shards in enumerate((1, 2, 1)):
        found.project.config["shards"] = shards
        found.project.write_config()
        found.planned.append(found.project.planned())
        found.results.append(run(found.project))
        assert found.project.verify().returncode == 0
        assert found.project.planned() == set()
        found.copies.append(folder / str(number))
        shutil.copytree(found.project.folder / "results", found.copies[number])
    return found


def test_only_several_shards_have_jobs_that_summarize_and_project(runs):
    for planned, expected in zip(runs.planned, (set(), OF_SHARDS, set()), strict=True):
        assert {job[0] for job in planned} & OF_SHARDS == expected
        written = {job[1] for job in planned if job[0] == "write_projection"}
        assert written == set(EXPERIMENTS)
    used = {path.parent.name for path in runs.copies[0].glob("**/usage/*/*.json")}
    assert "extract_features" in used
    assert not used & OF_SHARDS


def test_one_shard_again_gives_the_same_and_no_part_is_left(runs):
    assert runs.results[2].items() >= runs.results[0].items()
    parts = [name.split("/")[-2] for name in runs.results[2] if "-of-2" in name]
    assert set(parts) == {"features", "gaps"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_projections_are_those_of_two_shards(runs, name):
    paths = [folder / name / "projection.h5" for folder in runs.copies]
    with h5py.File(paths[0]) as ours, h5py.File(paths[1]) as theirs:
        assert set(ours) == set(theirs)
        assert len(ours["scores"]) > 100
        scale = np.abs(theirs["scores"][()]).max()
        for dataset in ours:
            mine, others = ours[dataset][()], theirs[dataset][()]
            if mine.dtype.kind == "f":
                np.testing.assert_allclose(mine, others, rtol=1e-4, atol=ROUNDING * scale**2)
            else:
                np.testing.assert_array_equal(mine, others)


def test_checksums_of_what_is_read_are_those_of_the_files(runs):
    for folder in runs.copies[:2]:
        for name in EXPERIMENTS:
            inputs = json.loads((folder / name / "provenance.json").read_text())["inputs"]
            assert inputs
            for file, checksum in inputs.items():
                given = file.partition("::")[0]
                assert checksum == contents_checksum(str(runs.project.folder / given)), file


def test_a_projection_made_again_has_the_same_bytes(runs):
    assert run(runs.project, "--forcerun", "write_projection") == runs.results[2]


def test_a_changed_recording_is_projected_anew(runs):
    project = runs.project
    path = project.folder / "recordings/wednesday.npy"
    rows = np.load(path)
    np.save(path, rows + 1)
    unstored = {job for job in project.planned() if job[1:] == ("toy/unstored/signal",)}
    assert {job[0] for job in unstored} >= {"fit_model", "write_projection"}
    np.save(path, rows)
    assert project.planned() == set()


def test_a_summary_that_is_kept_gives_the_same_models(runs):
    project = runs.project
    project.config["keep_summaries"] = True
    project.write_config()
    summarized = {job[1] for job in project.planned() if job[0].startswith("summarize_")}
    assert summarized == set(EXPERIMENTS)
    after = run(project)
    assert after.items() >= runs.results[0].items()
    assert "toy/deep/exact/summaries/1-of-1.h5" in after
    del project.config["keep_summaries"]
    project.write_config()
    assert not {job[0] for job in project.planned()} & OF_SHARDS


def test_one_shard_is_projected_onto_an_applied_model(runs):
    project, config = runs.project, runs.project.config
    shutil.copy(project.result("exact/model.h5"), project.folder / "model.h5")
    config["models"]["applied"] = {"apply": "model.h5"}
    config["experiments"].append({"dataset": "toy", "features": "deep", "model": "applied"})
    project.write_config()
    assert {job[0] for job in project.planned()} & {"adopt_model", *OF_SHARDS} == {"adopt_model"}
    run(project)
    assert project.verify().returncode == 0
    paths = [project.result(f"{name}/projection.h5") for name in ("exact", "applied")]
    with h5py.File(paths[0]) as fitted, h5py.File(paths[1]) as applied:
        scores = fitted["scores"][()]
        allowed = ROUNDING * np.abs(scores).max()
        np.testing.assert_allclose(applied["scores"][()], scores, rtol=0, atol=allowed)
        assert (applied["split"][()] == 1).all()
        assert np.isnan(applied["captured_variance"][()]).all()


def test_a_job_that_is_killed_while_it_projects_leaves_nothing(tmp_path, runs):
    project = of_shards(tmp_path / "project", 1)
    # It has projected, and is about to name its file.
    held = "toy/unstored/signal/.projection.h5."
    running = FaultyRun(project, fault(build(tmp_path), "fsync", held, "stop"))
    os.kill(running.stopped_job(), signal.SIGKILL)
    assert running.process.wait(PATIENCE) != 0
    folder = project.folder / "results/toy/unstored/signal"
    assert not (folder / "projection.h5").exists()
    assert list(folder.glob(".projection.h5.partial-*"))
    assert run(project) == runs.results[0]
    assert not list(project.folder.rglob("results/**/.*partial*"))
