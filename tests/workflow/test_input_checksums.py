"""Recordings and labels are known by their content, and must not change during a run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_project import PATIENCE, Project, recording
from xxhash import xxh3_64_hexdigest

from memwave.core.errors import MemwaveError
from memwave.workflow import input_checksums
from memwave.workflow.input_checksums import planned_checksums, take_checksums, unchanged

FILE = "recording.npy"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(FILE, np.arange(60.0).reshape(30, 2))
    return tmp_path


def put_back_time(path, status):
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def other_values():
    """The same size and the same time, other bytes."""
    status = os.stat(FILE)
    np.save(FILE, np.load(FILE) + 1)
    put_back_time(FILE, status)


def moved_here():
    np.save("other.npy", np.load(FILE) + 1)
    put_back_time("other.npy", os.stat(FILE))
    os.replace("other.npy", FILE)


def longer():
    with open(FILE, "ab") as file:
        file.write(b"more")


def shorter():
    os.truncate(FILE, 300)


def removed():
    os.unlink(FILE)


CHANGES = [other_values, moved_here, longer, shorter, removed]


def test_the_checksum_is_that_of_the_file():
    expected = {FILE: xxh3_64_hexdigest(Path(FILE).read_bytes())}
    assert take_checksums([FILE]) == expected
    assert planned_checksums([FILE]) == expected


@pytest.mark.parametrize("change", CHANGES[:-1])
def test_another_content_has_another_checksum(change):
    before = take_checksums([FILE])
    change()
    assert planned_checksums([FILE]) == before
    assert (
        take_checksums([FILE])[FILE] == xxh3_64_hexdigest(Path(FILE).read_bytes()) != before[FILE]
    )


def test_a_file_that_looks_the_same_is_not_read_again():
    take_checksums([FILE])
    before = input_checksums.KNOWN.stat()
    take_checksums([FILE])
    assert input_checksums.KNOWN.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("during", [False, True])
def test_a_change_during_a_run_is_refused(change, during):
    planned = take_checksums([FILE])

    def job():
        with unchanged(planned):
            assert during
            change()

    if not during:
        change()
    with pytest.raises(MemwaveError, match=f"{FILE}: has changed since the run was planned"):
        job()


def test_what_is_touched_or_copied_is_no_change():
    planned = take_checksums([FILE])
    with unchanged(planned):
        os.utime(FILE)
        Path("copy.npy").write_bytes(Path(FILE).read_bytes())
        os.replace("copy.npy", FILE)
    assert take_checksums([FILE]) == planned


def test_without_memory_everything_is_read():
    planned = take_checksums([FILE])
    input_checksums.KNOWN.write_text("no JSON")
    assert planned_checksums([FILE]) == planned
    with unchanged(planned):
        pass


def test_all_files_of_an_array_count():
    zarr = pytest.importorskip("zarr")
    zarr.save_array("array.zarr", np.arange(60.0).reshape(30, 2))
    planned = take_checksums(["array.zarr"])
    files = [path for path in Path("array.zarr").rglob("*") if path.is_file()]
    chunk = next(path for path in files if path.suffix != ".json")
    chunk.write_bytes(chunk.read_bytes()[::-1])
    assert take_checksums(["array.zarr"]) != planned


def test_a_recording_replaced_while_the_workflow_runs(tmp_path, project):
    running = Project(tmp_path / "running", ["exact"])
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    with subprocess.Popen(command, cwd=running.folder, stderr=subprocess.PIPE, text=True) as run:
        deadline = time.monotonic() + PATIENCE
        while not (running.folder / input_checksums.KNOWN).exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        running.save(2, recording(2) + 1)
        _, told = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert "extract_features: recordings/wednesday.npy: has changed since the run was" in told
    assert not running.result("features/2-of-2.npy").exists()
    assert not running.result("exact/model.h5").exists()

    running.save(2, recording(2))
    done = running.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert running.results().items() <= project.results().items()


def test_recordings_in_folders_that_cannot_be_written_to(tmp_path, project):
    """As root may write everywhere, what tells is that nothing appeared or changed."""
    guarded = Project(tmp_path / "guarded", ["exact"])
    places = [guarded.folder / "recordings", guarded.folder / "config"]
    for path in [p for place in places for p in (*place.iterdir(), place)]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = guarded.inputs()
    done = guarded.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert guarded.inputs() == before
    assert guarded.results().items() <= project.results().items()
