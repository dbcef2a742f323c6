"""Versions of sources: whether files are the same as in the last run, without reading them.

A plan compares the state of each file: size, times and inode. A file with a new state is a new
version. Jobs take the checksums of the files that they read, and store them in their receipts.

A file with a new state and the same size may have been touched or copied. If such files are small
together, the plan compares them with the checksums in the receipts. Otherwise they count as
changed, unless ``make verify`` has read them.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.readers import contents_of, file_of
from memwave.readers.contents import piece_checksums
from memwave.storage.atomic import replacing
from memwave.storage.receipts import load_receipt, receipts_in

# Stored states and versions of files.
KNOWN = Path(".snakemake/memwave/inputs.json")

# Bytes of files with a new state and the same size that a plan reads.
COMPARED_BYTES = 256_000_000

# The state of a file that changed during a run, perhaps with the same size and times.
DOUBTED = "doubted"


@dataclass(frozen=True)
class Source:
    """A file or an array that a run reads and no job makes.

    Attributes
    ----------
    name : str
        Its file or, where it is in several files, its path. Arrays in one file have one name.
    version : str
        Stays the same as long as the content does.
    state : str
        Size, times and inode of its file, or a digest of those of all its files.
    size : int
        Bytes of all its files.
    """

    name: str
    version: str
    state: str
    size: int


def plan_sources(
    paths: Iterable[str],
    folders: Iterable[str | Path] = (),
    *,
    limit: float = COMPARED_BYTES,
) -> dict[str, Source]:
    """Find the versions of recordings, matrices and labels.

    Parameters
    ----------
    paths : iterable of str
        As in the sheet.
    folders : iterable of path
        Folders of results, whose receipts have checksums.
    limit : float
        Bytes that may be read to compare files with checksums.

    Returns
    -------
    dict of str to Source
        By path.
    """
    files = {path: contents_of(path) for path in paths}
    names = {path: name_of(path, found) for path, found in files.items()}
    states = {names[path]: state_of(found) for path, found in files.items()}
    known = _load()
    versions = {name: known[name][1] for name in states if _is_as(known, name, states[name])}
    new = {name: state for name, state in states.items() if name not in versions}
    if new and (not known or not known.keys().isdisjoint(new)):
        doubted = {name for name in new if known.get(name, [None])[0] == DOUBTED}
        versions |= _recognized(new, recorded_reads(folders, new), doubted, limit)
    for name, state in new.items():
        before = known[name][1] if name in known else ""
        versions.setdefault(name, xxh3_64_hexdigest((before + state[0]).encode()))
    if new:
        _save(known | {name: [state[0], versions[name]] for name, state in states.items()})
    return {path: Source(name, versions[name], *states[name]) for path, name in names.items()}


def store_states(receipts: Iterable[str | Path]) -> None:
    """Store the states of the sources in some receipts, after all were found to be unchanged."""
    known = _load()
    for name, versions in reads_of(receipts, None).items():
        version = known[name][1] if name in known else ""
        # An older version has the same content; what was made of the last one is kept.
        version = version if version in versions else [*versions][-1]
        known[name] = [state_of(contents_of(name))[0], version]
    with suppress(OSError, MemwaveError):
        _save(known)


@dataclass
class Read:
    """What receipts contain about a version of a source: size, states, checksums of pieces."""

    size: int
    states: set[str]
    pieces: dict[int, str]
    is_clear: bool = True

    def add(self, said: Mapping[str, Any]) -> None:
        """Add the entry of one receipt."""
        self.states.add(said["state"])
        for i, checksum in said["pieces"].items():
            self.is_clear &= self.pieces.setdefault(int(i), checksum) == checksum
        self.is_clear &= self.size == said["size"]

    def has(self, checksums: list[str]) -> bool:
        """Whether these are the checksums of all pieces."""
        return self.is_clear and self.pieces == dict(enumerate(checksums))


def recorded_reads(
    folders: Iterable[str | Path], names: Iterable[str] | None = None
) -> dict[str, dict[str, Read]]:
    """Readings of sources in the receipts of some folders, by name and version."""
    wanted = None if names is None else set(names)
    return reads_of((r for folder in folders for r in receipts_in(folder)), wanted)


def reads_of(
    receipts: Iterable[str | Path],
    wanted: set[str] | None,
    further: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, dict[str, Read]]:
    """Readings of sources in receipts, and in what a further receipt will say."""
    found: dict[str, dict[str, Read]] = {}
    _add_reads(found, further or {}, wanted)
    for receipt in receipts:
        with suppress(DamagedFile, KeyError, TypeError):
            _add_reads(found, load_receipt(receipt).get("sources", {}), wanted)
    return found


def _add_reads(
    found: dict[str, dict[str, Read]],
    sources: Mapping[str, Mapping[str, Any]],
    wanted: set[str] | None,
) -> None:
    for name, said in sources.items():
        if wanted is None or name in wanted:
            versions = found.setdefault(name, {})
            versions.setdefault(said["version"], Read(said["size"], set(), {})).add(said)


def _recognized(
    states: Mapping[str, tuple[str, int]],
    reads: Mapping[str, dict[str, Read]],
    doubted: set[str],
    limit: float,
) -> dict[str, str]:
    """Versions of sources whose state or checksums are those in receipts."""
    found: dict[str, str] = {}
    alike: list[str] = []
    for name, (state, size) in states.items():
        versions = reads.get(name, {})
        same = [version for version, read in versions.items() if state in read.states]
        if len(same) == 1 and name not in doubted:
            found[name] = same[0]
        elif any(read.size == size for read in versions.values()):
            alike.append(name)
    total = sum(states[name][1] for name in alike)
    if total > limit:
        print(
            f"{len(alike)} files ({total / 1e9:.1f} GB), such as {alike[0]}, have other times than "
            "when they were read, and count as changed. If they were only touched or copied, run "
            "make verify first: it reads them and remembers that they are the same.",
            file=sys.stderr,
        )
        return found
    for name in alike:
        checksums = piece_checksums(contents_of(name))
        same = [version for version, read in reads[name].items() if read.has(checksums)]
        if same:
            found[name] = same[-1]
    return found


def doubt(path: str) -> None:
    """Let the next plan compare a file, even if its state is the same."""
    known = _load()
    for name in {path, file_of(path)} & known.keys():
        known[name][0] = DOUBTED
    _save(known)


def name_of(path: str, files: list[str]) -> str:
    return files[0] if len(files) == 1 else path


def _is_as(known: Mapping[str, list[str]], path: str, state: tuple[str, int]) -> bool:
    return path in known and known[path][0] == state[0]


def _load() -> dict[str, list[str]]:
    try:
        known = json.loads(KNOWN.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # no versions are stored: receipts are read
    entries = known.items() if isinstance(known, dict) else ()
    return {file: said for file, said in entries if _is_entry(said)}


def _save(known: Mapping[str, list[str]]) -> None:
    with replacing(KNOWN) as temporary:
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _is_entry(said: object) -> bool:
    """Whether an entry consists of a state and a version."""
    return isinstance(said, list) and len(said) == 2 and all(isinstance(s, str) for s in said)


def state_of(files: list[str]) -> tuple[str, int]:
    """State of files, and their size. The time of status change cannot be set back."""
    lines, total = [], 0
    for file in files:
        status = os.stat(file)
        times = status.st_mtime_ns, status.st_ctime_ns
        lines.append(" ".join(map(str, (status.st_size, *times, status.st_ino))))
        total += status.st_size
    if len(lines) == 1:
        return lines[0], total
    names = list(map(os.path.basename, files))
    return xxh3_64_hexdigest(repr((names, lines)).encode()), total
