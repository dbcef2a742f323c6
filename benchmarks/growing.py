"""Cost of a recording that is added, removed or changed, and whether the bytes are right.

``python benchmarks/growing.py --recordings 100`` runs a dataset of so many recordings with
``shards: by-recording`` and ``keep_summaries: true``, adds one, removes it, changes another, and
prints a table of jobs and seconds. Models, projections and features must have the bytes of a run
from nothing in another folder. ``--models`` chooses the solvers.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
CHANNELS = ["x", "y", "z"]
FEATURES = {"window": 64, "wavelet": "db2", "level": 2, "bands": ["a2", "d1"]}
STAGES = (
    "extract_features",
    "summarize_features",
    "summarize_lags",
    "fit_model",
    "project_features",
    "write_projection",
)
JOB = re.compile(r"^(?:Job \d+: )?(\w+): .*\(\d+ MB\)$", re.MULTILINE)


def write_project(
    folder: Path, numbers: list[int], rows: int, solvers: list[str], changed: int | None = None
) -> None:
    """Write the recordings of these numbers, one with other values, a sheet and a configuration."""
    (folder / "recordings").mkdir(parents=True, exist_ok=True)
    lines = ["recording\tpath"]
    for number in numbers:
        path = folder / f"recordings/{number:04}.npy"
        if not path.exists() or number == changed:
            random = np.random.default_rng([number, number == changed])
            np.save(path, random.normal(size=(rows, len(CHANNELS))).astype(np.float32))
        lines.append(f"r{number:04}\trecordings/{path.name}")
    (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
    config = {
        "datasets": {"growing": {"recordings": "sheet.tsv", "channels": CHANNELS}},
        "features": {"deep": FEATURES},
        "models": {name: {"solver": name, "n_components": 4} for name in solvers},
        "experiments": [{"dataset": "growing", "features": "deep", "model": solvers}],
        "shards": "by-recording",
        "keep_summaries": True,
        "plots": False,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def snakemake(folder: Path, *arguments: str) -> str:
    """Run Snakemake; return what it printed."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    return done.stdout + done.stderr


def jobs(folder: Path) -> dict[str, int]:
    """Jobs of every stage that the next run has."""
    found = JOB.findall(snakemake(folder, "--dry-run"))
    return {stage: found.count(stage) for stage in STAGES}


def run(folder: Path) -> tuple[dict[str, int], float]:
    """Run what there is to do; return jobs and seconds."""
    planned = jobs(folder)
    begin = time.perf_counter()
    snakemake(folder)
    return planned, time.perf_counter() - begin


def results(folder: Path) -> dict[str, str]:
    """Digests of models, projections and features."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.suffix in (".h5", ".npy")
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=100)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--models", nargs="+", default=["covariance"])
    given = parser.parse_args()
    n, found, same = given.recordings, {}, True
    few = [i for i in range(n + 1) if i != n // 2]
    with tempfile.TemporaryDirectory(prefix="memwave-growing-") as scratch:
        folder = Path(scratch).resolve()

        def measured(name: str, where: str, numbers: list[int], changed: int | None = None) -> dict:
            write_project(folder / where, numbers, given.rows, given.models, changed)
            found[name] = run(folder / where)
            return results(folder / where)

        first = measured(f"{n} recordings, from nothing", "grown", few)
        grown = measured("one recording added", "grown", list(range(n + 1)))
        same &= grown == measured(f"{n + 1} recordings, from nothing", "more", list(range(n + 1)))
        left = measured("it is removed", "grown", few)
        same &= left.items() >= first.items()  # files of shards remain
        last = measured("another one is changed", "grown", few, 0)
        fresh = measured("with the changed one, from nothing", "changed", few, 0)
        same &= last.items() >= fresh.items()
    print(f"| | {' | '.join(STAGES)} | seconds |\n|---{'|---' * len(STAGES)}|---|")
    for name, (planned, seconds) in found.items():
        cells = " | ".join(str(planned[stage]) for stage in STAGES)
        print(f"| {name} | {cells} | {seconds:.0f} |")
    print(f"The files are {'equal to the byte' if same else 'NOT EQUAL'}.")
    sys.exit(not same)


if __name__ == "__main__":
    main()
