"""Memory of a fit in one process: below the limit, however many rows there are."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import memwave
from memwave.api.planning import plan_fit, spec_of
from memwave.pca.solvers import feature_solvers, reads_columns
from memwave.readers.matrices.objects import as_matrix

SCRIPTS = Path(__file__).parents[2] / "scripts"
MEASURE = """
import sys
sys.path.insert(0, sys.argv[1])
import memwave
from memwave.workflow.process.memory import PeakMemory
path, solver, limit = sys.argv[2], sys.argv[3], int(sys.argv[4])
with PeakMemory() as peak:
    pca = memwave.PCA(5, solver=solver, max_mem_mb=limit, block_mb=4)
    pca.fit(path, dtype="float16", columns=700)
    pca.transform(path, dtype="float16", columns=700, out=path + ".npy")
    pca.inverse_transform(path + ".npy", out=path + ".back.npy")
print(peak.bytes)
"""


@pytest.mark.parametrize("solver", feature_solvers())
def test_memory_stays_below_the_limit_however_many_rows(solver, tmp_path):
    peaks, columns_are_read = [], reads_columns(solver)
    for n_rows in (1000, 2000) if columns_are_read else (2000, 16_000):
        path = tmp_path / f"{n_rows}.mmap"
        random = np.random.default_rng(0)
        with open(path, "wb") as file:
            for _ in range(n_rows // 1000):
                random.normal(size=(1000, 700)).astype("float16").tofile(file)
        with as_matrix(str(path), "float16", 700) as opened:
            params = memwave.PCA(5, solver=solver, block_mb=4).get_params()
            limit = plan_fit(params, spec_of(opened), n_rows).memory_mb
        run = [sys.executable, "-c", MEASURE, str(SCRIPTS), str(path), solver, str(limit)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout) / 1e6)
        assert peaks[-1] <= limit
        for made in tmp_path.iterdir():
            made.unlink()
    assert columns_are_read or peaks[1] < 1.25 * peaks[0]


MEASURE_FILE = """
import sys
sys.path.insert(0, sys.argv[1])
import memwave
from memwave.workflow.process.memory import PeakMemory
path, limit = sys.argv[2], int(sys.argv[3])
with PeakMemory() as peak:
    pca = memwave.PCA(5, solver="covariance", max_mem_mb=limit, block_mb=1, missing="drop")
    pca.fit(path)
    pca.transform(path, out=sys.argv[4])
print(peak.bytes, pca.n_samples_)
"""


def write_table(path, n_rows):
    """Rows with one missing value, block by block."""
    random, names = np.random.default_rng(0), [f"c{i}" for i in range(200)]
    blocks = (random.normal(size=(1000, 200)).astype("f4") for _ in range(n_rows // 1000))
    if path.suffix == ".parquet":
        schema = pa.schema([(name, pa.float32()) for name in names])
        with pq.ParquetWriter(path, schema) as writer:
            for i, block in enumerate(blocks):
                block[0, 0] = np.nan if i == 0 else 0
                columns = [pa.array(column) for column in block.T]
                writer.write_table(pa.table(columns, schema=schema))
        return str(path)
    with h5py.File(path, "w") as file:
        x = file.create_dataset("x", (n_rows, 200), "f4", chunks=(1000, 50), compression="lzf")
        for i, block in enumerate(blocks):
            x[1000 * i : 1000 * (i + 1)] = block
        x[0, 0] = np.nan
    return f"{path}::/x"


@pytest.mark.parametrize("name", ["x.parquet", "x.h5"])
def test_memory_of_files_with_chunks_and_gaps_stays_below_the_limit(name, tmp_path):
    peaks, limits = [], []
    for n_rows in (20_000, 100_000):  # of fewer rows, not all buffers are ever filled
        path = write_table(tmp_path / name, n_rows)
        with as_matrix(path) as opened:
            params = memwave.PCA(5, solver="covariance", block_mb=1).get_params()
            limit = plan_fit(params, spec_of(opened), n_rows).memory_mb
        limits.append(limit)
        run = [sys.executable, "-c", MEASURE_FILE, str(SCRIPTS), path, str(limit)]
        run.append(str(tmp_path / "scores.npy"))
        done = subprocess.run(run, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        peak, n_fitted = map(int, done.stdout.split())
        assert n_fitted == n_rows - 1
        peaks.append(peak / 1e6)
        assert peaks[-1] <= limit
    # The limit counts what Parquet stores of each row group.
    assert peaks[1] < 1.1 * peaks[0] + 5 + limits[1] - limits[0]
    assert limits[1] == limits[0] if name == "x.h5" else limits[1] < 1.2 * limits[0]


def test_what_would_need_too_much_memory_is_refused_before_anything_is_read():
    class Unread:
        shape, dtype = (100_000, 20_000), np.dtype("float32")

        def __getitem__(self, rows):
            raise AssertionError("nothing is to be read")

    with pytest.raises(
        memwave.MemwaveError, match=r"needs \d+ MB, more than max_mem_mb=500.*incremental"
    ):
        memwave.PCA(5, solver="covariance", max_mem_mb=500).fit(Unread())
