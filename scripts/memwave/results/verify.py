"""Comparing a tree of results, and what it was made of, with what was written down."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.core.ranges import spans
from memwave.readers.contents import contents_checksum
from memwave.storage.checksums import hex_checksum
from memwave.storage.shards import Shard

# Shards are read in pieces of this size.
PIECE_BYTES = 16_000_000


def damaged_results(folder: Path) -> Iterator[DamagedFile]:
    """Find the results of all experiments in a folder that are not what was written.

    Everything is read once: models, projections, shards.
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
    """Find recordings and labels that are not what the results in a folder were made of."""
    inputs: dict[str, str] = {}
    for path in provenance_files(folder):
        inputs |= json.loads(path.read_text(encoding="utf-8"))["inputs"]
    for name, expected in inputs.items():
        if difference := compared(name, expected, contents_checksum):
            yield f"{name}: {difference}"


def provenance_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/*/provenance.json"))


def compared(name: str, expected: str, read: Callable[[str], str]) -> str | None:
    """Say how a file differs from what is expected; None if it does not."""
    try:
        found = read(name)
    except (OSError, MemwaveError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    return None if found == expected else f"has checksum {found}, expected {expected}"


def read_whole(path: str) -> None:
    """Read a shard from end to end; raises DamagedFile if it is not what was written."""
    with Shard(path) as shard:
        rows = max(1, PIECE_BYTES // (shard.shape[1] * shard.dtype.itemsize))
        for start, stop in spans(0, shard.shape[0], rows):
            shard.rows(start, stop)
