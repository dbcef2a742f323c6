"""What users of PCA, windows and Snakemake reported elsewhere, tried on the whole workflow."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from tiny_project import PATIENCE, Project, recording


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("reports") / "project", ["exact"])


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (["--config", "plots=false"], 0, "extract_features"),
        (["--config", "plots=comparisons"], 1, 'plots: found "comparisons", expected true'),
        (["results/toy/deep/features/1-of-4.npy"], 1, "No rule to produce results/toy/deep/feat"),
        (["results/other/deep/features/1-of-2.npy"], 1, "No rule to produce results/other"),
    ],
)
def test_what_is_asked_for_and_is_not_in_the_plan(project, given, status, said):
    done = project.snakemake("--dry-run", "--cores", "1", *given)
    told = done.stdout + done.stderr
    assert done.returncode == status, told
    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "environment", [{"HOME": None}, {"HOME": "/proc/nowhere"}, {"TMPDIR": "/nowhere"}]
)
def test_without_a_home_or_a_folder_for_temporary_files(project, environment):
    """Snakemake needs a folder for its cache: `XDG_CACHE_HOME`, where there is no home."""
    cache = {"XDG_CACHE_HOME": str(project.folder / "cache")}
    known = os.environ | cache | environment
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"],
        cwd=project.folder,
        env={name: value for name, value in known.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr


def test_odd_paths_gaps_between_windows_and_a_recording_of_nothing_but_gaps(tmp_path):
    project = Project(tmp_path / "a b" / "project", ["exact"])
    folder = project.folder
    os.rename(folder / "recordings/monday.npy", folder / "recordings/{x} $HOME.npy")
    first = recording(0)
    first[[27, 40]] = np.nan  # between windows, and in the second one
    np.save(folder / "recordings/{x} $HOME.npy", first)
    np.save(folder / "recordings/wednesday.npy", np.full_like(recording(2), np.nan))
    sheet = folder / "config/toy.tsv"
    sheet.write_text(sheet.read_text().replace("monday.npy", "{x} $HOME.npy"))
    project.config["features"]["deep"]["step"] = 30
    project.config["datasets"]["toy"]["missing"] = "drop"
    project.config["shards"] = 4
    project.write_config()
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "windows of a shard (of wednesday) contain a missing value" in done.stderr
    with h5py.File(folder / "results/toy/deep/exact/projection.h5") as file:
        starts = [file["start_row"][()][file["recording"][()] == i].tolist() for i in range(3)]
    assert starts[0] == [0, *range(60, 307, 30)]
    assert starts[1] == list(range(0, 127, 30))
    assert starts[2] == []
