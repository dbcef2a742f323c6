"""Tables as matrices: the copy in the folder for temporary files."""

import errno
import os
import tempfile

import numpy as np
import pandas as pd
import pytest

import memwave
from memwave.readers.matrices.objects import as_matrix

ROWS = np.random.default_rng(0).normal(size=(50, 3))


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table, and an empty folder for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    pd.DataFrame(ROWS, columns=list("abc")).to_parquet(tmp_path / "x.parquet")
    return tmp_path / "x.parquet"


def test_the_copy_has_no_name_that_a_killed_process_would_leave(table):
    with as_matrix(table) as matrix:
        (rows,) = matrix.ranges(1)
        assert os.listdir(tempfile.tempdir) == []
        np.testing.assert_array_equal(rows.rows(3, 40), ROWS[3:40])
        assert not rows.rows(0, 50).flags.writeable
    assert os.listdir(tempfile.tempdir) == []


def test_a_table_that_cannot_be_copied_is_closed(table, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(memwave.MemwaveError, match=r"memwave.npy: the disk is full: needs 1,\d+"):
        as_matrix(table)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_for_temporary_files_that_is_not_there(table, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(memwave.MemwaveError, match=r"/nowhere/memwave.npy: cannot be written"):
        as_matrix(table)
