"""A recording that is changed through a memory map, which changes no time of the file."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from faults import FaultyRun, build, fault, go_on
from tiny_project import PATIENCE, Project

TMPFS = Path("/dev/shm")


@pytest.fixture
def folder():
    if not TMPFS.is_dir() or not os.access(TMPFS, os.W_OK):
        pytest.skip("there is no tmpfs")
    made = Path(tempfile.mkdtemp(dir=TMPFS))
    yield made
    shutil.rmtree(made)


def change(path):
    """Change a value; require that nobody can see it who does not read the file."""
    before = os.stat(path)
    rows = np.load(path, mmap_mode="r+")
    rows[5] += 1.0
    rows.flush()
    del rows
    after = os.stat(path)
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)


def test_the_job_that_read_it_notices(folder, tmp_path):
    project = Project(folder / "project", ["exact"])
    project.config["shards"] = 1
    project.write_config()
    library = build(tmp_path)
    # The job has read the recordings, and is about to name the features.
    running = FaultyRun(project, fault(library, "fsync", "features/.1-of-1.npy.", "stop"))
    job = running.stopped_job()
    change(project.folder / "recordings/monday.npy")
    go_on(job)
    assert running.process.wait(PATIENCE) != 0
    assert "recordings/monday.npy: has changed since the run was planned" in running.log.read_text()
    assert not list(project.folder.rglob("provenance.json"))
    done = project.snakemake("--cores", "2", "--rerun-incomplete")
    assert done.returncode == 0, done.stderr[-4000:]
    fresh = Project(folder / "fresh", ["exact"])
    fresh.config["shards"] = 1
    fresh.write_config()
    change(fresh.folder / "recordings/monday.npy")
    done = fresh.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert project.results() == fresh.results()
