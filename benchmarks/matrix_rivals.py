"""Times PCA of matrices on a disk: memwave and what else there is, each in a process of its own.

``python benchmarks/matrix_rivals.py --scale 0.05`` runs the shapes with that share of their rows.
Rivals are scikit-learn's IncrementalPCA on the map and PCA in memory, and dask's svd_compressed.
Peaks are of anonymous memory, so that no page of a map counts. The reference for the accuracy is
computed in float64: from the covariance, block by block, where the columns are at most
`MOST_COLUMNS`, or from the products of the rows, where these are at most `MOST_ROWS`.
``--no-reference`` leaves it out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SCRIPTS = Path(__file__).parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

# Rows, columns, type; where the shape is from.
SHAPES = {
    "original": (140_000, 3504, "float16", "scikit-learn issue 5173: Haar coefficients in a map"),
    "long": (500_000, 6400, "float32", "dask issue 3419: 12.8 GB"),
    "wide": (50_000, 40_000, "float32", "where Spark's PCA gives up"),
    "short": (922, 32_032, "float32", "fewer rows than columns"),
}
RIVALS = ("memwave", "memwave-covariance", "memwave-incremental", "incremental-pca", "pca", "dask")
COMPONENTS, BLOCK_ROWS, MOST_COLUMNS, MOST_ROWS = 50, 1024, 8000, 2000


def write_matrix(path: Path, n_rows: int, n_columns: int, dtype: str) -> None:
    """Write rows with a spectrum that falls off slowly, block by block."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(2 * COMPONENTS, n_columns)).astype("float32")
    mixing *= (np.arange(1, 2 * COMPONENTS + 1) ** -0.7)[:, None]
    with open(path, "wb") as file:
        for start in range(0, n_rows, BLOCK_ROWS):
            count = min(BLOCK_ROWS, n_rows - start)
            rows = random.normal(size=(count, 2 * COMPONENTS)).astype("float32") @ mixing
            rows += random.normal(size=rows.shape).astype("float32")
            rows.astype(dtype).tofile(file)


def fit(rival: str, path: Path, n_columns: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Fit, and return components and explained variances."""
    if rival.startswith("memwave"):
        import memwave

        solver = rival.partition("-")[2] or "auto"
        pca = memwave.PCA(COMPONENTS, solver=solver, max_mem_mb=16_000, certify=False)
        pca.fit(path, dtype=dtype, columns=n_columns)
        return pca.components_, pca.explained_variance_
    mapped = np.memmap(path, dtype, "r").reshape(-1, n_columns)
    if rival == "dask":
        import dask.array
        from dask.array.linalg import svd_compressed

        rows = dask.array.from_array(mapped, chunks=(BLOCK_ROWS * 4, n_columns)).astype("float32")
        _, values, vectors = svd_compressed(rows - rows.mean(axis=0), COMPONENTS, n_power_iter=2)
        values, vectors = dask.compute(values, vectors)
        return vectors, values**2 / (len(mapped) - 1)
    from sklearn.decomposition import PCA, IncrementalPCA

    model = PCA(COMPONENTS) if rival == "pca" else IncrementalPCA(COMPONENTS)
    model.fit(mapped)
    return model.components_, model.explained_variance_


def measure(rival: str, path: Path, n_columns: int, dtype: str, out: Path) -> None:
    """Fit once; write time, peak and model."""
    from memwave.workflow.process.memory import PeakMemory

    with PeakMemory() as peak:
        begin = time.perf_counter()
        components, variances = fit(rival, path, n_columns, dtype)
        seconds = time.perf_counter() - begin
    np.savez(out, components=components, variances=variances)
    print(json.dumps({"seconds": round(seconds, 2), "peak_mb": round(peak.bytes / 1e6)}))


def reference(path: Path, n_columns: int, dtype: str) -> np.ndarray | None:
    """Leading eigenvectors of the covariance in float64, (k, d); None if that takes too much."""
    import scipy.linalg

    mapped = np.memmap(path, dtype, "r").reshape(-1, n_columns)
    if len(mapped) > MOST_ROWS and n_columns > MOST_COLUMNS:
        return None
    mean = mapped.mean(axis=0, dtype="float64")
    if len(mapped) <= MOST_ROWS:
        return np.linalg.svd(mapped - mean, full_matrices=False)[2][:COMPONENTS]
    scatter = np.zeros((n_columns, n_columns))
    for start in range(0, len(mapped), BLOCK_ROWS):
        rows = mapped[start : start + BLOCK_ROWS].astype("float64") - mean
        scatter += rows.T @ rows
    top = [n_columns - COMPONENTS, n_columns - 1]
    _, vectors = scipy.linalg.eigh(scatter, subset_by_index=top, overwrite_a=True)
    return vectors.T


def lost(components: np.ndarray, truth: np.ndarray) -> float:
    """1 minus the mean squared cosine between the spaces."""
    return float(1 - np.square(components @ truth.T).sum() / COMPONENTS)


def run(rival: str, arguments: list[str], patience: float) -> dict:
    """Measure in a fresh process."""
    command = [sys.executable, __file__, "--measure", rival, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {patience:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        return {"failed": last[:100]}
    return json.loads(done.stdout)


def main() -> None:
    """Measure all rivals on all shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--column-scale", type=float, default=1.0, help="share of the columns")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--rivals", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--folder", type=Path, help="where the matrices go (default: temporary)")
    parser.add_argument("--patience", type=float, default=3600, help="seconds a fit may take")
    parser.add_argument("--no-reference", action="store_true", help="measure no accuracy")
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        rival, path, n_columns, dtype, out = given.measure
        measure(rival, Path(path), int(n_columns), dtype, Path(out))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for name in given.shapes:
            n_rows, n_columns, dtype, about = SHAPES[name]
            n_rows = max(2 * COMPONENTS, int(n_rows * given.scale))
            n_columns = max(2 * COMPONENTS, int(n_columns * given.column_scale))
            path, out = Path(folder) / "x.mmap", Path(folder) / "model.npz"
            write_matrix(path, n_rows, n_columns, dtype)
            size = path.stat().st_size / 1e6
            print(f"{name} ({about}): {n_rows} x {n_columns} {dtype}, {size:.0f} MB", flush=True)
            truth = None if given.no_reference else reference(path, n_columns, dtype)
            for rival in given.rivals:
                arguments = [str(path), str(n_columns), dtype, str(out)]
                found = run(rival, arguments, given.patience)
                if truth is not None and "failed" not in found:
                    found["lost"] = float(f"{lost(np.load(out)['components'], truth):.1e}")
                print(f"  {rival:22s} {json.dumps(found)}", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
