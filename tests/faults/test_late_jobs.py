"""Jobs that outlive their run, results of another plan, and what one stage writes for another."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from faults import FaultyRun, build, fault, go_on
from tiny_project import Project, digests

OTHER_WAVELET = "db3"


def small(folder, models=("exact",), **config):
    """A project of one shard."""
    project = Project(folder, list(models))
    project.config |= {"shards": 1} | config
    project.write_config()
    return project


def run(project, *arguments):
    done = project.snakemake("--cores", "2", *arguments)
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def change(project, wavelet=OTHER_WAVELET):
    project.config["features"]["deep"]["wavelet"] = wavelet
    project.write_config()


def copied(finished, folder):
    """A copy of a finished project, to be spoilt."""
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project.found(folder)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build(tmp_path_factory.mktemp("preloaded"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = small(tmp_path_factory.mktemp("finished") / "project")
    run(project)
    return project


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The results of the other plan."""
    project = small(tmp_path_factory.mktemp("other") / "project")
    change(project)
    run(project)
    return project


@pytest.mark.parametrize("late", ["features/.1-of-1.npy.", "exact/.model.h5."])
def test_a_job_that_outlives_its_run_replaces_nothing(tmp_path, library, other, late):
    project = small(tmp_path / "project")
    # It has written and is about to name its file.
    early = FaultyRun(project, fault(library, "fsync", late, "stop"))
    job = early.outlived_by_a_job()
    change(project)
    run(project, "--unlock")
    run(project)
    go_on(job)
    assert "not wanted any more" in early.log.read_text()
    assert project.results() == other.results()
    assert not list(project.folder.rglob("results/**/.*partial*"))
    assert project.planned() == set()
    assert project.verify().returncode == 0


def test_a_file_named_late_is_found_by_its_reader_by_verify_and_by_the_next_run(
    tmp_path, library, other
):
    project = small(tmp_path / "project")
    # It has asked whether the file is wanted, and gets its name after the other run.
    early = FaultyRun(project, fault(library, "rename", "exact/model.h5", "stop"))
    job = early.outlived_by_a_job()
    change(project)
    run(project, "--unlock")
    run(project)
    go_on(job)
    assert project.results() != other.results()
    told = project.verify()
    assert told.returncode == 1
    assert "results/toy/deep/exact/model.h5: " in told.stdout
    assert ("fit_model", "toy/deep/exact") in project.planned()
    run(project)
    assert project.results() == other.results()
    assert project.verify().returncode == 0


def test_results_of_another_plan_are_remade_without_what_snakemake_remembers(
    tmp_path, finished, other
):
    project = copied(finished, tmp_path / "project")
    shutil.rmtree(project.folder / ".snakemake")
    assert project.planned() == set()
    change(project)
    assert ("extract_features", "toy/deep", "1-of-1") in project.planned()
    done = run(project)
    assert "belong to another plan, or have changed" in done.stderr
    assert project.results() == other.results()
    assert project.planned() == set()


REMADE = {
    "model.h5": "fit_model",
    "projection.h5": "write_projection",
    "provenance.json": "write_projection",
    "alarms.tsv": "write_projection",
}


@pytest.mark.parametrize("name", REMADE)
def test_what_is_missing_is_found_and_remade(tmp_path, finished, name):
    project = copied(finished, tmp_path / "project")
    project.result(f"exact/{name}").unlink()
    told = project.verify()
    assert told.returncode == 1
    assert f"results/toy/deep/exact/{name}: " in told.stdout
    assert (REMADE[name], "toy/deep/exact") in project.planned()


def test_a_missing_page_of_the_summary_is_remade(tmp_path, finished):
    """A report shows it."""
    project = copied(finished, tmp_path / "project")
    (project.folder / "results/summary.html").unlink()
    assert project.planned() == {("write_summary",)}


def test_a_figure_that_the_configuration_does_not_ask_for_may_be_a_target(tmp_path, finished):
    project = copied(finished, tmp_path / "project")
    assert project.config["plots"] is False
    run(project, "results/toy/deep/exact/plots/spectrum.svg")
    assert project.result("exact/plots/spectrum.svg").exists()
    assert project.verify().returncode == 0


def test_an_edited_provenance_is_found_and_remade(tmp_path, finished):
    project = copied(finished, tmp_path / "project")
    path = project.result("exact/provenance.json")
    facts = json.loads(path.read_text())
    facts["configuration"]["features"]["deep"]["wavelet"] = OTHER_WAVELET
    path.write_text(json.dumps(facts, indent=1) + "\n")
    told = project.verify()
    assert told.returncode == 1
    assert "results/toy/deep/exact/provenance.json: " in told.stdout
    assert ("write_projection", "toy/deep/exact") in project.planned()


