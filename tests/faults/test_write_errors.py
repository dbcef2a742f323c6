"""Calls of the system that fail while a file is written, and kills around its renaming."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from faults import build, fault
from tiny_project import PATIENCE, ROOT

from memwave.storage.hdf5 import load_arrays, save_arrays
from memwave.storage.shards import Shard, create_shard

ARRAYS = {f"a{i}": np.arange(5000.0) + i for i in range(5)}
WRITE = f"""\
import sys; sys.path[:0] = [{str(ROOT / "scripts")!r}, {str(ROOT / "tests/faults")!r}]
from test_write_errors import write_hdf5, write_shard
from memwave.core.errors import MemwaveError
try:
    {{}}("{{}}")
except MemwaveError as error:
    sys.exit(str(error))
"""
REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota of its owner is used up",
    errno.EFBIG: "it is larger than files may be here",
    errno.EIO: "the disk reports an error",
}


def write_hdf5(path):
    save_arrays(path, ARRAYS)


def write_shard(path):
    with (
        create_shard(path, (40, 3), "float32") as shard,
        shard.next_rows(40) as rows,
    ):
        rows[:] = np.arange(120).reshape(40, 3)


def require_whole(path):
    """Whatever has its final name is what was written."""
    if path.suffix == ".h5":
        for name, array in load_arrays(path).items():
            np.testing.assert_array_equal(array, ARRAYS[name])
    elif path.with_name(f"{path.name}.xxh3").exists():
        with Shard(path) as shard:
            np.testing.assert_array_equal(shard.rows(0, 40), np.arange(120).reshape(40, 3))
    else:
        np.testing.assert_array_equal(np.load(path), np.arange(120).reshape(40, 3))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build(tmp_path_factory.mktemp("preloaded"))


def write(function, path, environment):
    code = WRITE.format(function, path)
    command = [sys.executable, "-c", code]
    helpers = os.pathsep.join([str(ROOT / "tests/helpers"), str(ROOT / "tests/faults")])
    return subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": helpers} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


CALLS = [
    ("write_hdf5", "write", nth, number)
    for nth, number in [(n, errno.ENOSPC) for n in range(1, 8)]
    + [(3, e) for e in (errno.EDQUOT, errno.EFBIG, errno.EIO)]
]
CALLS += [("write_hdf5", call, 1, errno.EIO) for call in ("fsync", "rename")]
CALLS += [("write_shard", "fallocate", 1, e) for e in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
CALLS += [("write_shard", call, 1, errno.EIO) for call in ("write", "fsync", "rename")]


@pytest.mark.parametrize(("function", "call", "nth", "number"), CALLS)
def test_an_error_of_writing_is_named_and_leaves_nothing(
    tmp_path, library, function, call, nth, number
):
    path = tmp_path / ("result.h5" if function == "write_hdf5" else "result.npy")
    done = write(function, path, fault(library, call, str(path.parent), number, nth))
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(str(path))
    assert REASONS[number] in done.stderr
    left = [file for file in tmp_path.iterdir() if file.suffix != ".xxh3"]
    assert left == []


KILLS = [
    (function, call, when, nth)
    for function, calls in (("write_hdf5", 2), ("write_shard", 3))
    for call in ("fsync", "rename")
    for nth in range(1, calls)
    for when in ("kill", "after")
]


@pytest.mark.parametrize(("function", "call", "when", "nth"), KILLS)
def test_a_kill_around_a_rename_leaves_whole_files(tmp_path, library, function, call, when, nth):
    path = tmp_path / ("result.h5" if function == "write_hdf5" else "result.npy")
    done = write(function, path, fault(library, call, str(path.parent), when, nth))
    assert done.returncode == -9, done.stderr
    if path.exists():
        require_whole(path)
    assert write(function, path, {}).returncode == 0
    require_whole(path)
    assert not [file for file in tmp_path.iterdir() if "partial" in file.name]
