"""Whether recordings, matrices and labels are what they were: looks, versions and checksums.

Whoever plans a run looks at files, and reads none: at sizes, times and places on the disk. A file
that looks new is a new version of it. Jobs read files anyway; each takes checksums of the part that
it reads and writes them into its receipt. All jobs together cover all files.

A file that looks different but has the same size may have been touched or copied. If such files are
small together, they are compared with the checksums in the receipts when a run is planned. Else
they count as changed, unless ``make verify`` has read them.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.readers import contents_of, file_of
from memwave.readers.contents import count_pieces, joined, piece_checksums
from memwave.storage.atomic import replacing
from memwave.storage.receipts import load_receipt

# The stored checksums.
KNOWN = Path(".snakemake/memwave/inputs.json")

# Bytes of which a job takes checksums twice, before and after it reads them: a change through a
# memory map need not change a time (tmpfs), or changes it late.
READ_AGAIN_BYTES = 1_000_000_000

# Bytes that are read when a run is planned, if files look different and may be the same.
COMPARED_BYTES = 256_000_000

# The look of a file that changed during a run, perhaps without looking different.
DOUBTED = "doubted"

# A part of the bytes of a file: first and last, of how many.
Share = tuple[int, int, int]
WHOLE: tuple[Share, ...] = ((0, 1, 1),)
NOTHING: tuple[Share, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a run plans to read, and no job of it makes.

    Attributes
    ----------
    name : str
        Its file or, where it is in several files, its path. Arrays in one file have one name.
    version : str
        Stays the same as long as the content does.
    look : str
        What there is to see of its files without reading them.
    size : int
        Bytes of all its files.
    """

    name: str
    version: str
    look: str
    size: int


