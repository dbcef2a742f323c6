"""Measure the whole workflow on windows of many features, which are never written.

Writes a synthetic recording, runs Snakemake on two cores with ``store: false`` and ``solver:
lag-randomized``, and prints what the run and each of its stages took. A million windows of 4000
rows of 64 channels have 128 000 features each, 256 GB as float16::

    python benchmarks/wide.py --scratch /tmp/wide
    python benchmarks/wide.py --windows 60000 --window 1001 --scratch /tmp/wide
    python benchmarks/wide.py --windows 60000 --window 1001 --randomized --scratch /tmp/wide

With ``--randomized`` the features are stored in float16 and fitted by ``randomized`` as well, in at
most `--reads` reads, and both subspaces are compared with that of a fit in double precision.
`--tolerance` is that of ``lag-randomized``: 1e-5 gives it about the accuracy of ``randomized``.
"""

import argparse
import json
import shutil
from pathlib import Path

import h5py
import yaml
from measure import Measurement, measure_command, snakemake
from synthetic import write_recording
from unstored import SNAKEFILE, report_stages

COMPONENTS, SHARDS = 50, 4
HAAR = {"layout": "interleaved", "bands": ["d1"]}  # half as many features as values of a window
EXACT = {"compute_dtype": "float64", "tolerance": 1e-10}


def configuration(folder: Path, given: argparse.Namespace) -> dict:
    """The configuration of the run."""
    names = [f"channel{i:02}" for i in range(given.channels)]
    models: dict[str, dict] = {"wide": {"solver": "lag-randomized", "n_components": COMPONENTS}}
    models["wide"]["tolerance"] = given.tolerance
    features = {"unstored": {"window": given.window, "store": False, **HAAR}}
    experiments = [{"dataset": "long", "features": "unstored", "model": "wide"}]
    if given.randomized:
        models["exact"] = {**models["wide"], **EXACT}
        models["read"] = {"solver": "randomized", "n_components": COMPONENTS}
        models["read"]["passes"] = given.reads
        features["stored"] = {"window": given.window, "dtype": "float16", **HAAR}
        experiments[0]["model"] = ["wide", "exact"]
        experiments.append({"dataset": "long", "features": "stored", "model": "read"})
    return {
        "datasets": {"long": {"recordings": str(folder / "sheet.tsv"), "channels": names}},
        "features": features,
        "models": models,
        "experiments": experiments,
        "shards": SHARDS,
        "threads": 2,
        "max_mem_mb": given.memory,
        "plots": given.plots,
    }


def run(folder: Path, given: argparse.Namespace) -> Measurement:
    """Run the workflow in a folder; its recording is written first, if it is not there."""
    recording = folder / f"{given.windows}x{given.window}x{given.channels}.npy"
    if not recording.exists():
        rows = given.windows + given.window - 1
        write_recording(recording.with_suffix(".partial"), rows, given.channels)
        recording.with_suffix(".partial").rename(recording)
    (folder / "sheet.tsv").write_text(f"recording\tpath\nlong\t{recording}\n", encoding="utf-8")
    (folder / "config").mkdir(exist_ok=True)
    text = yaml.safe_dump(configuration(folder, given), sort_keys=False)
    (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "results", ignore_errors=True)
    wanted = ["--snakefile", str(SNAKEFILE)]
    if given.fits:
        places = ["unstored/wide"]
        if given.randomized:
            places += ["unstored/exact", "stored/read"]
        wanted += [f"results/long/{place}/model.h5" for place in places]
    return measure_command(snakemake(*wanted), folder)


def report(folder: Path, given: argparse.Namespace, measured: Measurement) -> None:
    """Print what the run and its stages took."""
    d = -(-given.window * given.channels // 2)
    print(
        f"{given.windows:,} windows of {d:,} features, {2e-9 * given.windows * d:,.1f} GB as "
        f"float16, {COMPONENTS} components"
    )
    print(
        f"snakemake --cores 2: {measured.seconds:.1f} s, {measured.peak_mb:.0f} MB in the largest "
        f"process, {measured.together_mb:.0f} MB in all, Snakemake included"
    )
    report_stages(folder)
    for place in sorted((folder / "results/long").glob("*/*/model.h5")):
        report_fit(place, folder / "results/long/unstored/exact/model.h5")


def report_fit(path: Path, exact: Path) -> None:
    """Print how long a fit took, and how far its components are from exact ones."""
    usage = json.loads((path.parent / "usage/fit_model.json").read_text(encoding="utf-8"))
    with h5py.File(path) as file:
        notes, components = file.attrs["solver_notes"], file["components"][()]
    text = f"  fit of {path.parent.name}: {usage['seconds']:.1f} s, {notes}"
    if exact.exists():
        with h5py.File(exact) as file:
            reference = file["components"][()]
        outside = components - (components @ reference.T) @ reference
        text += f", 1 - mean squared cosine {float((outside**2).sum()) / len(components):.1e}"
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=1_000_000)
    parser.add_argument("--window", type=int, default=4000, help="rows of a window")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--randomized", action="store_true", help="compare with stored features")
    parser.add_argument("--reads", type=int, default=6, help="of solver randomized")
    parser.add_argument("--tolerance", type=float, default=1e-6, help="of solver lag-randomized")
    parser.add_argument("--fits", action="store_true", help="fit only, without a projection")
    parser.add_argument("--memory", type=int, default=2000, help="MB, for any stage")
    parser.add_argument("--plots", action="store_true", help="draw all figures")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for all files")
    parser.add_argument("--keep", action="store_true", help="do not delete them at the end")
    given = parser.parse_args()
    folder = given.scratch.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report(folder, given, run(folder, given))
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
