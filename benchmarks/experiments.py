"""What is compared with what.

An experiment is a list of contenders on the same work; those that are fast take turns and repeat,
those that are slow run once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from contenders import (
    COPY,
    EIGH,
    GEMM_PASSES,
    GEMM_WRITE,
    LOOP,
    SCRIPT,
    SKLEARN_INCREMENTAL,
    WORKFLOW,
    WRITE,
    Bench,
    Contender,
    job_contender,
    memwave_fit,
    rival_fit,
)
from measure import Job, measure, measure_command
from works import Size

from memwave.pca.solvers import randomized

# dask's compressed SVD: power iterations, as many as scikit-learn's randomized PCA takes here.
DASK_ITERATIONS = 4

# What takes a second or two runs so many times as often as the rest, if that repeats.
SHORT = 3


def often(size: Size) -> int:
    """Runs of what takes a second or two."""
    return SHORT * size.repeats if size.repeats > 1 else 1


def extract(bench: Bench) -> Iterator[Contender]:
    """Features from recordings."""
    stages, work = bench.stages, bench.work
    copies = [bench.folder / f"copy-{path.name}" for path in stages.shards]
    repeats = often(work.size)
    yield Contender(
        "memwave extract",
        "memwave",
        lambda: measure(stages.extract(), bench.folder),
        reads=tuple(work.recordings.values()),
        writes=tuple(stages.shards),
        repeats=repeats,
    )
    for name, mapped in ((COPY, True), (WRITE, False)):
        pairs = zip(stages.extract()[0], copies, strict=True)
        yield Contender(
            name,
            "floor",
            partial(measure, [[copy_job(job, copy, mapped) for job, copy in pairs]], bench.folder),
            writes=tuple(copies),
            repeats=repeats,
        )
    (recording, *others) = work.recordings.values()
    if bench.rivals and not others:
        loop = bench.folder / "loop.dat"
        arguments = {
            "recording": str(recording),
            "window": work.size.window,
            "dtype": bench.dtype,
            "path": str(loop),
        }
        job = Job("rivals.loop_only", arguments)
        yield job_contender(bench, LOOP, "rival", job, writes=(loop,))


def copy_job(job: Job, target: Path, mapped: bool) -> Job:
    """The floor of one job of extraction: a file of the same size."""
    features = np.load(job.arguments["shard"], mmap_mode="r")
    arguments = {
        "path": str(target),
        "rows": features.shape[0],
        "features": features.shape[1],
        "dtype": features.dtype.name,
        "block_rows": job.request[0].block_rows,
        "mapped": mapped,
    }
    return Job("floors.copy_rows", arguments)


def fit_covariance(bench: Bench) -> Iterator[Contender]:
    """Exact PCA."""
    yield memwave_fit(bench, "covariance")
    yield memwave_fit(bench, "lag-covariance")
    arguments = {"shards": bench.shards, "components": bench.work.size.components}
    yield job_contender(
        bench,
        EIGH,
        "floor",
        Job("floors.syrk_eigh", arguments, blas_threads=2),
        reads=tuple(bench.stages.shards),
    )
    if bench.rivals:
        yield memwave_fit(bench, "covariance-float64", repeats=1)
        yield rival_fit(
            bench, "scikit-learn PCA, covariance_eigh", "rivals.in_core", solver="covariance_eigh"
        )


def fit_incremental(bench: Bench) -> Iterator[Contender]:
    """PCA in one pass and little memory."""
    size = bench.work.size
    yield memwave_fit(bench, "incremental", repeats=2)
    if not bench.rivals:
        return
    if len(bench.work.recordings) > 1:
        yield rival_fit(bench, SKLEARN_INCREMENTAL, "rivals.incremental_fit")
        return  # on the other works this is a part of the script, and there is time for more
    for rows in size.other_batches:
        yield memwave_fit(bench, f"incremental-{rows}", repeats=1)
    yield rival_fit(
        bench,
        f"scikit-learn IncrementalPCA, batches of {size.rival_batch}",
        "rivals.incremental_batches",
        batch_rows=size.rival_batch,
    )


def fit_randomized(bench: Bench) -> Iterator[Contender]:
    """PCA in a few passes."""
    yield memwave_fit(bench, "randomized")
    yield memwave_fit(bench, "randomized-4", repeats=1)
    settings = bench.stages.model_settings("randomized")
    arguments = {
        "shards": bench.shards,
        "passes": settings["passes"],
        "columns": randomized.columns(bench.work.n_features, settings),
    }
    yield job_contender(
        bench,
        GEMM_PASSES,
        "floor",
        Job("floors.gemm_passes", arguments, blas_threads=2),
        reads=tuple(bench.stages.shards),
    )
    if not bench.rivals:
        return
    yield memwave_fit(bench, "randomized-float64", repeats=1)
    yield rival_fit(bench, "scikit-learn PCA, randomized", "rivals.in_core", solver="randomized")
    yield rival_fit(
        bench,
        "dask svd_compressed",
        "rivals_dask.dask_svd",
        threads=1,
        block_rows=max(100, bench.work.n_windows // 32),
        iterations=DASK_ITERATIONS,
    )


def project(bench: Bench) -> Iterator[Contender]:
    """Scores of all windows."""
    stages = bench.stages
    if not stages.model_file("covariance").exists():
        measure(stages.fit("covariance"), bench.folder)
    yield Contender(
        "memwave project",
        "memwave",
        lambda: measure(stages.project("covariance"), bench.folder),
        reads=tuple(stages.shards),
        writes=(stages.projection_file("covariance"), *stages.projected_parts("covariance")),
        repeats=often(bench.work.size),
    )
    components = bench.work.size.components
    jobs, targets = [], []
    for shard in bench.shards:
        targets.append(bench.folder / f"scores-{Path(shard).stem}.dat")
        arguments = {"shards": [shard], "components": components, "path": str(targets[-1])}
        jobs.append(Job("floors.gemm_write", arguments))
    yield Contender(
        GEMM_WRITE,
        "floor",
        lambda: measure([jobs], bench.folder),
        reads=tuple(stages.shards),
        writes=tuple(targets),
        repeats=often(bench.work.size),
    )


def pipeline(bench: Bench) -> Iterator[Contender]:
    """From recordings to the projection."""
    stages, work = bench.stages, bench.work
    folder = bench.folder / "pipeline"
    yield Contender(
        WORKFLOW,
        "memwave",
        lambda: measure_command(stages.pipeline(folder), folder),
        reads=tuple(work.recordings.values()),
        writes=(folder,),
        model=stages.model_file("auto", folder),
    )
    if not bench.rivals:
        return
    target = bench.folder / "script"
    arguments = {
        "recording": str(next(iter(work.recordings.values()))),
        "window": work.size.window,
        "dtype": bench.dtype,
        "components": work.size.components,
        "folder": str(target),
        "model": str(bench.folder / "script.npz"),
    }
    yield job_contender(
        bench,
        SCRIPT,
        "rival",
        Job("rivals.repaired_script", arguments, blas_threads=2),
        writes=(target,),
        model=bench.folder / "script.npz",
        repeats=1,
    )


EXPERIMENTS = {
    "extract": extract,
    "fit-covariance": fit_covariance,
    "project": project,
    "fit-randomized": fit_randomized,
    "pipeline": pipeline,
    "fit-incremental": fit_incremental,
}

# Experiments that write features: memory that is touched before every run, in feature matrices.
# With five, which of the contenders is given slow memory was seen to be no question of turns.
TOUCHED = {"extract": 5, "pipeline": 5}


@dataclass(frozen=True)
class Entry:
    """Experiments on one work, in one dtype.

    Attributes
    ----------
    work, dtype : str
    experiments : tuple of str
    kinds : tuple of str
        Kinds of contenders.
    judged : bool
        Whether models are compared with the exact one.
    repeated : bool
        Whether fast contenders run several times.
    """

    work: str
    dtype: str
    experiments: tuple[str, ...]
    kinds: tuple[str, ...] = ("memwave", "floor", "rival")
    judged: bool = True
    repeated: bool = True


SCALED = ("fit-covariance", "project", "fit-randomized", "fit-incremental")

PLAN = (
    Entry("a", "float32", tuple(EXPERIMENTS)),
    Entry("a", "float16", ("extract",), ("memwave", "floor")),
    Entry("a", "float16", (*SCALED, "pipeline"), ("memwave",), judged=False, repeated=False),
    Entry("c", "float16", ("extract", *SCALED), ("memwave",), judged=False, repeated=False),
    Entry("b", "float16", ("fit-covariance", "fit-randomized", "fit-incremental")),
)
