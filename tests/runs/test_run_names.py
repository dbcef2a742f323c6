"""Configurations one after the other in one folder: each with a name keeps its summary."""

import csv

from tiny_project import MODELS, Project


def models_in(path):
    """Models of the rows of a summary."""
    with open(path, encoding="utf-8", newline="") as file:
        return [row["model"] for row in csv.DictReader(file, delimiter="\t")]


def configure(project, model, **changes):
    """Write a configuration of one model."""
    project.config["models"] = {model: dict(MODELS[model])}
    project.config["experiments"] = [{"dataset": "toy", "features": "deep", "model": model}]
    project.config |= changes
    project.write_config()


def test_two_configurations_leave_both_summaries(tmp_path):
    project = Project(tmp_path / "project", ["exact"])
    configure(project, "exact", shards=1)
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    first = (project.folder / "results/summary.tsv").read_bytes()

    configure(project, "incremental")
    done = project.snakemake("--dry-run")
    assert (
        "Warning: results/summary.tsv has experiments that this configuration has not, such as"
        in (done.stderr)
    )
    assert "toy/deep/exact" in done.stderr

    configure(project, "incremental", run="second", plots="comparison")
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "is replaced" not in done.stderr
    assert "extract_features" not in done.stderr  # those of the first run
    assert "results/runs/second/summary.tsv" in done.stdout + done.stderr
    folder = project.folder / "results/runs/second"
    assert models_in(folder / "summary.tsv") == ["incremental"]
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.*g")}
    assert names == {"plots/comparison.svg", "plots/memory.svg"}
    assert (project.folder / "results/summary.tsv").read_bytes() == first
    assert models_in(project.folder / "results/summary.tsv") == ["exact"]
    assert project.planned() == set()
