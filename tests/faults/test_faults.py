"""Full disks and damaged files in runs of the whole workflow: named, mended as told, same bytes."""

import os
import re
import subprocess

import pytest
from tiny_project import Project

# Features of the project take 100 kB a shard; HDF5 is given 200 kB beside its data, and
# projections their chunks. So a disk with so much space is full in this stage, before this file.
DISK_KB = 5000
FULL = {
    "extract_features": (50, "*.npy"),
    "summarize_features": (250, "*.h5"),
    "write_projection": (1500, "projection.h5"),
}


@pytest.fixture
def small_disk(make_disk):
    return make_disk(DISK_KB)


def leave_free(disk, kilobytes):
    """Fill a disk but for some space."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    status = os.statvfs(disk)
    filler.write_bytes(bytes(status.f_bavail * status.f_frsize - 1000 * kilobytes))


def test_a_disk_that_is_full_in_one_stage_after_another(small_disk, tmp_path, project):
    crowded = Project(tmp_path / "crowded", ["exact"])
    (crowded.folder / "results").symlink_to(small_disk)
    for stage, (kilobytes, product) in FULL.items():
        leave_free(small_disk, kilobytes)
        done = crowded.snakemake("--cores", "1")
        assert done.returncode == 1
        words = rf"{stage}: results/\S+: the disk is full: needs [0-9,]+ bytes; [0-9,]+ bytes are"
        assert re.search(words, done.stderr), done.stderr[-4000:]
        assert "Traceback" not in done.stderr
        assert not list(small_disk.rglob(".*partial*"))
        assert not list(small_disk.rglob(product))
    (small_disk / "filler").unlink()
    done = crowded.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert crowded.results().items() <= project.results().items()


def test_a_damaged_shard_is_remade_as_it_is_told(tmp_path, project):
    damaged = Project(tmp_path / "damaged", ["exact"])
    done = damaged.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    before = damaged.results()
    shard = damaged.result("features/1-of-2.npy")
    with open(shard, "r+b") as file:
        file.seek(-7, os.SEEK_END)
        file.write(b"\x55")
    arguments = ("--cores", "2", "--forcerun", "summarize_features")
    done = damaged.snakemake(*arguments)
    assert done.returncode == 1
    told = re.search(
        r"summarize_features: (\S+): rows \d+ to \d+ have changed .*: (rm .*)", done.stderr
    )
    assert told, done.stderr[-4000:]
    assert damaged.folder / told[1] == shard
    subprocess.run(told[2], shell=True, cwd=damaged.folder, check=True)
    done = damaged.snakemake(*arguments)
    assert done.returncode == 0, done.stderr[-4000:]
    assert damaged.results() == before
    assert before.items() <= project.results().items()
