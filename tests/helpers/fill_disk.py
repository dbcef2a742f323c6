"""Stages that fill a disk while they write, for `stages.run_stage`; their request is a path."""

import os
from pathlib import Path

import numpy as np

from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script


def write_more_than_fits(path: Path) -> None:
    random = np.random.default_rng(0)
    with hdf5.create(path, 1000) as file:
        for i in range(20):
            file.create_dataset(str(i), data=random.random(50_000))
            file.flush()


def write_what_no_longer_fits(path: Path) -> None:
    """Chunks wait in memory until a file is closed; another program is faster."""
    with hdf5.create(path, 1000) as file:
        data = file.create_dataset("a", (100_000,), "f8", chunks=(100_000,))
        data[:] = 1.0
        free = os.statvfs(path.parent)
        (path.parent / "other").write_bytes(bytes(free.f_bavail * free.f_frsize))


if "snakemake" in globals():
    run_script(snakemake, globals()[snakemake.rule])
