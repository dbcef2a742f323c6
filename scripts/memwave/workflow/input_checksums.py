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
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.readers import contents_of
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

# The part of the bytes of a file that a job reads: first and last, of how many.
Share = tuple[int, int, int]
WHOLE: Share = (0, 1, 1)
NOTHING: Share = (0, 0, 1)


@dataclass(frozen=True)
class Source:
    """What a run plans to read, and no job of it makes.

    Attributes
    ----------
    version : str
        Stays the same as long as the content does.
    look : str
        What there is to see of its files without reading them.
    size : int
        Bytes of all its files.
    """

    version: str
    look: str
    size: int


@dataclass(frozen=True)
class Reading:
    """A source that a job reads, and the part that it takes checksums of."""

    source: Source
    share: Share = WHOLE

    @property
    def pieces(self) -> tuple[int, int]:
        """First piece of the part, and the one after the last."""
        first, stop, total = self.share
        if first == stop:
            return 0, 0
        end = count_pieces(self.source.size)
        return end * first // total, -(-end * stop // total)


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
    looks = {path: _look(contents_of(path)) for path in paths}
    known = _load()
    sources = {p: Source(known[p][1], *look) for p, look in looks.items() if _is_as(known, p, look)}
    new = {path: look for path, look in looks.items() if path not in sources}
    if new and (not known or not known.keys().isdisjoint(new)):
        doubted = {path for path in new if known.get(path, [None])[0] == DOUBTED}
        sources |= _recognized(new, recorded_reads(folders, new), doubted, limit)
    for path, look in looks.items():
        before = known[path][1] if path in known else ""
        sources.setdefault(path, Source(xxh3_64_hexdigest((before + look[0]).encode()), *look))
    if new:
        known |= {path: [source.look, source.version] for path, source in sources.items()}
        _save(known)
    return sources


def remember_looks(folder: str | Path) -> None:
    """Remember how the sources of results look, after all were found to be what they were."""
    known = _load()
    for path, versions in recorded_reads([folder]).items():
        version = known[path][1] if path in known else ""
        # An older version has the same content; what was made of the last one is kept.
        version = version if version in versions else [*versions][-1]
        known[path] = [_look(contents_of(path))[0], version]
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
        for i, checksum in enumerate(said["pieces"], said["first"]):
            self.is_clear &= self.pieces.setdefault(i, checksum) == checksum
        self.is_clear &= self.size == said["size"]

    def has(self, checksums: list[str]) -> bool:
        """Whether these are the checksums of all pieces."""
        return self.is_clear and self.pieces == dict(enumerate(checksums))


def recorded_reads(
    folders: Iterable[str | Path], paths: Iterable[str] | None = None
) -> dict[str, dict[str, Read]]:
    """What receipts in some folders say of sources: by path, by version."""
    wanted = None if paths is None else set(paths)
    receipts = (r for folder in folders for r in sorted(Path(folder).glob("**/usage/**/*.json")))
    return _reads_of(receipts, wanted)


def _reads_of(
    receipts: Iterable[str | Path], wanted: set[str] | None
) -> dict[str, dict[str, Read]]:
    found: dict[str, dict[str, Read]] = {}
    for receipt in receipts:
        with suppress(DamagedFile, KeyError, TypeError):
            for path, said in load_receipt(receipt).get("sources", {}).items():
                if wanted is None or path in wanted:
                    versions = found.setdefault(path, {})
                    read = versions.setdefault(said["version"], Read(said["size"], set(), {}))
                    read.add(said)
    return found


def _recognized(
    looks: Mapping[str, tuple[str, int]],
    reads: Mapping[str, dict[str, Read]],
    doubted: set[str],
    limit: float,
) -> dict[str, Source]:
    """Sources that are what some receipts say: they look so, or have the same checksums."""
    found: dict[str, Source] = {}
    alike: list[str] = []
    for path, (look, size) in looks.items():
        versions = reads.get(path, {})
        same = [version for version, read in versions.items() if look in read.looks]
        if len(same) == 1 and path not in doubted:
            found[path] = Source(same[0], look, size)
        elif any(read.size == size for read in versions.values()):
            alike.append(path)
    total = sum(looks[path][1] for path in alike)
    if total > limit:
        print(
            f"{len(alike)} files ({total / 1e9:.1f} GB), such as {alike[0]}, have other times than "
            "when they were read, and count as changed. If they were only touched or copied, run "
            "make verify first: it reads them and remembers that they are the same.",
            file=sys.stderr,
        )
        return found
    for path in alike:
        checksums = piece_checksums(contents_of(path))
        same = [version for version, read in reads[path].items() if read.has(checksums)]
        if same:
            found[path] = Source(same[-1], *looks[path])
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
        What a receipt says of each source: its version, look and size, the number of the first
        piece that was read, and the checksums of all that were read.

    Raises
    ------
    MemwaveError
        Names the first source that has changed.
    """
    said: dict[str, dict[str, Any]] = {}
    for path, reading in readings.items():
        source = reading.source
        with _explained(path):
            _require(_look(contents_of(path)) == (source.look, source.size))
            checksums = piece_checksums(contents_of(path), *reading.pieces)
        facts = {"version": source.version, "look": source.look, "size": source.size}
        said[path] = facts | {"first": reading.pieces[0], "pieces": checksums}
    yield said
    for path, reading in readings.items():
        first, stop = reading.pieces
        with _explained(path):
            files = contents_of(path)
            look = _look(files)
            _require(look[1] == reading.source.size)
            # What looks different may have been touched only: it is read.
            if look[0] != reading.source.look or stop - first <= count_pieces(READ_AGAIN_BYTES):
                _require(piece_checksums(files, first, stop) == said[path]["pieces"])


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
    reads = _reads_of(receipts, set(versions))
    found = {}
    for path, version in versions.items():
        read = reads.get(path, {}).get(version)
        with _explained(path):
            files = contents_of(path)
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
    except (_Changed, OSError, MemwaveError, IndexError) as error:
        _doubt(path)
        raise MemwaveError(
            f"{path}: has changed since the run was planned (its size, its times or its checksums "
            "differ). Nothing may write to a recording or its labels during a run. Start again: "
            "what was made of the old content is made anew."
        ) from error


def _doubt(path: str) -> None:
    """Have a file compared when the next run is planned, even if it looks as before."""
    known = _load()
    if path in known:
        known[path][0] = DOUBTED
        _save(known)


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
