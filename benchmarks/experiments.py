"""What is compared with what.

An experiment is a list of contenders on the same work; those that are fast take turns and repeat,
those that are slow run once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from accuracy import Reference
from measure import Job, Measurement, measure, measure_command
from stages import Stages
from works import Work

# dask's compressed SVD: power iterations, as many as scikit-learn's randomized PCA takes here.
DASK_ITERATIONS = 4

SKLEARN_INCREMENTAL = "scikit-learn IncrementalPCA"


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes
    ----------
    name : str
    kind : {"memwave", "floor", "rival"}
    run : callable
        Does it and measures it.
    reads, writes : tuple of path
        Files that are brought into the page cache, and files that are deleted, before.
    model : path, optional
        The PCA that it leaves, to be compared with the exact one.
    repeats : int, optional
        None: as often as the others.
    memory_bytes : int
        Does not run where less memory is available.
    """

    name: str
    kind: str
    run: Callable[[], Measurement]
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    model: Path | None = None
    repeats: int | None = None
    memory_bytes: int = 0


@dataclass(frozen=True)
class Bench:
    """A work with its features in one dtype, ready to be measured on; with rivals or without."""

    work: Work
    dtype: str
    rivals: bool

    @cached_property
    def stages(self) -> Stages:
        return self.work.stages(self.dtype)

    @property
    def folder(self) -> Path:
        return self.stages.folder

    @property
    def shards(self) -> list[str]:
        return [str(path) for path in self.stages.shards]

    def make_features(self) -> None:
        """Extract the features, unless they are there."""
        if not all(path.exists() for path in self.stages.shards):
            measure(self.stages.extract(), self.folder)

    def reference(self) -> Reference:
        """The exact PCA, computed once."""
        path = self.folder / "reference.npz"
        if not path.exists():
            arguments = {
                "shards": self.shards,
                "components": self.work.size.components,
                "path": str(path),
            }
            measure([[Job("accuracy.write_reference", arguments, blas_threads=2)]], self.folder)
        return Reference(path)

    def whole(self) -> Path:
        """All rows in one file, as rivals want them; made once."""
        path = self.folder / "whole.npy"
        if not path.exists():
            shape = (self.work.n_windows, self.work.n_features)
            whole = np.lib.format.open_memmap(path, "w+", self.dtype, shape)
            row = 0
            for shard in self.shards:
                part = np.load(shard, mmap_mode="r")
                whole[row : row + len(part)] = part
                row += len(part)
            whole.flush()
        return path


def memwave_fit(bench: Bench, model: str, repeats: int | None = None) -> Contender:
    stages = bench.stages
    return Contender(
        f"memwave {model}",
        "memwave",
        lambda: measure(stages.fit(model), bench.folder),
        reads=tuple(stages.shards),
        writes=(stages.model_file(model),),
        model=stages.model_file(model),
        repeats=repeats,
    )


def job_contender(bench: Bench, name: str, kind: str, job: Job, **options) -> Contender:
    """A contender that is a single process."""
    return Contender(name, kind, lambda: measure([[job]], bench.folder), **options)


def rival_fit(bench: Bench, name: str, function: str, threads: int = 2, **arguments) -> Contender:
    """A rival that fits PCA on one file of all rows, once."""
    model = bench.folder / f"{function}-{'-'.join(map(str, arguments.values()))}.npz"
    arguments |= {
        "features": str(bench.folder / "whole.npy"),
        "components": bench.work.size.components,
        "model": str(model),
    }
    singles = 4 * bench.work.n_windows * bench.work.n_features
    return job_contender(
        bench,
        name,
        "rival",
        Job(f"rivals.{function}", arguments, blas_threads=threads),
        reads=(bench.whole(),),
        model=model,
        repeats=1,
        memory_bytes=5 * singles,
    )


