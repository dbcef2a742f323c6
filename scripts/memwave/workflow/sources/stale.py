"""Files in a tree of results that nothing wants: of killed jobs, not planned any more, outdated."""

import fcntl
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from memwave.core.errors import DamagedFile
from memwave.storage.receipts import load_receipt, needed, receipts_in

# Names of files that are written and not complete; see `memwave.storage.atomic.replacing`.
PARTIAL = re.compile(r"\..+\.partial-[^/]+")

# Stages that draw what a configuration may leave out.
DRAWING = ("plot_experiment", "plot_explore", "plot_summary")

# Names of files of shards, such as 1-of-4.npy.xxh3 and 1-of-4.json, or monday.1.npy.
OF_SHARD = re.compile(r"(\d+-of-\d+|[A-Za-z0-9_-]+\.\d+)\..+")

# Names of converted files and of the receipts of their jobs, such as monday.h5, or csv.5.json.
OF_CONVERSION = re.compile(r"([A-Za-z0-9_-]+(?:\.\d+)?)\.(?:npy|npy\.xxh3|h5|json)")


def partial_files(folder: Path) -> Iterator[Path]:
    """Find files that a killed job left; not those of a job that is at work."""
    for path in sorted(folder.rglob(".*.partial-*")):
        if PARTIAL.fullmatch(path.name) and path.is_file() and not is_locked(path):
            yield path


def is_locked(path: Path) -> bool:
    """Whether a job may be writing a file: it holds a lock, or the file system has none."""
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def old_shards(folder: Path, planned: Mapping[str, Collection[str]]) -> Iterator[Path]:
    """Find files of shards that the plan does not have: of another count, of old recordings.

    Parameters
    ----------
    folder : Path
        Of the results.
    planned : mapping of str to collection of str
        Names of the shards, by ``dataset/features`` of the plan. Other feature sets are left
        alone: they are of other configurations.

    Yields
    ------
    Path
        A file of a shard that is not planned and that no result was made of.
    """
    return _unplanned(folder, planned, OF_SHARD, "**/*")


def old_conversions(folder: Path, planned: Mapping[str, Collection[str]]) -> Iterator[Path]:
    """Find converted files that the plan does not have, and receipts of the jobs that made them.

    Parameters
    ----------
    folder : Path
        Of the results.
    planned : mapping of str to collection of str
        Names of what the plan converts, by the folder in `folder`; see
        `memwave.workflow.planning.jobs.batches.conversion_names`.

    Yields
    ------
    Path
        A file that is not planned and that no result was made of.
    """
    return _unplanned(folder, planned, OF_CONVERSION, "*")


def outdated_figures(folder: Path) -> Iterator[Path]:
    """Find figures and pages of models and projections that are not there any more.

    A run without figures fits models anew, and leaves the figures of the earlier ones beside them.

    Yields
    ------
    Path
        A file that was made of another job's results than there are now, or the receipt of its job.
    """
    receipts = dict(_receipts(folder))
    for path, receipt in sorted(receipts.items()):
        if receipt.get("stage") not in DRAWING:
            continue
        made_of = receipt.get("makers", {})
        if any(receipts.get(m, {}).get("made_for") != digest for m, digest in made_of.items()):
            yield from (Path(file) for file in receipt.get("files", {}) if Path(file).is_file())
            yield Path(path)


def _unplanned(
    folder: Path, planned: Mapping[str, Collection[str]], named: re.Pattern[str], files: str
) -> Iterator[Path]:
    """Files of each place whose names are not planned, and that no result was made of."""
    wanted = _made_of(folder)
    for place, names in planned.items():
        for path in sorted((folder / place).glob(files)):
            found = named.fullmatch(path.name)
            if found and found[1] not in names and str(path) not in wanted and path.is_file():
                yield path


def _made_of(folder: Path) -> set[str]:
    """Files that results that are no shards say they were made of, and receipts of these."""
    receipts = dict(_receipts(folder))
    kept = needed(receipts)
    kept |= {file for path in kept for file in receipts[path].get("files", {})}
    for provenance in folder.glob("*/*/*/provenance.json"):
        kept |= _results(provenance)
    # A matrix is known by the checksums beside it.
    return kept | {file.removesuffix(".xxh3") for file in kept}


def _receipts(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in receipts_in(folder):
        try:
            yield str(path), load_receipt(path)
        except DamagedFile:
            continue  # what it says counts for nothing; a run makes it anew


def _results(provenance: Path) -> set[str]:
    try:
        return set(json.loads(provenance.read_text(encoding="utf-8"))["results"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()
