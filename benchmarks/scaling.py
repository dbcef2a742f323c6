"""Time, memory, disk and jobs of a run against its size: a model, and measured runs beside it.

``python benchmarks/scaling.py`` prints the tables of docs/scaling.md.
``python benchmarks/scaling.py --measure 100000 --solver covariance --folder scratch`` runs the
workflow on so many windows of a synthetic recording, adds what its jobs measured of themselves to
docs/scaling.json, and deletes what it wrote.
"""

import argparse
import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from measure import snakemake
from synthetic import write_recording

sys.path.append(str(Path(__file__).parents[1] / "scripts"))

from memwave.features.spec import FeatureSpec
from memwave.pca.solvers import solver_module
from memwave.workflow.config.settings import complete_model
from memwave.workflow.planning import runtime
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages

ROOT = Path(__file__).parents[1]
CHANNELS = [f"c{i}" for i in range(7)]
FEATURES = {
    "window": 1001,
    "dtype": "float16",
    "wavelet": "haar",
    "level": 1,
    "bands": ["d1"],
    "layout": "interleaved",
}
COMPONENTS = 50
SOLVERS = ("covariance", "randomized", "lag-covariance")
BLOCK_MB, THREADS = 32, 2
SIZES = (10**5, 10**6, 10**7, 10**8, 10**9)
SHARD_BYTES = 10e9  # of features, in a run on a cluster
SIDE_BY_SIDE = (2, 100)
MEASURED = ROOT / "docs" / "scaling.json"
# Bytes of a row of projection.h5: scores in float32, and the columns beside them.
SCORE, BESIDE = 4, 4 + 8 + 1 + 4 + 8