def extract(bench: Bench) -> Iterator[Contender]:
    """Features from recordings."""
    stages, work = bench.stages, bench.work
    copies = [bench.folder / f"copy-{path.name}" for path in stages.shards]
    yield Contender(
        "memwave extract",
        "memwave",
        lambda: measure(stages.extract(), bench.folder),
        reads=tuple(work.recordings.values()),
        writes=(*stages.shards, *copies),
    )
    jobs = [copy_job(job, copy) for job, copy in zip(stages.extract()[0], copies, strict=True)]
    yield Contender(
        "copying ready-made rows",
        "floor",
        lambda: measure([jobs], bench.folder),
        writes=(*stages.shards, *copies),
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
        yield job_contender(
            bench, "loop over windows", "rival", job, writes=(*stages.shards, *copies, loop)
        )


def copy_job(job: Job, target: Path) -> Job:
    """The floor of one job of extraction: a file of the same size."""
    features = np.load(job.arguments["shard"], mmap_mode="r")
    arguments = {
        "path": str(target),
        "rows": features.shape[0],
        "features": features.shape[1],
        "dtype": features.dtype.name,
        "block_rows": job.arguments["block_rows"],
    }
    return Job("floors.copy_rows", arguments)


def fit_covariance(bench: Bench) -> Iterator[Contender]:
    """Exact PCA."""
    yield memwave_fit(bench, "covariance")
    arguments = {"shards": bench.shards, "components": bench.work.size.components}
    yield job_contender(
        bench,
        "bare syrk + eigh",
        "floor",
        Job("floors.syrk_eigh", arguments, blas_threads=2),
        reads=tuple(bench.stages.shards),
    )
    if bench.rivals:
        yield rival_fit(
            bench, "scikit-learn PCA, covariance_eigh", "in_core", solver="covariance_eigh"
        )


def fit_incremental(bench: Bench) -> Iterator[Contender]:
    """PCA in one pass and little memory."""
    size = bench.work.size
    yield memwave_fit(bench, "incremental")
    for rows in size.other_batches:
        yield memwave_fit(bench, f"incremental-{rows}", repeats=1)
    if not bench.rivals:
        return
    if bench.work.name != "a":  # there it is a part of the repaired script
        yield rival_fit(bench, SKLEARN_INCREMENTAL, "incremental_fit")
    yield rival_fit(
        bench,
        f"scikit-learn IncrementalPCA, batches of {size.rival_batch}",
        "incremental_batches",
        batch_rows=size.rival_batch,
    )


def fit_randomized(bench: Bench) -> Iterator[Contender]:
    """PCA in a few passes."""
    yield memwave_fit(bench, "randomized")
    settings = bench.stages.model_settings("randomized")
    arguments = {
        "shards": bench.shards,
        "passes": settings["passes"],
        "columns": settings["columns"] or 2 * bench.work.size.components,
    }
    yield job_contender(
        bench,
        "bare GEMM passes",
        "floor",
        Job("floors.gemm_passes", arguments, blas_threads=2),
        reads=tuple(bench.stages.shards),
    )
    if not bench.rivals:
        return
    yield rival_fit(bench, "scikit-learn PCA, randomized", "in_core", solver="randomized")
    yield rival_fit(
        bench,
        "dask svd_compressed",
        "dask_svd",
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
        writes=(stages.projection_file("covariance"),),
    )
    components = bench.work.size.components
    jobs, targets = [], []
    for shard in bench.shards:
        targets.append(bench.folder / f"scores-{Path(shard).stem}.dat")
        arguments = {"shards": [shard], "components": components, "path": str(targets[-1])}
        jobs.append(Job("floors.gemm_write", arguments))
    yield Contender(
        "bare read + GEMM + write",
        "floor",
        lambda: measure([jobs], bench.folder),
        reads=tuple(stages.shards),
        writes=tuple(targets),
    )


def pipeline(bench: Bench) -> Iterator[Contender]:
    """From recordings to the projection."""
    stages, work = bench.stages, bench.work
    folder = bench.folder / "pipeline"
    yield Contender(
        "snakemake --cores 2",
        "memwave",
        lambda: measure_command(stages.pipeline(folder), folder),
        reads=tuple(work.recordings.values()),
        writes=(folder,),
        model=stages.model_file("covariance", folder),
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
        "the original script, repaired",
        "rival",
        Job("rivals.repaired_script", arguments, blas_threads=2),
        writes=(target,),
        model=bench.folder / "script.npz",
        repeats=1,
    )


EXPERIMENTS = {
    "extract": extract,
    "project": project,
    "fit-covariance": fit_covariance,
    "fit-randomized": fit_randomized,
    "pipeline": pipeline,
    "fit-incremental": fit_incremental,
}


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


SCALED = ("project", "fit-covariance", "fit-randomized", "fit-incremental")

PLAN = (
    Entry("a", "float32", tuple(EXPERIMENTS)),
    Entry("a", "float16", ("extract",), ("memwave", "floor")),
    Entry("a", "float16", (*SCALED, "pipeline"), ("memwave",), judged=False),
    Entry("b", "float16", ("fit-covariance", "fit-randomized", "fit-incremental")),
    Entry("c", "float16", ("extract", *SCALED), ("memwave",), judged=False, repeated=False),
)
