"""Each byte of a matrix is read once a pass, whatever its chunks and its blocks are."""

import sys

import h5py
import numpy as np
import pytest
import zarr

from memwave.core.ranges import spans
from memwave.pca.linalg.train_columns import TrainColumns
from memwave.readers.matrices.objects import as_matrix

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux counts what is read")

ROWS, COLUMNS = 6000, 130


def numbers():
    return np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype("f4")


def chunked(folder, chunks):
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("x", data=numbers(), chunks=chunks, compression="gzip", shuffle=True)
    return f"{folder}/x.h5::/x", {}


def zarr_array(folder, chunks):
    zarr.create_array(str(folder / "x.zarr"), data=numbers(), chunks=chunks)
    return folder / "x.zarr", {}


def flat(folder, name):
    if name == "x.npy":
        np.save(folder / name, numbers())
        return folder / name, {}
    numbers().tofile(folder / name)
    return folder / name, {"dtype": "float32", "columns": COLUMNS}


def parts(folder):
    for i, (start, stop) in enumerate(((0, 1234), (1234, 4000), (4000, ROWS))):
        with h5py.File(folder / f"{i}.h5", "w") as file:
            file.create_dataset("x", data=numbers()[start:stop], chunks=(100, COLUMNS))
    return [f"{folder}/{i}.h5::/x" for i in range(3)], {}


KINDS = {
    "raw": lambda f: flat(f, "x.mmap"),
    "npy": lambda f: flat(f, "x.npy"),
    "narrow chunks": lambda f: chunked(f, (64, 8)),
    "chunks wider than a block": lambda f: chunked(f, (1500, 40)),
    "one column a chunk": lambda f: chunked(f, (ROWS, 1)),
    "zarr": lambda f: zarr_array(f, (500, COLUMNS)),
    "zarr, narrow": lambda f: zarr_array(f, (1000, 26)),
    "parts": parts,
}


def bytes_read():
    """Bytes that this process has read so far, from the page cache or the disk."""
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("block_rows", [37, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_read_once(kind, block_rows, tmp_path):
    X, how = KINDS[kind](tmp_path)
    expected = numbers()
    with as_matrix(X, **how) as matrix:
        begin, row = bytes_read(), 0
        for shard in matrix.ranges(3):
            for start, stop in spans(0, shard.shape[0], block_rows):
                rows = shard.rows(start, stop)
                np.testing.assert_array_equal(rows, expected[row : row + len(rows)])
                row += len(rows)
        read = bytes_read() - begin
    assert row == ROWS
    # A chunk on the border of two shards may be read for both; headers are read, too.
    border = 3 * matrix.grain * COLUMNS * 4 if kind == "parts" else 0
    assert read <= 1.2 * size_of(tmp_path) + border + 60_000, read


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "chunk" not in kind])
def test_columns_are_read_once(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("memwave.pca.linalg.train_columns.ALIGNED", 26)
    X, how = KINDS[kind](tmp_path)
    with as_matrix(X, **how) as matrix:
        shards = matrix.ranges(3)
        columns = TrainColumns(shards, [[(0, shard.shape[0])] for shard in shards], 1)
        begin = bytes_read()
        blocks = [(place, block.copy()) for place, block in columns.blocks()]
        read = bytes_read() - begin
    assert [place for place, _ in blocks] == [slice(i, i + 26) for i in range(0, COLUMNS, 26)]
    np.testing.assert_array_equal(np.hstack([block for _, block in blocks]), numbers())
    if kind in ("raw", "npy", "zarr, narrow"):
        assert read <= 1.2 * size_of(tmp_path) + 60_000, read
