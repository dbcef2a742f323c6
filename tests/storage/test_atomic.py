"""Files appear whole or not at all, whatever happens while they are written."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fitting import save_shard
from stages import run_stage

from memwave.core.errors import MemwaveError
from memwave.storage import hdf5
from memwave.storage.atomic import replacing, require_space, reserve
from memwave.storage.shards import Shard, create_shard

SCRIPTS = Path(__file__).parents[2] / "scripts"
FILL_DISK = Path(__file__).parents[1] / "helpers" / "fill_disk.py"
MEGABYTE = 1_000_000
DISK_KB = 2048


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_when_it_is_complete(tmp_path):
    path = tmp_path / "folder" / "result"
    with replacing(path) as temporary:
        temporary.write_text("old")
        assert not path.exists()
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.read_bytes() == b""
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(path.parent) == ["result"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemwaveError])
def test_a_failure_leaves_nothing_and_the_old_file_as_it_was(tmp_path, error):
    path = tmp_path / "result"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == ["result"]
    assert path.read_text() == "old"


def test_leftovers_of_killed_writers_are_removed_and_of_others_are_not(tmp_path):
    path = tmp_path / "a[1]*.h5"
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from memwave.storage.atomic import replacing\n"
        "with replacing(sys.argv[2]) as temporary:\n"
        "    temporary.write_text('half'); os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, SCRIPTS, path], timeout=60)
    assert killed.returncode == 9
    assert len(names(tmp_path)) == 1
    others = [".a1.h5.partial-1", ".b.h5.partial-1", "a[1]x.h5"]
    for name in others:
        (tmp_path / name).touch()
    with replacing(path):
        assert len(names(tmp_path)) == len(others) + 1
    assert names(tmp_path) == sorted([*others, path.name])


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_the_right_to_read_is_that_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "result"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, r"the disk is full: .* bytes are free"),
        (errno.EDQUOT, "cannot be written: the disk quota of its owner is used up"),
        (errno.EROFS, "cannot be written: the file system is read-only"),
    ],
)
def test_why_a_file_cannot_be_written_is_named(tmp_path, code, words):
    path = tmp_path / "result"
    with (
        pytest.raises(MemwaveError, match=f"result: {words}"),
        replacing(path),
    ):
        raise OSError(code, os.strerror(code))
    assert names(tmp_path) == []


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), replacing(tmp_path / "result"):
        raise PermissionError(errno.EACCES, "no")


def test_more_than_is_free_is_refused_before_anything_is_written(tmp_path):
    needed = 10**18
    words = rf"result: the disk is full: needs {needed:,} bytes; [0-9,]+ bytes are free. Nothing"
    with pytest.raises(MemwaveError, match=words):
        require_space(tmp_path / "result", needed)
    with pytest.raises(MemwaveError, match="the disk is full"), hdf5.create(tmp_path / "r", needed):
        pass
    require_space(tmp_path / "new" / "result", 1)
    assert names(tmp_path) == ["new"]


def test_reserved_space_is_there(tmp_path):
    with open(tmp_path / "file", "wb") as file:
        reserve(file.fileno(), MEGABYTE, tmp_path / "file")
        status = os.fstat(file.fileno())
    assert status.st_size == MEGABYTE
    assert status.st_blocks * 512 >= MEGABYTE


@pytest.fixture
def largest_file():
    """No file may grow beyond a megabyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("largest_file")
def test_a_file_larger_than_allowed_is_refused(tmp_path):
    path = tmp_path / "large.npy"
    words = r"large.npy: cannot be written \(it needs 2,000,128 bytes\): it is larger than"
    with pytest.raises(MemwaveError, match=words), create_shard(path, (1000, 500), "float32"):
        pass
    assert names(tmp_path) == []


def write_ones(path, chunks):
    """4 MB in HDF5."""
    with hdf5.create(path, 4_000_000) as file:
        rows = file.create_dataset("rows", (50_000, 10), "f8", chunks=chunks)
        for start in range(0, 50_000, 1000):
            if chunks:
                rows.id.write_direct_chunk((start, 0), bytes(80_000))
            else:
                rows[start : start + 1000] = 1.0


