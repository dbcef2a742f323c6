"""Comparison of a folder of results, and of their inputs, with the recorded checksums."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import h5py

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.core.ranges import spans
from memwave.readers import contents_of, file_of
from memwave.readers.contents import joined, piece_checksums
from memwave.storage.checksums import hex_checksum, require_trailer
from memwave.storage.receipts import differences, load_receipt, needed, receipts_in
from memwave.storage.shards import Shard

# Size of the blocks of shards that are read.
BLOCK_BYTES = 16_000_000

# Stages whose files are deleted once they are not needed.
TEMPORARY = (
    "measure_features",
    "summarize_features",
    "summarize_lags",
    "project_features",
    "project_recordings",
)

# The last stage of an experiment.
LAST = "write_projection"


def damaged_results(folder: Path) -> Iterator[DamagedFile]:
    """Find the results of all experiments in a folder that have changed since they were written.

    Reads all models, projections and shards once.
    """
    results: dict[str, str] = {}
    for path in provenance_files(folder):
        try:
            results |= json.loads(path.read_text(encoding="utf-8"))["results"]
        except (ValueError, KeyError, TypeError) as error:
            yield DamagedFile(path, f"is damaged ({error!r})")
    for name, expected in results.items():
        if difference := compared(name, expected, hex_checksum):
            yield DamagedFile(name, difference)
        elif name.endswith(".xxh3"):
            try:
                read_whole(name.removesuffix(".xxh3"))
            except DamagedFile as error:
                yield error


def changed_inputs(folder: Path) -> Iterator[str]:
    """Find recordings and labels that are not what the results in a folder were made of.

    All are read once; not those that no result depends on, such as removed recordings.
    """
    expected: dict[str, set[str]] = {}
    for file in provenance_files(folder):
        for name, checksum in json.loads(file.read_text(encoding="utf-8"))["inputs"].items():
            expected.setdefault(name, set()).add(checksum)
    read: dict[str, list[dict]] = {}
    receipts = _receipts(folder)[0]
    for path in sorted(needed(receipts)):
        for name, said in receipts[path].get("sources", {}).items():
            read.setdefault(name, []).append(said)
    known: dict[tuple[str, ...], list[str]] = {}  # arrays in one file are read once
    reported: set[str] = set()
    for name in [*sorted(expected), *sorted(read.keys() - expected.keys())]:
        if name not in expected and name in reported:
            continue
        try:
            files = tuple(contents_of(name))
            pieces = known[files] = known.get(files) or piece_checksums(files)
        except (OSError, MemwaveError) as error:
            reported.add(file_of(name))
            yield f"{name}: cannot be read ({getattr(error, 'strerror', None) or error})"
            continue
        found = joined(files, pieces)
        if others := expected.get(name, set()) - {found}:
            reported.add(file_of(name))
            yield f"{name}: has checksum {found}, expected {' or '.join(sorted(others))}"
        elif not all(map(partial(_is_read, pieces), read.get(name, []))):
            yield f"{name}: is not what a job read (checksums differ)"


def _is_read(pieces: list[str], said: dict) -> bool:
    """Whether pieces of a file are those that a job read."""
    return {str(i): piece for i, piece in enumerate(pieces)}.items() >= said["pieces"].items()


def unproven_results(folder: Path, wanted: Mapping[str, tuple[str, str]]) -> Iterator[DamagedFile]:
    """Find results of which it is not proven that they belong together.

    Each job has a receipt with the digest of its request, the jobs whose files it read, and the
    files that it wrote. All files of a receipt must exist, except those that are deleted once they
    are not needed. The digests of the jobs whose files were read must be those in the receipt,
    unless no result depends on it: shards of removed recordings were made of an older model.

    Parameters
    ----------
    folder : Path
    wanted : mapping of str to (str, str)
        What the last run wanted of its jobs; see `memwave.workflow.process.current`.
    """
    receipts, damaged = _receipts(folder)
    yield from damaged
    wants_makers = needed(receipts)
    for path, receipt in receipts.items():
        yield from _unproven_files(path, receipt)
        if path in wanted and receipt.get("made_for") != wanted[path][0]:
            yield DamagedFile(_subject(path, receipt), "is of another plan than the last run's")
        makers = receipt.get("makers", {}) if path in wants_makers else {}
        for maker, digest in makers.items():
            found = receipts.get(maker)
            if found is None:
                what = f"was made of the files in {maker}, which is missing or damaged"
                yield DamagedFile(_subject(path, receipt), what)
            elif found.get("made_for") != digest:
                what = f"was made of another {_subject(maker, found)} than there is now"
                yield DamagedFile(_subject(path, receipt), what)
    for experiment in experiments(folder):
        yield from _unproven_experiment(experiment, receipts)


def receipts_of_results(folder: Path) -> tuple[list[str], int]:
    """Receipts that results depend on, and how many others there are."""
    receipts = _receipts(folder)[0]
    found = sorted(needed(receipts))
    return found, len(receipts) - len(found)


def experiments(folder: Path) -> list[Path]:
    """Folders of experiments that have begun."""
    names = ("model.h5", "projection.h5", "provenance.json", f"usage/{LAST}.json")
    return sorted(
        {path.parents[name.count("/")] for name in names for path in folder.glob(f"*/*/*/{name}")}
    )


def _receipts(folder: Path) -> tuple[dict[str, dict], list[DamagedFile]]:
    receipts, damaged = {}, []
    for path in receipts_in(folder):
        try:
            receipts[str(path)] = load_receipt(path)
        except DamagedFile as error:
            damaged.append(error)
    return receipts, damaged


def _unproven_files(path: str, receipt: dict) -> Iterator[DamagedFile]:
    if "made_for" not in receipt:
        yield DamagedFile(path, "does not say which plan its job was part of")
    for file, what in differences(receipt):
        yield DamagedFile(file, what)
    for file in receipt.get("files", {}):
        if not Path(file).exists():
            if receipt.get("stage") not in TEMPORARY:
                yield DamagedFile(file, "is missing")
        elif file.endswith(".h5"):
            try:
                require_trailer(file)
            except DamagedFile as error:
                yield error
        elif file.endswith(".xxh3"):
            try:
                read_whole(file.removesuffix(".xxh3"))
            except DamagedFile as error:
                yield error


def _unproven_experiment(folder: Path, receipts: dict[str, dict]) -> Iterator[DamagedFile]:
    """Missing files of an experiment, and a difference of its projection from its provenance."""
    for name in (f"usage/{LAST}.json", "model.h5", "projection.h5", "provenance.json"):
        if not (folder / name).exists():
            yield DamagedFile(folder / name, "is missing")
    try:
        provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        with h5py.File(folder / "projection.h5", "r", locking=False) as file:
            said = json.loads(file.attrs["provenance"])
    except (OSError, ValueError, KeyError):
        return  # reported elsewhere
    if said != {key: provenance.get(key) for key in said}:
        yield DamagedFile(folder / "provenance.json", "does not say what projection.h5 says")


def _subject(path: str, receipt: dict) -> str:
    """The name of a job in messages: its first file, or its receipt."""
    return next(iter(receipt.get("files", {})), path)


def provenance_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/*/provenance.json"))


def compared(name: str, expected: str, read: Callable[[str], str]) -> str | None:
    """Describe the difference of a file from its expected checksum; None if there is none."""
    try:
        found = read(name)
    except (OSError, MemwaveError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    return None if found == expected else f"has checksum {found}, expected {expected}"


def read_whole(path: str) -> None:
    """Read a whole shard; raises DamagedFile if it has changed since it was written."""
    with Shard(path) as shard:
        rows = max(1, BLOCK_BYTES // (shard.shape[1] * shard.dtype.itemsize))
        for start, stop in spans(0, shard.shape[0], rows):
            shard.rows(start, stop)
