"""Time and memory of planning a run: a dry run of many recordings, feature sets and shards.

``python benchmarks/planning.py`` makes the recordings of each case in a folder of its own, has
Snakemake plan a run of them without any memory of an earlier one, and prints a table.
``--cases`` chooses cases, ``--share 0.1`` makes them smaller, ``--profile FILE`` keeps what
cProfile found in the planning process. The last columns are of `BARE`: the same jobs, in a workflow
that computes nothing else while it plans. No workflow of as many jobs is planned faster.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
CHANNELS = ["x", "y", "z"]
ROWS = 200
FEATURES = {"window": 24, "wavelet": "db2", "level": 2, "bands": ["a2", "d1"]}
MODEL = {"solver": "covariance", "n_components": 4}


def texts(share: float) -> dict:
    """8000 recordings in text files, in 16 shards."""
    return _case(int(8000 * share), "csv", 1, 16)


def grid(share: float) -> dict:
    """500 feature sets of 10 recordings, in 2 shards."""
    return _case(10, "npy", int(500 * share), 2)


def shards(share: float) -> dict:
    """2000 recordings, in 500 shards."""
    return _case(int(2000 * share), "npy", 1, int(500 * share))


# The same jobs with the same number of files, but with one function of wildcards a rule.
BARE = """
recordings, feature_sets, shards, suffix = {recordings}, {feature_sets}, {shards}, "{suffix}"
SETS, SHARDS = range(feature_sets), range(shards)
BATCHES = range(16 if suffix == "csv" else 0)

def read(w):
    if BATCHES:
        return [f"out/converted/{{i}}" for i in BATCHES]
    return [f"recordings/{{i}}.npy" for i in range(int(w.shard), recordings, shards)]

def batch(w):
    return [f"recordings/{{i}}.csv" for i in range(int(w.batch), recordings, len(BATCHES))]

rule all:
    input: "out/summary"
rule convert:
    input: batch
    output: "out/converted/{{batch}}"
    script: "job.py"
rule extract:
    input: read
    output: "out/{{set}}/{{shard}}.features"
    script: "job.py"
rule summarize:
    input: "out/{{set}}/{{shard}}.features"
    output: "out/{{set}}/{{shard}}.sums"
    script: "job.py"
rule fit:
    input: lambda w: [f"out/{{w.set}}/{{i}}.sums" for i in SHARDS]
    output: "out/{{set}}/model"
    script: "job.py"
rule project:
    input: "out/{{set}}/model", "out/{{set}}/{{shard}}.features"
    output: "out/{{set}}/{{shard}}.scores"
    script: "job.py"
rule write:
    input: lambda w: [f"out/{{w.set}}/{{i}}.scores" for i in SHARDS]
    output: "out/{{set}}/projection"
    script: "job.py"
rule summary:
    input: [f"out/{{i}}/projection" for i in SETS]
    output: "out/summary"
    script: "job.py"
"""

CASES: dict[str, Callable[[float], dict]] = {f.__name__: f for f in (texts, grid, shards)}


def _case(recordings: int, suffix: str, feature_sets: int, n_shards: int) -> dict:
    return {
        "recordings": recordings,
        "suffix": suffix,
        "feature_sets": feature_sets,
        "shards": n_shards,
    }


def write_project(folder: Path, case: dict) -> None:
    """Write recordings, a sheet and a configuration."""
    (folder / "recordings").mkdir(parents=True)
    random = np.random.default_rng(1)
    values = random.normal(size=(ROWS, len(CHANNELS))).astype(np.float32)
    text = ",".join(CHANNELS) + "\n"
    text += "".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in values)
    lines = ["recording\tpath"]
    for i in range(case["recordings"]):
        path = f"recordings/{i}.{case['suffix']}"
        if case["suffix"] == "csv":
            (folder / path).write_text(text)
        else:
            np.save(folder / path, values)
        lines.append(f"r{i}\t{path}")
    (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
    names = [f"f{i}" for i in range(case["feature_sets"])]
    sets = {name: FEATURES | {"window": 24 + i % 100} for i, name in enumerate(names)}
    config = {
        "datasets": {"many": {"recordings": "sheet.tsv", "channels": CHANNELS}},
        "features": sets,
        "models": {"exact": MODEL},
        "experiments": [{"dataset": "many", "features": names, "model": ["exact"]}],
        "shards": case["shards"],
        "plots": False,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "Bare").write_text(BARE.format_map(case))
    (folder / "job.py").write_text("")


def plan(folder: Path, profile: Path | None) -> tuple[float, float, float, int]:
    """Have Snakemake plan a run: seconds, those of the processor, peak of MB, number of jobs."""
    options = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    return _dry_run(folder, options, profile)


def _dry_run(
    folder: Path, options: list[str], profile: Path | None
) -> tuple[float, float, float, int]:
    command = [sys.executable, *(["-m", "cProfile", "-o", str(profile)] if profile else [])]
    command += ["-m", "snakemake", "-n", "--cores", "2", "--quiet", "rules", *options]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    begin, before = time.perf_counter(), _processor_seconds()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    processor = _processor_seconds() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    totals = [line for line in (done.stdout + done.stderr).splitlines() if line[:5] == "total"]
    return seconds, processor, peak, int(totals[0].split()[1])


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(name: str, share: float, profile: Path | None) -> None:
    """Print the line of a case."""
    case = CASES[name](share)
    with tempfile.TemporaryDirectory(prefix="memwave-planning-") as folder:
        project = Path(folder).resolve()
        write_project(project, case)
        seconds, processor, peak, jobs = plan(project, profile)
        least, of_processor, _, bare_jobs = _dry_run(project, ["--snakefile", "Bare"], None)
    if bare_jobs != jobs:
        raise SystemExit(f"{name}: {jobs} jobs, and {bare_jobs} in the bare workflow")
    cells = [case["recordings"], case["suffix"], case["feature_sets"], case["shards"], jobs]
    cells += [f"{seconds:.1f}", f"{processor:.1f}", f"{peak:.0f}"]
    cells += [f"{least:.1f}", f"{of_processor:.1f}"]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main() -> None:
    """Print the table; each case in a process of its own, whose peak of memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        report(given.cases[0], given.share, given.profile)
        return
    print(
        "| recordings | format | feature sets | shards | jobs | seconds | of the processor | MB "
        "| bare seconds | of the processor |"
    )
    print("|---" * 10 + "|", flush=True)
    for name in given.cases:
        command = [sys.executable, __file__, "--bare", "--cases", name, "--share", str(given.share)]
        command += ["--profile", str(given.profile.resolve())] if given.profile else []
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
