"""Measure how fits gain from threads, and that no bit depends on them.

Fits are repeated with 1, 2, 4 ... threads in one process, each with BLAS in one thread, on
synthetic rows in shards and on synthetic recordings. Prints the seconds, the gain over one thread,
whether all bits of the model are equal, and Amdahl's fraction: the share f of the time that threads
do not divide, fitted to all times by ``1 / gain = f + (1 - f) / threads``::

    python benchmarks/threads.py --threads 1 2 4 8 16 --scratch /tmp/threads
    taskset -c 0 python benchmarks/threads.py --threads 1 4 --only finish --scratch /tmp/threads

``finish`` is what `fit_model` does with the matrix of `covariance` and `lag-covariance`.
"""

import argparse
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from threadpoolctl import threadpool_limits

from memwave.core.workers import working
from memwave.pca.linalg.triangle import Triangle
from memwave.pca.model import Model
from memwave.pca.solvers import concrete_solvers, load_libraries, solver_module
from memwave.pca.solvers.covariance import Scatter, model_of
from memwave.pca.streaming import fit_shards
from memwave.storage.shards import Shard, create_shard

COMPONENTS, SHARDS, BLOCK_BYTES = 50, 16, 8_000_000
SILENT = SimpleNamespace(add=lambda n: None, restart=lambda: None, close=lambda: None)

# Rows and features: as memwave began, and few rows of many features.
TALL, FEW = (60_000, 3504), (4000, 32_032)
SIGNALS = {"lag-covariance": (140_000, 1001, 7), "lag-randomized": (60_000, 1001, 64)}


def options(solver: str) -> dict:
    """A complete entry of ``models``."""
    defaults = {key: rule["default"] for key, rule in solver_module(solver).OPTIONS.items()}
    common = {"n_components": COMPONENTS, "standardize": False, "compute_dtype": "auto"}
    return {"solver": solver, **common, **defaults}


def write_rows(folder: Path, shape: tuple[int, int]) -> list[Path]:
    """Shards of rows whose variances decay slowly, float32."""
    (n, d), random = shape, np.random.default_rng(0)
    turn = random.standard_normal((200, d), np.float32) * np.arange(1, 201)[:, None] ** -0.5
    paths = []
    for i in range(SHARDS):
        rows = n * (i + 1) // SHARDS - n * i // SHARDS
        paths.append(folder / f"{n}x{d}-{i}.npy")
        with create_shard(paths[-1], (rows, d), "float32") as shard, shard.next_rows(rows) as new:
            new[:] = random.standard_normal((rows, 200), np.float32) @ turn
            new += random.standard_normal((rows, d), np.float32)
    return paths


def fit_rows(solver: str, paths: list[Path], threads: int) -> Model:
    shards = [Shard(path, n_features=np.load(path, "r").shape[1]) for path in paths]
    try:
        return fit_shards(
            shards,
            [[(0, shard.shape[0])] for shard in shards],
            options(solver),
            dtype="float32",
            block_rows=BLOCK_BYTES // (4 * shards[0].shape[1]),
            threads=threads,
            progress=SILENT,
        )
    finally:
        for shard in shards:
            shard.close()


def finish(matrix: np.ndarray, threads: int) -> Model:
    """Merge the scatter matrices of all shards, and find the eigenpairs."""
    total, other = scatter_of(matrix, 0), scatter_of(matrix, 1)
    with working(threads):
        for _ in range(1, SHARDS):
            total.merge(other)
        return model_of(total, COMPONENTS, "covariance")


def scatter_of(matrix: np.ndarray, shard: int) -> Scatter:
    scatter = Scatter(np.full(len(matrix), 0.01 * shard), "float64")
    scatter.count, scatter.products = 10_000, Triangle(len(matrix))
    for start, stop, panel in scatter.products.panels():
        panel[:] = matrix[start:stop, start:]
    return scatter


def fit_signal(solver: str, threads: int) -> Callable[[], Model]:
    """A fit to a synthetic recording in memory; PyWavelets is needed."""
    from synthetic import signal

    from memwave.features.spec import FeatureSpec
    from memwave.pca.lags.lags import chunks_of, sum_lags, windows_of

    n, window, channels = SIGNALS[solver]
    spec = FeatureSpec(
        window, 1, "haar", 1, ("d1",), "interleaved", "symmetric", "float32", ("c",) * channels
    )
    recording = np.concatenate(list(signal(n + window - 1, channels, 0)))
    windows = windows_of(spec)

    def chunks(size):
        for low in range(0, n, size):
            yield recording[low : min(low + size, n) + window - 1]

    def fit() -> Model:
        made = solver_module(solver).Solver(spec, options(solver))
        with working(threads):
            if solver == "lag-randomized":
                return made.fit(chunks, threads)
            made.merge(sums)
            return made.finish()

    if solver == "lag-covariance":
        pieces = (recording[a:b].astype(float) for a, b in chunks_of(windows, n))
        sums = sum_lags(windows, pieces, recording.mean(axis=0))
    return fit


def report(name: str, fits: dict[int, Callable[[], Model]]) -> None:
    """Run the fits, by number of threads, and print what they took."""
    seconds, digests = {}, {}
    for threads, fit in fits.items():
        begin = time.perf_counter()
        model = fit()
        seconds[threads] = time.perf_counter() - begin
        bits = model.components.tobytes() + model.explained_variance.tobytes()
        digests[threads] = hashlib.sha256(bits).hexdigest()[:12]
    first, *others = seconds
    gains = ", ".join(f"{n}: {s:.2f} s ({seconds[first] / s:.1f}x)" for n, s in seconds.items())
    text = f"{name}: {gains}; bits {'equal' if len(set(digests.values())) == 1 else 'DIFFER'}"
    if first == 1 and others:
        divided = np.array([1 - 1 / n for n in others])
        left = np.array([seconds[n] / seconds[1] for n in others]) - 1 / np.array(others)
        text += f" ({digests[first]}); Amdahl's fraction {divided @ left / (divided @ divided):.2f}"
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    names = ["finish", *concrete_solvers()]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for all files")
    given = parser.parse_args()
    for solver in concrete_solvers():
        load_libraries(solver)
    print(f"{len(os.sched_getaffinity(0))} cores")
    given.scratch.mkdir(parents=True, exist_ok=True)
    try:
        with threadpool_limits(1):
            measure(given)
    finally:
        shutil.rmtree(given.scratch, ignore_errors=True)


def measure(given: argparse.Namespace) -> None:
    """Measure what was asked for."""
    if "finish" in given.only:
        rows = np.random.default_rng(0).standard_normal((8000, TALL[1]))
        rows *= np.arange(1, TALL[1] + 1) ** -0.5
        matrix = rows.T @ rows
        report("finish", {n: partial(finish, matrix, n) for n in given.threads})
    for shape, solvers in ((TALL, ("covariance", "randomized", "incremental")), (FEW, ("gram",))):
        wanted = [solver for solver in solvers if solver in given.only]
        paths = write_rows(given.scratch, shape) if wanted else []
        for solver in wanted:
            fits = {n: partial(fit_rows, solver, paths, n) for n in given.threads}
            report(f"{solver}, {shape[0]:,} x {shape[1]:,}", fits)
    for solver in SIGNALS:
        if solver in given.only:
            report(solver, {n: fit_signal(solver, n) for n in given.threads})


if __name__ == "__main__":
    main()
