"""Ways to do a piece of work, and what they need prepared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from accuracy import Reference
from measure import Job, Measurement, measure
from stages import Stages
from works import Work

# Names that the report looks for.
COPY = "copying ready-made rows into maps"
WRITE = "writing ready-made rows"
LOOP = "loop over windows"
EIGH = "bare syrk + eigh"
GEMM_PASSES = "bare GEMM passes"
GEMM_WRITE = "bare read + GEMM + write"
WORKFLOW = "snakemake --cores 2"
SCRIPT = "the original script, repaired"
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
        None: as the size of the work says.
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
    model = bench.folder / f"{name}.npz"
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
        Job(function, arguments, blas_threads=threads),
        reads=(bench.whole(),),
        model=model,
        repeats=1,
        memory_bytes=5 * singles,
    )