@pytest.mark.usefixtures("largest_file")
@pytest.mark.parametrize("chunks", [None, (1000, 10)])
def test_an_hdf5_file_larger_than_allowed_is_refused(chunks, tmp_path):
    words = r"large.h5: cannot be written \(it needs 4,000,000 bytes\): it is larger than"
    with pytest.raises(MemwaveError, match=words):
        write_ones(tmp_path / "large.h5", chunks)
    assert names(tmp_path) == []


@pytest.fixture
def small_disk(make_disk):
    return make_disk(DISK_KB)


def test_a_shard_that_does_not_fit_the_disk(small_disk):
    path = small_disk / "shard.npy"
    words = r"disk is full: needs 4,000,128 bytes; [12],[0-9,]+ bytes are free"
    with pytest.raises(MemwaveError, match=words), create_shard(path, (1000, 1000), "float32"):
        pass
    assert names(small_disk) == []
    save_shard(path, np.ones((1000, 300), np.float32))
    with Shard(path) as shard:
        assert shard.rows(999, 1000).tolist() == [[1.0] * 300]


def test_an_hdf5_file_that_does_not_fit_the_disk(small_disk):
    with pytest.raises(MemwaveError, match="disk is full: needs"):
        hdf5.save_arrays(small_disk / "a.h5", {"a": np.ones(500_000)})
    assert names(small_disk) == []


@pytest.mark.parametrize("name", ["write_more_than_fits", "write_what_no_longer_fits"])
def test_a_disk_that_fills_up_while_hdf5_is_written(small_disk, tmp_path, name):
    ended = run_stage(name, tmp_path, small_disk / "a.h5", script=FILL_DISK)
    assert ended.status == 1
    assert ended.told.startswith(f"{name}: {small_disk}/a.h5: the disk is full: needs 1,000 bytes")
    assert len(ended.told.splitlines()) == 1
    assert set(names(small_disk)) <= {"other"}


def test_arrays_come_back_from_their_file(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "count": np.array(7), "empty": np.zeros((0, 4))}
    hdf5.save_arrays(tmp_path / "a.h5", arrays)
    found = hdf5.load_arrays(tmp_path / "a.h5")
    assert list(found) == sorted(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_the_kind_of_an_hdf5_file_is_checked(tmp_path):
    path = tmp_path / "a.h5"
    hdf5.save_arrays(path, {})
    words = "of type 'memwave-arrays', expected 'memwave-model'"
    with pytest.raises(MemwaveError, match=words), hdf5.open_read_only(path, "memwave-model"):
        pass
    with hdf5.create(path, 0):
        pass
    with pytest.raises(MemwaveError, match="of type None, expected 'memwave-arrays'"):
        hdf5.load_arrays(path)


def test_the_version_of_an_hdf5_file_is_checked(tmp_path):
    with hdf5.create(tmp_path / "new.h5", 0) as file:
        hdf5.mark(file, "memwave-arrays", "2")
    with pytest.raises(MemwaveError, match="has version 2 of its format, expected 1: another"):
        hdf5.load_arrays(tmp_path / "new.h5")


def test_a_shard_is_what_numpy_writes(tmp_path):
    array = np.arange(30, dtype=np.float16).reshape(10, 3)
    np.save(tmp_path / "theirs.npy", array)
    with create_shard(tmp_path / "ours.npy", array.shape, "float16") as shard:
        for start in range(0, 10, 3):
            with shard.next_rows(min(3, 10 - start)) as rows:
                rows[:] = array[start : start + 3]
    found = np.load(tmp_path / "ours.npy", mmap_mode="r")
    np.testing.assert_array_equal(found, array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()
    with Shard(tmp_path / "ours.npy", n_features=3) as shard:
        np.testing.assert_array_equal(shard.rows(4, 9), array[4:9])
        with pytest.raises(ValueError, match="read-only"):
            shard.rows(0, 1)[:] = 0


@pytest.mark.parametrize("count", [9, 11])
def test_a_shard_gets_all_its_rows_and_no_more(tmp_path, count):
    with (
        pytest.raises(ValueError, match=f"{count} of 10 "),
        create_shard(tmp_path / "shard.npy", (10, 3), "float16") as shard,
        shard.next_rows(count) as rows,
    ):
        rows[:] = 0
    assert names(tmp_path) == []
