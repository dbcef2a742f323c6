"""`make verify` names what is not as it was written, and how to mend it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_project import MODELS

from memwave.cli.verify import verify_results
from memwave.results.provenance import commit

DEEP = "results/toy/deep"
DAMAGES = {
    f"{DEEP}/exact/model.h5": "has checksum",
    f"{DEEP}/randomized/projection.h5": "has checksum",
    f"{DEEP}/features/2-of-2.npy": "have changed since they were written",
    f"{DEEP}/features/2-of-2.npy.xxh3": "has checksum",
    f"{DEEP}/exact/provenance.json": "is damaged",
    "recordings/monday.npy": "has checksum",
    "recordings/tuesday.h5": "has checksum",
    "recordings/wednesday.labels.npy": "has checksum",
}


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "project"
    shutil.copytree(project.folder, folder)
    return folder


@pytest.fixture(autouse=True)
def copy(whole, monkeypatch):
    monkeypatch.chdir(whole)


def damage(path):
    content = bytearray(Path(path).read_bytes())
    content[len(content) // 2] ^= 0x80
    Path(path).write_bytes(content)


def test_what_is_whole_is_said_to_be(capsys):
    assert verify_results(Path("results")) == 0
    said = f"{len(MODELS)} experiments and their inputs are as they were written.\n"
    assert capsys.readouterr().out == said


def test_where_nothing_is_nothing_is_right(capsys, tmp_path):
    assert verify_results(tmp_path) == 1
    said = f"{tmp_path}: no experiment has been finished there. Run the workflow first"
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("path", DAMAGES)
def test_what_differs_is_named(capsys, path, removed):
    content = Path(path).read_bytes()
    if removed and path.endswith(".json"):
        pytest.skip("an experiment that is not finished is not compared")
    if removed:
        Path(path).unlink()
    else:
        damage(path)
    try:
        # The receipt of a shard names its checksums: damage of these is found from both sides.
        sides = 2 if path.endswith(".xxh3") and not removed else 1
        assert verify_results(Path("results")) == sides
    finally:
        Path(path).write_bytes(content)
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(path)
    assert removed or DAMAGES[path] in first


def test_what_is_damaged_is_remade_as_it_is_told(capsys, tmp_path, project, monkeypatch):
    folder = tmp_path / "copied"
    shutil.copytree(project.folder, folder)
    monkeypatch.chdir(folder)
    for name in ("exact/model.h5", "exact/projection.h5", "features/1-of-2.npy"):
        damage(f"{DEEP}/{name}")
    command = [sys.executable, "scripts/verify_results.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    remedy = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert len(remedy) == 2
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        " &&".join(remedy),
        shell=True,
        env=os.environ | {"PATH": path, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert verify_results(Path("results")) == 0
    found = {path: Path(folder, "results", path).read_bytes() for path in project.results()}
    assert found == {p: (project.folder / "results" / p).read_bytes() for p in project.results()}


def test_provenance_says_what_made_the_results():
    provenance = json.loads(Path(f"{DEEP}/exact/provenance.json").read_text())
    configuration = provenance["configuration"]
    assert configuration["models"]["exact"]["solver"] == "covariance"
    assert set(provenance["versions"]) >= {"memwave", "numpy", "python"}
    assert {path.partition("::")[0] for path in provenance["inputs"]} == {
        str(path) for path in Path("recordings").iterdir()
    }
    assert set(provenance["results"]) == {
        f"{DEEP}/exact/model.h5",
        f"{DEEP}/exact/projection.h5",
        f"{DEEP}/features/1-of-2.npy.xxh3",
        f"{DEEP}/features/2-of-2.npy.xxh3",
    }


def test_the_commit_is_that_of_the_workflow():
    git = ["git", "-C", Path(__file__).parent, "rev-parse", "HEAD"]
    try:
        expected = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        assert commit() is None
    else:
        assert commit() in (expected, f"{expected} and changes")
