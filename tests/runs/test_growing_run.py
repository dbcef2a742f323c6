"""Datasets that grow: what is repeated, and that results are those of a run from nothing."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from tiny_project import MODELS, Project, labels_of, recording
from xxhash import xxh3_64_intdigest

from memwave.workflow.planning.jobs.batches import BATCHES

# Each pair is a run of its own, which has fewer jobs.
GROWING = (("exact", "signal"), ("incremental", "wide"))
SHARD_STAGES = {
    "exact": "summarize_features",
    "incremental": "summarize_features",
    "signal": "summarize_lags",
}


def values(name):
    """Content of a recording, from its name alone."""
    random = np.random.default_rng(sum(name.encode()))
    return np.cumsum(random.normal(size=(150, 3)), axis=0).astype(np.float32)


def write(project, names, suffix="npy"):
    """Give a project these recordings, in this order; files that are there are left alone."""
    lines = ["recording\tpath\tlabels\tsplit"]
    for name in names:
        path = project.folder / f"recordings/{name}.{suffix}"
        if not path.exists() and suffix == "npy":
            np.save(path, values(name))
        elif not path.exists():
            np.savetxt(path, values(name), delimiter=",", header="x,y,z", comments="")
        labels = path.with_suffix(".labels.npy")
        if not labels.exists():
            np.save(labels, labels_of(150))
        split = "test" if name.endswith("day") else "train"
        columns = (f"recordings/{path.name}", f"recordings/{labels.name}", split)
        lines.append("\t".join([name, *columns]))
    (project.folder / "config/toy.tsv").write_text("\n".join(lines) + "\n")


def growing(folder, names, models, **config):
    project = Project(folder, list(models))
    project.config |= {"shards": "by-recording", "keep_summaries": True} | config
    project.write_config()
    write(project, names)
    return project


def run(project):
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    return project.results()


def of_shards(jobs):
    """Jobs that read recordings or features to extract or summarize them."""
    stages = {"extract_features", *SHARD_STAGES.values()}
    return {job for job in jobs if job[0] in stages}


def expected(*shards, models):
    found = {("extract_features", "toy/deep", shard) for shard in shards}
    stages = {(s, f"toy/deep/{m}") for m, s in SHARD_STAGES.items() if m in models}
    return found | {(*stage, shard) for stage in stages for shard in shards}


@pytest.fixture(scope="module", params=GROWING, ids="-".join)
def grown(request, tmp_path_factory):
    """A project of two recordings that has run, its results, and its models."""
    models = request.param
    project = growing(tmp_path_factory.mktemp("growing") / "project", ["a", "sunday"], models)
    return project, run(project), models


def test_a_recording_is_added_and_removed(grown, tmp_path):
    project, before, models = grown
    write(project, ["a", "b 2", "sunday"])
    planned = project.planned()
    new = next(job[2] for job in of_shards(planned))
    assert new.startswith("b-2-")
    assert of_shards(planned) == expected(new, models=models)
    for model in models:
        assert ("fit_model", f"toy/deep/{model}") in planned
        assert ("write_projection", f"toy/deep/{model}") in planned
    after = run(project)
    fresh = run(growing(tmp_path / "fresh", ["a", "b 2", "sunday"], models))
    assert after == fresh

    write(project, ["a", "sunday"])
    assert of_shards(project.planned()) == set()
    left = run(project)
    assert {name: left[name] for name in before} == before
    assert all(new in name for name in left.keys() - before.keys())
    assert project.planned() == set()
    (project.folder / "recordings/b 2.npy").unlink()
    assert "belong to no result" in told_by(project, "verify_results")


@pytest.mark.parametrize("kept", [True, False])
def test_a_second_recording_is_added_and_removed(tmp_path, kept):
    """Only kept summaries have jobs for one shard, and for lag sums."""
    models = ["exact", "signal"]
    project = growing(tmp_path / "project", ["a"], models, keep_summaries=kept)
    assert ("project_features", "toy/deep/exact", "a.1") not in project.planned()
    before = run(project)
    write(project, ["a", "b"])
    again = expected("b.1", models=models if kept else ["exact"])
    if not kept:
        again.add(("summarize_features", "toy/deep/exact", "a.1"))
    assert of_shards(project.planned()) == again
    after = run(project)
    assert after == run(growing(tmp_path / "fresh", ["a", "b"], models, keep_summaries=kept))
    write(project, ["a"])
    left = run(project)
    assert {name: left[name] for name in before} == before
    assert "2 experiments and their inputs are as they were" in told_by(project, "verify_results")
    assert project.planned() == set()


def told_by(project, script):
    """Output of a script that succeeds."""
    command = [sys.executable, f"scripts/{script}.py"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_changed_recording_replaces_its_part(grown):
    project, _, models = grown
    path = project.folder / "recordings/a.npy"
    np.save(path, values("a") + recording(0)[:150])
    assert of_shards(project.planned()) == expected("a.1", models=models)
    np.save(path, values("a"))
    assert project.planned() == set()


def test_converted_recordings_keep_their_places(tmp_path):
    """A job converts several texts; each stays as it is when others are added, changed or gone."""
    models = ["exact"]
    project = growing(tmp_path / "project", [], models, block_mb=1)
    project.config["datasets"]["toy"]["missing"] = "drop"
    project.write_config()
    write(project, ["a", "c", "z"], "csv")
    run(project)
    converted = project.folder / "results/toy/recordings"
    before = {name: (converted / name).stat().st_ino for name in ("a.npy", "c.npy", "z.npy")}

    write(project, ["a", "b", "c"], "csv")  # a job converts both a and b
    assert batch_of(project, "a") == batch_of(project, "b") != batch_of(project, "c")
    path = project.folder / "recordings/c.csv"
    path.write_text(path.read_text() + "1,2,3\n" * 2)
    np.save(path.with_suffix(".labels.npy"), labels_of(152))
    assert of_shards(project.planned()) == expected("b.1", "c.1", models=models)
    left = run(project)
    assert (converted / "a.npy").stat().st_ino == before["a.npy"]
    assert (converted / "c.npy").stat().st_ino != before["c.npy"]
    assert project.planned() == set()

    other = growing(tmp_path / "other", [], models, block_mb=1)
    other.config["datasets"]["toy"]["missing"] = "drop"
    other.write_config()
    write(other, ["a", "b", "c"], "csv")
    for suffix in ("csv", "labels.npy"):
        shutil.copyfile(path.with_suffix(f".{suffix}"), other.folder / f"recordings/c.{suffix}")
    fresh = run(other)
    assert {name: left[name] for name in fresh} == fresh

    # The job of a and b is repeated without b; fits are, and nothing that is of a.
    write(project, ["a", "c"], "csv")
    planned = project.planned()
    assert ("convert_recordings", "toy", f"csv.{batch_of(project, 'a') + 1}") in planned
    assert ("fit_model", "toy/deep/exact") in planned
    assert of_shards(planned) == set()
    extracted = {("extract_features", "toy/deep", f"{name}.1") for name in "ac"}
    assert project.planned("--forcerun", "extract_features") >= extracted

    write(project, ["a", "b", "c"], "csv")
    assert project.planned() == set()
    for file in project.folder.glob("recordings/z.*"):  # it was removed from the sheet above
        file.unlink()
    assert "belong to no result" in told_by(project, "verify_results")
    assert "/recordings/z.npy" in told_by(project, "clean_stale")
    assert not list(project.folder.glob("results/**/z.*"))
    assert "belong to no result" not in told_by(project, "verify_results")
    assert project.planned() == set()

    # What is missing is converted again only if a job reads it.
    (converted / "a.npy").unlink()
    assert project.planned() == set()
    (project.folder / "results/toy/deep/features/a.1.npy").unlink()
    project.result("exact/model.h5").unlink()
    project.result("exact/summaries/a.1.h5").unlink()
    assert {job[0] for job in project.planned()} >= {"convert_recordings", "extract_features"}


def batch_of(project, name):
    """Number of the job that converts a small recording."""
    return xxh3_64_intdigest(name.encode()) % BATCHES


def test_the_growing_models_are_those_of_other_runs():
    assert {name for models in GROWING for name in models} < set(MODELS)