@dataclass(frozen=True)
class Run:
    """A run of one experiment on `n_windows` windows, fitted by `solver`, in `shards` shards."""

    n_windows: int
    solver: str
    shards: int

    @property
    def spec(self) -> FeatureSpec:
        defaults = {"step": 1, "level": 1, "bands": ["d1"], "layout": "interleaved"}
        defaults |= {"mode": "symmetric", "scale": "none"}
        return FeatureSpec.from_settings(defaults | FEATURES, CHANNELS)

    @property
    def model(self) -> dict:
        return complete_model({"solver": self.solver, "n_components": COMPONENTS})

    @property
    def sizes(self) -> Sizes:
        return Sizes(BLOCK_MB, self.shards, THREADS)

    def seconds(self, rates: runtime.Rates = runtime.LOCAL) -> dict[str, float]:
        """Estimated seconds of one job of each stage."""
        everything = runtime.predict(self.spec, self.model, self.n_windows, self.sizes, rates)
        return {stage: everything[stage] for stage in self.memory()}

    def core_seconds(self) -> dict[str, float]:
        """Estimated processor time of one job of each stage."""
        seconds = self.seconds()
        if not solver_module(self.solver).Solver.ONE_PASS:
            seconds["fit_model"] *= min(THREADS, self.shards)
        return seconds

    def memory(self) -> dict[str, int]:
        """Predicted MB of each stage; its keys are the stages that there are."""
        predicted = predict_stages(self.spec, self.model, self.sizes)
        return {stage: mb for stage, mb in predicted.items() if not stage.startswith("measure_")}

    def jobs(self) -> dict[str, int]:
        """Number of jobs of each stage."""
        once = ("fit_model", "write_projection")
        return {stage: 1 if stage in once else self.shards for stage in self.memory()}

    def elapsed(self, at_once: int) -> float:
        """Estimated seconds with so many jobs side by side, stage after stage."""
        jobs, seconds = self.jobs(), self.seconds()
        return sum(-(-jobs[stage] // at_once) * seconds[stage] for stage in jobs)

    def disk(self) -> dict[str, float]:
        """Bytes of what is kept, and of what is there for a while."""
        row = self.spec.n_features * np.dtype(self.spec.dtype).itemsize
        table = float(self.n_windows) * (COMPONENTS * SCORE + BESIDE)
        solver, summaries = solver_module(self.solver), 0.0
        if solver.Solver.FROM_SIGNAL:
            summaries = float(self.shards) * solver.summary_bytes(self.spec)
        elif solver.Solver.ONE_PASS:
            one = solver.summary_bytes(self.spec.n_features, self.model, 4)
            summaries = float(self.shards) * one
        return {
            "features": float(self.n_windows) * row,
            "projection": table,
            "for a while": max(summaries, table),
        }


def planned(n_windows: int, solver: str) -> Run:
    """A run with shards of about `SHARD_BYTES`, at least four."""
    bytes_ = Run(n_windows, solver, 1).disk()["features"]
    return Run(n_windows, solver, max(4, -(-int(bytes_) // int(SHARD_BYTES))))


def measure(run: Run, folder: Path) -> dict[str, Any]:
    """Run the workflow; return seconds, memory and bytes by stage. What it wrote is deleted."""
    folder.mkdir(parents=True)
    try:
        return _measure(run, folder)
    finally:
        shutil.rmtree(folder)


def _measure(run: Run, folder: Path) -> dict[str, Any]:
    write_recording(folder / "signal.npy", run.n_windows + FEATURES["window"] - 1)
    (folder / "sheet.tsv").write_text("recording\tpath\nsignal\tsignal.npy\n")
    model = {"solver": run.solver, "n_components": COMPONENTS}
    experiment = {"dataset": "synthetic", "features": "haar", "model": "pca"}
    config = {
        "datasets": {"synthetic": {"recordings": "sheet.tsv", "channels": CHANNELS}},
        "features": {"haar": FEATURES},
        "models": {"pca": model},
        "experiments": [experiment],
        "shards": run.shards,
        "block_mb": BLOCK_MB,
        "threads": THREADS,
        "plots": False,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = snakemake("--configfile", "config.yaml", "--snakefile", str(ROOT / "Snakefile"))
    begin, used = time.perf_counter(), processor_seconds()
    subprocess.run(command, cwd=folder, check=True)
    elapsed = time.perf_counter() - begin
    jobs = [json.loads(path.read_text()) for path in folder.glob("results/**/usage/**/*.json")]
    peaks = {
        stage: [j["peak_anonymous_mb"] for j in jobs if j["stage"] == stage]
        for stage in run.memory()
    }
    stages = {
        stage: {"core_seconds": core_seconds(folder, stage), "peak_mb": max(peaks[stage])}
        for stage in run.memory()
    }
    projection = folder / "results/synthetic/haar/pca/projection.h5"
    shards = folder.glob("results/synthetic/haar/features/*.npy")
    return {
        "windows": run.n_windows,
        "solver": run.solver,
        "shards": run.shards,
        "elapsed": elapsed,
        "core_seconds": processor_seconds() - used,
        "stages": stages,
        "features_bytes": sum(shard.stat().st_size for shard in shards),
        "projection_bytes": projection.stat().st_size,
        "load": os.getloadavg()[1],
    }


def processor_seconds() -> float:
    """Processor time of all programs that this one has started, and that have ended."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def core_seconds(folder: Path, stage: str) -> float:
    """Mean processor time of a stage's jobs, start included, as Snakemake has measured it."""
    times = []
    for path in folder.glob(f"logs/benchmarks/{stage}/**/*.tsv"):
        with open(path, encoding="utf-8", newline="") as file:
            times += [float(row["cpu_time"]) for row in csv.DictReader(file, delimiter="\t")]
    return sum(times) / len(times)


def model_table() -> str:
    """Every size with every solver, by the model."""
    lines = [
        "| windows | solver | features | projection | for a while | shards | jobs | submissions | "
        "largest job | core hours | elapsed, 2 at once | elapsed, 100 at once |",
        "|" + " --- |" * 12,
    ]
    for n_windows in SIZES:
        for solver in SOLVERS:
            run = planned(n_windows, solver)
            jobs, seconds, disk = run.jobs(), run.core_seconds(), run.disk()
            core = sum(jobs[stage] * seconds[stage] for stage in jobs) / 3600
            grouped = sum(-(-count // 4) for count in jobs.values()) + 1
            cells = [power(n_windows), solver, *map(size, disk.values()), str(run.shards)]
            cells += [str(sum(jobs.values()) + 1), str(grouped), f"{max(run.memory().values())} MB"]
            cells += [two_digits(core), *(duration(run.elapsed(n)) for n in SIDE_BY_SIDE)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measured_table(measured: list[dict]) -> str:
    """Processor time and memory of a job in measured runs, beside what the model says."""
    lines = [
        "| windows | solver | stage | jobs | core seconds, measured | by the model | ratio | "
        "MB, measured | predicted |",
        "|" + " --- |" * 9,
    ]
    for record in measured:
        run = Run(record["windows"], record["solver"], record["shards"])
        jobs, expected, predicted = run.jobs(), run.core_seconds(), run.memory()
        for stage, use in record["stages"].items():
            seconds, model = use["core_seconds"], expected[stage]
            # A job that ends before Snakemake looks at it for the first time has no seconds.
            found = [f"{seconds:.3g}", f"{seconds / model:.2g}"] if seconds else ["-", "-"]
            cells = [f"{run.n_windows:,}", run.solver, stage, str(jobs[stage])]
            cells += [found[0], f"{model:.3g}", found[1]]
            cells += [f"{use['peak_mb']:.0f}", str(predicted[stage])]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def whole_table(measured: list[dict]) -> str:
    """Time and bytes of whole measured runs, beside the model."""
    lines = [
        "| windows | solver | core seconds | by the model | elapsed | by the model | features | "
        "by the model | projection | at most | load |",
        "|" + " --- |" * 11,
    ]
    for record in measured:
        run = Run(record["windows"], record["solver"], record["shards"])
        disk, jobs, seconds = run.disk(), run.jobs(), run.core_seconds()
        cells = [f"{run.n_windows:,}", run.solver]
        cells += [f"{record['core_seconds']:.0f}" if "core_seconds" in record else "-"]
        cells += [f"{sum(jobs[stage] * seconds[stage] for stage in jobs):.0f}"]
        cells += [duration(record["elapsed"]), duration(run.elapsed(2))]
        for what in ("features", "projection"):
            cells += [size(record[f"{what}_bytes"]), size(disk[what])]
        lines.append(f"| {' | '.join(cells)} | {record['load']:.1f} |")
    return "\n".join(lines)


def power(number: int) -> str:
    return f"10^{len(str(number)) - 1}"


def size(count: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1e6:.3g} MB"


def duration(seconds: float) -> str:
    for unit, factor in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * factor:
            return f"{two_digits(seconds / factor)} {unit}"
    return f"{two_digits(seconds)} s"


def two_digits(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--measure", type=int, nargs="+", default=[], help="windows of a run")
    parser.add_argument("--solver", choices=SOLVERS, default="covariance")
    parser.add_argument("--folder", type=Path, default=Path("scaling"), help="must not exist")
    options = parser.parse_args()
    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else []
    for n_windows in options.measure:
        record = measure(planned(n_windows, options.solver), options.folder)
        kept = [r for r in measured if (r["windows"], r["solver"]) != (n_windows, options.solver)]
        measured = [*kept, record]
        measured.sort(key=lambda r: (r["windows"], SOLVERS.index(r["solver"])))
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n")
    print(whole_table(measured), measured_table(measured), model_table(), sep="\n\n")


if __name__ == "__main__":
    main()
