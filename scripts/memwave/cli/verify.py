"""``memwave verify [FOLDER]``: compare results, and their recordings, with their checksums."""

import argparse
import shlex
from pathlib import Path

from memwave.results.verify import (
    changed_inputs,
    damaged_results,
    experiments,
    receipts_of_results,
    unproven_results,
)
from memwave.workflow.process.current import load_wanted
from memwave.workflow.sources.versions import store_states


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("results"),
        help="a folder of results (default: results); call it from where the workflow ran",
    )


def run(given: argparse.Namespace) -> int:
    """Return 1 if anything differs."""
    return 1 if verify_results(given.folder) else 0


def verify_results(folder: Path) -> int:
    """Print what differs; return the number of differences."""
    count = len(experiments(folder))
    if not count:
        what = "no experiment has been finished there" if folder.is_dir() else "no such folder"
        print(f"{folder}: {what}. Run the workflow first, or name the folder of its results.")
        return 1
    damaged: dict[str, str] = {}
    for error in (*damaged_results(folder), *unproven_results(folder, load_wanted())):
        damaged.setdefault(str(error.path), error.what)
    for path, what in damaged.items():
        print(f"{path}: {what}")
    changed = [] if any("provenance" in path for path in damaged) else list(changed_inputs(folder))
    for line in changed:
        print(line)
    if damaged:
        files = shlex.join(sorted({path.removesuffix(".xxh3") for path in damaged}))
        print(f"To remake these files:\n  rm -f {files}\n  snakemake --cores 4 {files}")
    if changed:
        print(
            "The results are of other recordings or labels than there are now. To make them anew:\n"
            "  snakemake --cores 4"
        )
    receipts, left_over = receipts_of_results(folder)
    if left_over:
        print(
            f"The files of {left_over} jobs belong to no result: of removed recordings, of earlier "
            "shards, or of a run that has not finished. They were not compared with recordings. "
            "make clean-stale removes those that the last configuration does not have."
        )
    if not damaged and not changed:
        store_states(receipts)
        print(f"{count} experiments and their inputs are as they were written.")
    return len(damaged) + len(changed)
