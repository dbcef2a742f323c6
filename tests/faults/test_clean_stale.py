"""`make clean-stale` removes what nothing wants any more, and nothing else."""

import fcntl
import subprocess
import sys

import pytest
from tiny_project import Project

from memwave.storage.receipts import needed, receipts_in, write_receipt
from memwave.workflow.sources.stale import old_shards, outdated_figures, partial_files


def call(project, script, *arguments):
    command = [sys.executable, f"scripts/{script}.py", *arguments]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=100)


def run(project, shards):
    project.config["shards"] = shards
    project.write_config()
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]


def files(project):
    return {str(path) for path in (project.folder / "results").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Run in one shard, and then in two."""
    made = Project(tmp_path_factory.mktemp("run") / "project", ["exact"])
    run(made, 1)
    run(made, 2)
    return made


def test_shards_of_an_old_count_and_partial_files_go(project):
    partial = project.folder / "results/toy/deep/exact/.model.h5.partial-abc123"
    held = project.folder / "results/toy/deep/features/.1-of-2.npy.partial-xyz"
    partial.write_bytes(b"half")
    held.write_bytes(b"half")
    before = files(project)
    old = {path for path in before if "1-of-1." in path}
    assert old
    with open(held, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        listed = call(project, "clean_stale", "--list")
        assert listed.returncode == 0, listed.stderr
        assert files(project) == before
        cleaned = call(project, "clean_stale")
    assert cleaned.returncode == 0, cleaned.stderr
    assert before - files(project) == old | {str(partial)}
    assert f"{len(old) + 1} files of" in cleaned.stdout
    held.unlink()
    verified = call(project, "verify_results")
    assert verified.returncode == 0, verified.stdout
    assert project.planned() == set()
    assert "0 files" in call(project, "clean_stale").stdout


def test_what_a_result_was_made_of_stays_until_it_is_remade(tmp_path):
    """The plan has two shards, and the results there are of one."""
    folder = tmp_path / "results"
    shard, usage = folder / "d/f/features/1-of-1.npy", folder / "d/f/usage/x/1-of-1.json"
    unused = folder / "d/f/features/1-of-9.npy"
    other = folder / "d/g/features/1-of-9.npy"
    for path in (shard, unused, other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"rows")
        path.with_name(f"{path.name}.xxh3").write_bytes(b"sums")
    write_receipt(usage, {"made_for": "a", "files": {f"{shard}.xxh3": "1"}, "makers": {}})
    last = folder / "d/f/m/usage/write_projection.json"
    write_receipt(last, {"made_for": "b", "files": {}, "makers": {str(usage): "a"}})
    planned = {"d/f": ["1-of-2", "2-of-2"]}
    found = set(old_shards(folder, planned))
    assert found == {unused, unused.with_name("1-of-9.npy.xxh3")}
    write_receipt(last, {"made_for": "b", "files": {}, "makers": {}})
    assert {shard, usage} <= set(old_shards(folder, planned))
    assert other not in set(old_shards(folder, planned))


def test_figures_of_a_model_that_was_fitted_anew_go(tmp_path):
    """The run that fitted it again drew no figures; those of another model stay."""
    folder = tmp_path / "results"
    models = {name: folder / f"d/f/{name}/usage/fit_model.json" for name in ("old", "same")}
    drawn = {}
    for name, model in models.items():
        write_receipt(model, {"stage": "fit_model", "made_for": "1", "files": {}, "makers": {}})
        figure = folder / f"d/f/{name}/plots/spectrum.svg"
        figure.parent.mkdir(parents=True)
        figure.write_text("<svg/>")
        drawn[name] = [figure, folder / f"d/f/{name}/usage/plot_experiment.json"]
        facts = {"stage": "plot_experiment", "made_for": "2", "makers": {str(model): "1"}}
        write_receipt(drawn[name][1], facts | {"files": {str(figure): "x"}})
    assert list(outdated_figures(folder)) == []
    write_receipt(models["old"], {"stage": "fit_model", "made_for": "3", "files": {}})
    assert list(outdated_figures(folder)) == drawn["old"]
    models["same"].unlink()
    assert set(outdated_figures(folder)) == {*drawn["old"], *drawn["same"]}


def test_a_dataset_may_be_named_as_the_folder_of_receipts(tmp_path):
    """Other JSON files are no receipts, and what a job was made for is found at any depth."""
    experiment = tmp_path / "usage/f/m"
    receipts = [experiment / "usage/fit_model.json", tmp_path / "usage/f/usage/x/1-of-1.json"]
    for path in (*receipts, experiment / "provenance.json"):
        write_receipt(path, {"made_for": "a", "files": {}, "makers": {}})
    assert receipts_in(tmp_path) == sorted(receipts)
    assert needed({str(path): {} for path in receipts}) == {str(receipts[0])}


def test_no_other_hidden_file_is_a_partial_one(tmp_path):
    for name in (".keep", ".a.partial", "a.partial-1", ".a.partial-1"):
        (tmp_path / name).write_text("")
    assert [path.name for path in partial_files(tmp_path)] == [".a.partial-1"]


def test_a_folder_that_is_none(project):
    done = call(project, "clean_stale", "elsewhere")
    assert done.returncode == 1
    assert "elsewhere: is no folder" in done.stdout
