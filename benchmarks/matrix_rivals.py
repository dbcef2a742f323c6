"""Times PCA of matrices on a disk: memwave and what else there is, each in a process of its own.

``python benchmarks/matrix_rivals.py --shapes original short`` fits the two shapes of the table in
docs/from-incrementalpca.md by every rival, and prints the table; ``--scale 0.05`` takes that share
of their rows. Rivals are scikit-learn's IncrementalPCA (fit on the map, and partial_fit in a loop
over blocks of it), its PCA in memory, and dask's svd_compressed. All have the same number of
threads. With ``--repeats`` all rivals take turns, and medians are printed. A fit that takes longer
than ``--patience``, or fails, is not repeated. Times include the import of the libraries. Peaks are
of anonymous memory, so that no page of a map counts. The reference for the accuracy is computed in
float64: from the covariance, block by block, where the columns are at most `MOST_COLUMNS`, or from
the products of the rows, where these are at most `MOST_ROWS`. ``--no-reference`` leaves it out.
"""

import argparse
import json
import os
import statistics
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
# What the table calls them.
RIVALS = {
    "memwave": "`memwave.PCA`, `auto`",
    "memwave-covariance": "`memwave.PCA`, `covariance`",
    "memwave-incremental": "`memwave.PCA`, `incremental`",
    "incremental-pca": "`IncrementalPCA` on the map",
    "partial-fit": "`IncrementalPCA`, `partial_fit` in a loop",
    "pca": "`PCA` in memory",
    "dask": "dask, `svd_compressed`, two power iterations",
}
COMPONENTS, BLOCK_ROWS, MOST_COLUMNS, MOST_ROWS = 50, 1024, 8000, 2000
# Keeps `covariance` from the shapes whose eigenvectors would take hours.
MAX_MEM_MB = 4000


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


def fit(
    rival: str, path: Path, n_columns: int, dtype: str, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit, and return components and explained variances."""
    if rival.startswith("memwave"):
        import memwave

        solver = rival.partition("-")[2] or "auto"
        pca = memwave.PCA(
            COMPONENTS, solver=solver, max_mem_mb=MAX_MEM_MB, certify=False, threads=threads
        )
        pca.fit(path, dtype=dtype, columns=n_columns)
        return pca.components_, pca.explained_variance_
    mapped = np.memmap(path, dtype, "r").reshape(-1, n_columns)
    if rival == "dask":
        import dask.array
        from dask.array.linalg import svd_compressed

        rows = dask.array.from_array(mapped, chunks=(BLOCK_ROWS * 4, n_columns)).astype("float32")
        _, values, vectors = svd_compressed(rows - rows.mean(axis=0), COMPONENTS, n_power_iter=2)
        values, vectors = dask.compute(values, vectors, scheduler="threads", num_workers=threads)
        return vectors, values**2 / (len(mapped) - 1)
    from sklearn.decomposition import PCA, IncrementalPCA

    model = PCA(COMPONENTS) if rival == "pca" else IncrementalPCA(COMPONENTS)
    if rival == "partial-fit":
        for start in range(0, len(mapped), BLOCK_ROWS):
            stop = start + BLOCK_ROWS
            is_last = len(mapped) - stop < COMPONENTS  # too few rows for a block of their own
            model.partial_fit(mapped[start : None if is_last else stop])
            if is_last:
                break
    else:
        model.fit(mapped)
    return model.components_, model.explained_variance_


def measure(rival: str, path: Path, n_columns: int, dtype: str, threads: int, out: Path) -> None:
    """Fit once; write time, peak and model."""
    from memwave.workflow.process.memory import PeakMemory

    with PeakMemory() as peak:
        begin = time.perf_counter()
        components, variances = fit(rival, path, n_columns, dtype, threads)
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
    cosines = np.square(components.astype("float64") @ truth.T)
    return max(0.0, float(1 - cosines.sum() / COMPONENTS))


def run(rival: str, arguments: list[str], threads: int, patience: float) -> dict:
    """Measure in a fresh process."""
    command = [sys.executable, __file__, "--measure", rival, *arguments]
    # dask computes its chunks in threads of its own, so BLAS has one.
    blas = str(1 if rival == "dask" else threads)
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, blas)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=patience, env=environment
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {patience:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        return {"failed": last[:100]}
    return json.loads(done.stdout)


def compare(path: Path, n_columns: int, dtype: str, given: argparse.Namespace) -> dict[str, dict]:
    """Measure all rivals on a matrix, in turns; return the medians of each."""
    truth = None if given.no_reference else reference(path, n_columns, dtype)
    out = path.with_name("model.npz")
    runs: dict[str, list[dict]] = {rival: [] for rival in given.rivals}
    for _ in range(given.repeats):
        for rival, known in runs.items():
            if known and "failed" in known[-1]:
                continue
            arguments = [str(path), str(n_columns), dtype, str(given.threads), str(out)]
            found = run(rival, arguments, given.threads, given.patience)
            if truth is not None and "failed" not in found:
                found["lost"] = lost(np.load(out)["components"], truth)
            known.append(found)
            print(f"  {rival:22s} {json.dumps(found)}", flush=True)
    return {rival: median(known) for rival, known in runs.items()}


def median(runs: list[dict]) -> dict:
    """Return the medians of all figures; or the failure, if there is one."""
    if "failed" in runs[-1]:
        return runs[-1]
    return {name: statistics.median(found[name] for found in runs) for name in runs[0]}


def table(title: str, found: dict[str, dict]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [f"| {title} | seconds | peak, MB | error |", "|---|---|---|---|"]
    for rival, figures in found.items():
        if "failed" in figures:
            lines.append(f"| {RIVALS[rival]} | {figures['failed']} | | |")
            continue
        error = f"{figures['lost']:.0e}" if "lost" in figures else "not measured"
        lines.append(
            f"| {RIVALS[rival]} | {figures['seconds']:.3g} | {figures['peak_mb']:.0f} | {error} |"
        )
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--column-scale", type=float, default=1.0, help="share of the columns")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--rivals", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--repeats", type=int, default=1, help="fits of each rival")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of each rival (default: all cores)"
    )
    parser.add_argument("--folder", type=Path, help="where the matrices go (default: temporary)")
    parser.add_argument("--patience", type=float, default=3600, help="seconds a fit may take")
    parser.add_argument("--no-reference", action="store_true", help="measure no accuracy")
    parser.add_argument("--measure", nargs=6, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure all rivals on all shapes, and print a table of each."""
    given = parse()
    if given.measure:
        rival, path, n_columns, dtype, threads, out = given.measure
        measure(rival, Path(path), int(n_columns), dtype, int(threads), Path(out))
        return
    print(f"{given.threads} threads; load average {os.getloadavg()[0]:.1f} before", flush=True)
    tables = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for name in given.shapes:
            n_rows, n_columns, dtype, about = SHAPES[name]
            n_rows = max(2 * COMPONENTS, int(n_rows * given.scale))
            n_columns = max(2 * COMPONENTS, int(n_columns * given.column_scale))
            path = Path(folder) / "x.mmap"
            write_matrix(path, n_rows, n_columns, dtype)
            size = path.stat().st_size / 1e6
            title = f"{n_rows:,} x {n_columns}, {dtype} ({size:.0f} MB)"
            print(f"{name} ({about}): {title}", flush=True)
            tables.append(table(title, compare(path, n_columns, dtype, given)))
            path.unlink()
    print("\n" + "\n\n".join(tables))


if __name__ == "__main__":
    main()
