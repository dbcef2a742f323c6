"""Measure the whole workflow on a long recording, without ever writing its features.

Writes a synthetic recording, runs Snakemake on two cores with ``store: false`` and prints what
the run and each of its stages took. Ten million windows take some minutes and 6 GB of disk, where
their features would take 140 GB::

    python benchmarks/unstored.py --scratch /tmp/unstored
    python benchmarks/unstored.py --windows 100000 --scratch /tmp/unstored
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import yaml
from measure import Measurement, measure_command, snakemake
from synthetic import write_recording

SNAKEFILE = Path(__file__).parents[1] / "Snakefile"
CHANNELS = 7
WINDOW, COMPONENTS, SHARDS = 1001, 50, 4
FEATURES = {
    "window": WINDOW,
    "level": 1,
    "bands": ["d1"],
    "layout": "interleaved",
    "store": False,
}


def configuration(folder: Path) -> dict:
    """The configuration of the run: the original task, but features are not stored."""
    names = [f"channel{i}" for i in range(CHANNELS)]
    return {
        "datasets": {"long": {"recordings": str(folder / "sheet.tsv"), "channels": names}},
        "features": {"haar": FEATURES},
        "models": {"exact": {"solver": "lag-covariance", "n_components": COMPONENTS}},
        "experiments": [{"dataset": "long", "features": "haar", "model": "exact"}],
        "shards": SHARDS,
        "max_mem_mb": 1500,
        "plots": False,
    }


def run(folder: Path, windows: int) -> Measurement:
    """Run the workflow in a folder; its recording is written first, if it is not there."""
    recording = folder / f"{windows}.npy"
    if not recording.exists():
        write_recording(recording.with_suffix(".partial"), windows + WINDOW - 1, CHANNELS)
        recording.with_suffix(".partial").rename(recording)
    (folder / "sheet.tsv").write_text(f"recording\tpath\nlong\t{recording}\n", encoding="utf-8")
    (folder / "config").mkdir(exist_ok=True)
    text = yaml.safe_dump(configuration(folder), sort_keys=False)
    (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "results", ignore_errors=True)
    return measure_command(snakemake("--snakefile", str(SNAKEFILE)), folder)


def report(folder: Path, windows: int, measured: Measurement) -> None:
    """Print what the run and its stages took."""
    size = np.load(folder / f"{windows}.npy", mmap_mode="r").nbytes
    n_features = -(-WINDOW * CHANNELS // 2)
    print(
        f"{windows:,} windows of {n_features} features, {4 * windows * n_features / 1e9:,.1f} GB "
        f"as float32, from a recording of {size / 1e9:.2f} GB"
    )
    print(
        f"snakemake --cores 2: {measured.seconds:.1f} s, {measured.peak_mb:.0f} MB in the largest "
        f"process, {measured.together_mb:.0f} MB in all, Snakemake included"
    )
    report_stages(folder)


def report_stages(folder: Path) -> None:
    """Print what the stages of a run took."""
    stages: dict[str, list[dict]] = {}
    for path in sorted((folder / "results").rglob("usage/**/*.json")):
        use = json.loads(path.read_text(encoding="utf-8"))
        stages.setdefault(use["stage"], []).append(use)
    for stage, jobs in stages.items():
        seconds, peak = sum(j["seconds"] for j in jobs), max(j["peak_anonymous_mb"] for j in jobs)
        print(f"  {stage:20s} {len(jobs)} jobs {seconds:8.1f} s, at most {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=10_000_000)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for all files")
    parser.add_argument("--keep", action="store_true", help="do not delete them at the end")
    given = parser.parse_args()
    folder = given.scratch.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report(folder, given.windows, run(folder, given.windows))
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