@dataclass(frozen=True)
class Reading:
    """A source that a job reads, and the parts that it takes checksums of."""

    source: Source
    shares: tuple[Share, ...] = WHOLE

    @property
    def pieces(self) -> set[int]:
        """Numbers of the pieces of the parts."""
        end = count_pieces(self.source.size)
        return {
            piece
            for first, stop, total in self.shares
            for piece in range(end * first // total, -(-end * stop // total))
        }


def plan_sources(
    paths: Iterable[str],
    folders: Iterable[str | Path] = (),
    *,
    limit: float = COMPARED_BYTES,
) -> dict[str, Source]:
    """Look at recordings, matrices and labels.

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
    names = {path: _name(path, found) for path, found in files.items()}
    looks = {names[path]: _look(found) for path, found in files.items()}
    known = _load()
    versions = {name: known[name][1] for name in looks if _is_as(known, name, looks[name])}
    new = {name: look for name, look in looks.items() if name not in versions}
    if new and (not known or not known.keys().isdisjoint(new)):
        doubted = {name for name in new if known.get(name, [None])[0] == DOUBTED}
        versions |= _recognized(new, recorded_reads(folders, new), doubted, limit)
    for name, look in new.items():
        before = known[name][1] if name in known else ""
        versions.setdefault(name, xxh3_64_hexdigest((before + look[0]).encode()))
    if new:
        _save(known | {name: [look[0], versions[name]] for name, look in looks.items()})
    return {path: Source(name, versions[name], *looks[name]) for path, name in names.items()}


def remember_looks(folder: str | Path) -> None:
    """Remember how the sources of results look, after all were found to be what they were."""
    known = _load()
    for name, versions in recorded_reads([folder]).items():
        version = known[name][1] if name in known else ""
        # An older version has the same content; what was made of the last one is kept.
        version = version if version in versions else [*versions][-1]
        known[name] = [_look(contents_of(name))[0], version]
    with suppress(OSError, MemwaveError):
        _save(known)


@dataclass
class Read:
    """What receipts say of a version of a source: its size, looks, and checksums of pieces."""

    size: int
    looks: set[str]
    pieces: dict[int, str]
    is_clear: bool = True

    def add(self, said: Mapping[str, Any]) -> None:
        """Take in what one receipt says."""
        self.looks.add(said["look"])
        for i, checksum in said["pieces"].items():
            self.is_clear &= self.pieces.setdefault(int(i), checksum) == checksum
        self.is_clear &= self.size == said["size"]

    def has(self, checksums: list[str]) -> bool:
        """Whether these are the checksums of all pieces."""
        return self.is_clear and self.pieces == dict(enumerate(checksums))


def recorded_reads(
    folders: Iterable[str | Path], names: Iterable[str] | None = None
) -> dict[str, dict[str, Read]]:
    """What receipts in some folders say of sources: by name, by version."""
    wanted = None if names is None else set(names)
    receipts = (r for folder in folders for r in sorted(Path(folder).glob("**/usage/**/*.json")))
    return _reads_of(receipts, wanted)


def _reads_of(
    receipts: Iterable[str | Path], wanted: set[str] | None
) -> dict[str, dict[str, Read]]:
    found: dict[str, dict[str, Read]] = {}
    for receipt in receipts:
        with suppress(DamagedFile, KeyError, TypeError):
            for name, said in load_receipt(receipt).get("sources", {}).items():
                if wanted is None or name in wanted:
                    versions = found.setdefault(name, {})
                    read = versions.setdefault(said["version"], Read(said["size"], set(), {}))
                    read.add(said)
    return found


def _recognized(
    looks: Mapping[str, tuple[str, int]],
    reads: Mapping[str, dict[str, Read]],
    doubted: set[str],
    limit: float,
) -> dict[str, str]:
    """Versions of sources that are what receipts say: they look so, or have the same checksums."""
    found: dict[str, str] = {}
    alike: list[str] = []
    for name, (look, size) in looks.items():
        versions = reads.get(name, {})
        same = [version for version, read in versions.items() if look in read.looks]
        if len(same) == 1 and name not in doubted:
            found[name] = same[0]
        elif any(read.size == size for read in versions.values()):
            alike.append(name)
    total = sum(looks[name][1] for name in alike)
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


@contextmanager
def unchanged(readings: Mapping[str, Reading]) -> Iterator[dict[str, dict[str, Any]]]:
    """Require that sources are what they were when the run was planned, before and afterwards.

    Parameters
    ----------
    readings : mapping of str to Reading
        By path.

    Yields
    ------
    dict of str to dict
        What a receipt says of each source, by name: its version, look and size, and the checksums
        of the pieces that were read, by number.

    Raises
    ------
    MemwaveError
        Names the first source that has changed.
    """
    said: dict[str, dict[str, Any]] = {}
    for path, reading in readings.items():
        source = reading.source
        facts = {"version": source.version, "look": source.look, "size": source.size}
        of_source = said.setdefault(source.name, facts | {"pieces": {}})
        with _explained(path):
            files = contents_of(path)
            _require(_look(files) == (source.look, source.size))
            wanted = {i for i in reading.pieces if str(i) not in of_source["pieces"]}
            of_source["pieces"] |= _checksums(files, wanted)
    yield said
    for path, reading in readings.items():
        wanted = reading.pieces
        with _explained(path):
            files = contents_of(path)
            look = _look(files)
            _require(look[1] == reading.source.size)
            # What looks different may have been touched only: it is read.
            if look[0] != reading.source.look or len(wanted) <= count_pieces(READ_AGAIN_BYTES):
                before = said[reading.source.name]["pieces"]
                _require(_checksums(files, wanted).items() <= before.items())


def _checksums(files: list[str], pieces: Iterable[int]) -> dict[str, str]:
    """Checksums of some pieces, by number; those that follow one another are read at once."""
    found: dict[str, str] = {}
    wanted = sorted(pieces)
    for _, run in groupby(enumerate(wanted), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        read = piece_checksums(files, numbers[0], numbers[-1] + 1)
        found |= dict(zip(map(str, numbers), read, strict=True))
    return found


def checksums_of(versions: Mapping[str, str], receipts: Iterable[str]) -> dict[str, str]:
    """Checksums of sources, of what the jobs of a run read; what no job read is read now.

    Parameters
    ----------
    versions : mapping of str to str
        By path, the version that the run was planned for.
    receipts : iterable of path
        Of the jobs.

    Returns
    -------
    dict of str to str
        By path, XXH3 (64 bits, hexadecimal); see `memwave.readers.contents`.

    Raises
    ------
    MemwaveError
        If a source has changed during the run.
    """
    reads = _reads_of(receipts, None)
    found = {}
    for path, version in versions.items():
        with _explained(path):
            files = contents_of(path)
            read = reads.get(_name(path, files), {}).get(version)
            _require(read is None or read.is_clear)
            size = read.size if read else sum(map(os.path.getsize, files))
            found[path] = joined(files, list(_pieces(files, size, read.pieces if read else {})))
    return found


def _pieces(files: list[str], size: int, known: Mapping[int, str]) -> Iterator[str]:
    for i in range(count_pieces(size)):
        yield known.get(i) or piece_checksums(files, i, i + 1)[0]


class _Changed(Exception):
    """A source is not what it was."""


def _require(is_same: bool) -> None:
    if not is_same:
        raise _Changed


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Make one error of all that tells that a source has changed."""
    try:
        yield
    except (_Changed, OSError, MemwaveError, ValueError, IndexError) as error:
        _doubt(path)
        raise MemwaveError(
            f"{path}: has changed since the run was planned (its size, its times or its checksums "
            "differ). Nothing may write to a recording or its labels during a run. Start again: "
            "what was made of the old content is made anew."
        ) from error


def _doubt(path: str) -> None:
    """Have a file compared when the next run is planned, even if it looks as before."""
    known = _load()
    for name in {path, file_of(path)} & known.keys():
        known[name][0] = DOUBTED
    _save(known)


def _name(path: str, files: list[str]) -> str:
    return files[0] if len(files) == 1 else path


def _is_as(known: Mapping[str, list[str]], path: str, look: tuple[str, int]) -> bool:
    return path in known and known[path][0] == look[0]


def _load() -> dict[str, list[str]]:
    try:
        known = json.loads(KNOWN.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # nothing known: receipts are looked at
    entries = known.items() if isinstance(known, dict) else ()
    return {file: said for file, said in entries if _is_entry(said)}


def _save(known: Mapping[str, list[str]]) -> None:
    with replacing(KNOWN) as temporary:
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _is_entry(said: object) -> bool:
    """Whether something is a look and a version."""
    return isinstance(said, list) and len(said) == 2 and all(isinstance(s, str) for s in said)


def _look(files: list[str]) -> tuple[str, int]:
    """What there is to see of files, and their size; no time that was put back hides a change."""
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