def test_an_experiment_that_was_left_behind_is_found(tmp_path):
    project = small(tmp_path / "project", ["exact", "randomized"])
    run(project)
    assert project.verify().returncode == 0
    change(project)
    project.config["experiments"][0]["model"] = ["exact"]
    project.write_config()
    run(project)
    told = project.verify()
    assert told.returncode == 1
    assert re.search(
        r"deep/randomized/model.h5: was made of another \S+ than there is", told.stdout
    )
    assert "deep/exact/" not in told.stdout.split("To remake")[0]


def test_a_cluster_takes_the_plan_of_the_run(tmp_path, monkeypatch, capsys, finished):
    from memwave.workflow.rules.opening import open_rules

    def open_as_job(config):
        return open_rules(
            config,
            is_planning=False,
            submits=lambda: True,
            repeat=lambda files: None,
            ancient=str,
            as_it_is=str,
        )

    project = copied(finished, tmp_path / "project")
    monkeypatch.chdir(project.folder)
    edited = json.loads(json.dumps(project.config))
    edited["features"]["deep"]["wavelet"] = OTHER_WAVELET
    assert open_as_job(edited).plan.settings["features"]["deep"]["wavelet"] == "db2"
    (project.folder / ".snakemake/memwave/plan.pickle").unlink()
    with pytest.raises(SystemExit):
        open_as_job(edited)
    assert "Start the run again" in capsys.readouterr().err


def damaged(path, old=None, new=None):
    content = path.read_bytes()
    if old is None:
        changed = bytearray(content)
        changed[len(changed) * 2 // 3] ^= 0x10
    else:
        assert old in content
        changed = content.replace(old, new, 1)
    path.write_bytes(bytes(changed))


def converting(folder):
    """A project whose every stage reads a file of another: texts, scales, gaps."""
    project = small(folder)
    dataset = project.config["datasets"]["toy"]
    dataset["missing"] = "drop"
    project.config["features"]["deep"]["scale"] = "zscore"
    sheet = project.folder / "config/toy.tsv"
    rows = [line.split("\t") for line in sheet.read_text().splitlines()]
    recording = np.load(project.folder / "recordings/monday.npy")
    np.savetxt(
        project.folder / "recordings/monday.csv",
        recording,
        delimiter=",",
        header="x,y,z",
        comments="",
    )
    rows[1][1] = "recordings/monday.csv"
    for row in rows[1:]:
        numbers = np.load(project.folder / row[2])
        table = project.folder / f"recordings/{row[0]}.labels.csv"
        table.write_text("kind\n" + "".join(f"k{n}\n" for n in numbers))
        row[2] = f"recordings/{row[0]}.labels.csv::kind"
    sheet.write_text("".join("\t".join(row) + "\n" for row in rows))
    project.write_config()
    return project


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    project = converting(tmp_path_factory.mktemp("converted") / "project")
    run(project)
    return project


# File of a stage, a stage that reads it, and how it is damaged.
BETWEEN = {
    "recordings/1.npy": "extract_features",
    "recordings/1.npy.xxh3": "extract_features",
    "channels.tsv": "extract_features",
    "labels/1.h5": "write_projection",
    "deep/gaps/1-of-1.h5": "extract_features",
    "deep/features/1-of-1.npy": "write_projection",
    "deep/features/1-of-1.npy.xxh3": "write_projection",
    "deep/exact/model.h5": "write_projection",
    "deep/exact/projection.h5": "write_summary",
    "deep/usage/extract_features/1-of-1.json": "write_projection",
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_one_stage_writes_and_another_reads_is_compared(tmp_path, converted, name):
    project = copied(converted, tmp_path / "project")
    before = project.results()
    path = project.folder / "results/toy" / name
    damaged(path)
    told = project.verify()
    assert told.returncode == 1
    assert f"results/toy/{name.removesuffix('.xxh3')}" in told.stdout
    # A run either remakes it at once, or says what to delete.
    done = project.snakemake("--cores", "2", "--forcerun", BETWEEN[name])
    if done.returncode:
        assert "Traceback" not in done.stderr
        remedy = re.search(rf"toy/{name.removesuffix('.xxh3')}\S*: .*: (rm \S+)", done.stderr)
        assert remedy, done.stderr[-3000:]
        subprocess.run(remedy[1], shell=True, cwd=project.folder, check=True)
        run(project, "--forcerun", BETWEEN[name])
    assert project.results() == before
    assert project.verify().returncode == 0


def test_inputs_of_a_project_are_never_written_to(converted, tmp_path):
    fresh = converting(tmp_path / "fresh")
    assert digests(fresh.folder / "recordings") == digests(converted.folder / "recordings")
