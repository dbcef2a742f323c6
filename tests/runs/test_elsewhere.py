"""The workflow from elsewhere: as a module, included, by a link, and by its path."""

import csv
import os
import re
import shutil
import subprocess
import sys

import h5py
import pytest
import yaml
from clone import like_a_clone, type_in
from tiny_project import PATIENCE, ROOT, Project

SNAKEFILE = ROOT / "Snakefile"

MODULE = f"""
configfile: "config/own.yaml"

module memwave:
    snakefile:
        {str(SNAKEFILE)!r}
    config:
        config["memwave"]

use rule * from memwave as memwave_*

rule list_scores:
    default_target: True
    input:
        rules.memwave_all.input,
    output:
        "scores.txt",
    run:
        paths = [path for path in input if path.endswith("projection.h5")]
        Path(output[0]).write_text("\\n".join(paths))
"""

INCLUDE = f"""
include: {str(SNAKEFILE)!r}

rule mine:
    input:
        rules.all.input,
"""


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with a configuration and recordings, and nothing of the workflow."""
    return Project(tmp_path / "elsewhere", ["exact"], copied=False)


def require_results(folder, project):
    """Require the bytes that the project has."""
    found = folder / "results/toy/deep/exact"
    for name in ("model.h5", "projection.h5"):
        assert (found / name).read_bytes() == project.result(f"exact/{name}").read_bytes()
    with h5py.File(found / "projection.h5") as file:
        assert len(file["scores"]) == len(project.features())


def test_as_a_module(elsewhere, project):
    config = elsewhere.folder / "config/config.yaml"
    own = {"memwave": yaml.safe_load(config.read_text()), "other": 1}
    (elsewhere.folder / "config/own.yaml").write_text(yaml.safe_dump(own))
    config.unlink()
    (elsewhere.folder / "Snakefile").write_text(MODULE)
    done = elsewhere.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    require_results(elsewhere.folder, project)
    listed = (elsewhere.folder / "scores.txt").read_text()
    assert listed == "results/toy/deep/exact/projection.h5"
    again = elsewhere.snakemake("--cores", "1", "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_by_its_path_in_another_directory(elsewhere, project, tmp_path):
    (tmp_path / "here").mkdir()
    arguments = ["--snakefile", str(SNAKEFILE), "--directory", str(elsewhere.folder)]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--cores", "2"],
        cwd=tmp_path / "here",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    require_results(elsewhere.folder, project)
    assert not list((tmp_path / "here").iterdir())
    read, report = re.findall(r"^  (?:read|report) +(.*)$", done.stdout + done.stderr, re.M)
    assert report.startswith(f"cd {elsewhere.folder} && ")
    shown = subprocess.run(
        read, shell=True, cwd=tmp_path / "here", capture_output=True, text=True, check=True
    )
    assert 'dataset "scores"' in shown.stdout


def link(path):
    path.symlink_to(SNAKEFILE)


def include(path):
    path.write_text(INCLUDE)


@pytest.mark.parametrize("make", [link, include])
def test_a_snakefile_that_leads_to_it(elsewhere, project, make):
    make(elsewhere.folder / "Snakefile")
    planned = {job[0] for job in elsewhere.planned()}
    assert {"extract_features", "fit_model", "write_projection", "write_summary"} <= planned
    done = elsewhere.snakemake("--cores", "2", "results/toy/deep/features/1-of-2.npy")
    assert done.returncode == 0, done.stderr[-4000:]
    made = elsewhere.result("features/1-of-2.npy").read_bytes()
    assert made == project.result("features/1-of-2.npy").read_bytes()


def test_the_example_of_a_workflow_with_memwave_as_a_module(tmp_path):
    clone = tmp_path / "clone"
    clone.mkdir()
    like_a_clone(clone, "resources")
    example = clone / "examples/downstream"
    shutil.copytree(ROOT / "examples/downstream", example)
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    commands = page.partition("$ cd ~/memwave/examples/downstream\n")[2].partition("```")[0]
    printed = type_in(example, f"```console\n{commands}```\n")
    assert "label\twindows\tpc1" in printed
    with open(example / "activities.tsv", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    with h5py.File(example / "results/activities/seconds/exact/projection.h5") as file:
        assert sum(int(row["windows"]) for row in rows) == len(file["scores"])
        assert {int(row["label"]) for row in rows} == set(file["label"][()])
    assert not list(clone.glob("results"))


def test_a_snakefile_without_its_modules_says_what_to_do(tmp_path):
    repository, folder = tmp_path / "repository", tmp_path / "own"
    for path in (repository, folder):
        path.mkdir()
    shutil.copy(SNAKEFILE, repository)
    git = ("git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "Only the Snakefile")):
        subprocess.run([*git, *command], check=True)
    source = f"git+file://{repository}/Snakefile@HEAD"
    (folder / "Snakefile").write_text(MODULE.replace(str(SNAKEFILE), source))
    (folder / "config").mkdir()
    (folder / "config/own.yaml").write_text("memwave: {}\n")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run"],
        cwd=folder,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "clone the repository, and give the path of the Snakefile" in done.stdout + done.stderr
