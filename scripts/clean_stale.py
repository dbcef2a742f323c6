"""Remove what nothing wants any more: partial files, old shards, conversions and figures.

``python scripts/clean_stale.py [--list] [FOLDER]``, called from where the workflow ran. It needs no
Snakemake. What a run that is at work writes, or what a result was made of, stays.
"""

import argparse
import sys
from pathlib import Path

from memwave.core.errors import MemwaveError
from memwave.workflow.planning.jobs.batches import conversion_names
from memwave.workflow.planning.plan import shard_names
from memwave.workflow.process.current import FOLDER, load_plan
from memwave.workflow.sources.stale import (
    old_conversions,
    old_shards,
    outdated_figures,
    partial_files,
)


def clean_stale(folder: Path, *, remove: bool = True) -> int:
    """Print, and remove unless told otherwise, what nothing wants; return the number of files."""
    stale = [*partial_files(folder), *partial_files(FOLDER), *outdated_figures(folder)]
    try:
        plan, _ = load_plan()
    except MemwaveError:
        print("Without the plan of the last run, old shards are not looked for.")
    else:
        planned = {
            f"{e.dataset}/{e.features}": shard_names(plan, e.dataset, e.features)
            for e in plan.experiments
        }
        stale += [*old_shards(folder, planned), *old_conversions(folder, conversion_names(plan))]
    size = 0
    for path in stale:
        size += path.stat().st_size
        print(path)
        if remove:
            path.unlink()
    done = "removed" if remove else "would be removed"
    print(f"{len(stale)} file{'s' * (len(stale) != 1)} of {size:,} bytes {done}.")
    return len(stale)


def main(arguments: list[str]) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results"))
    parser.add_argument("--list", action="store_true", help="only list the files")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        print(f"{given.folder}: is no folder. Call this from where the workflow ran.")
        return 1
    clean_stale(given.folder, remove=not given.list)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
