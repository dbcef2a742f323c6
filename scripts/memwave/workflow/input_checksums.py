"""Checksums of recordings and labels. They, not file times, decide whether an input has changed.

They are computed when a run is planned, and stored. A file is read again only if its size, one of
its times, or its inode has changed.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from memwave.core.errors import MemwaveError
from memwave.readers import contents_of
from memwave.readers.contents import joined
from memwave.storage.atomic import replacing
from memwave.storage.checksums import checksum

# The stored checksums.
KNOWN = Path(".snakemake/memwave/inputs.json")

# A file of up to this many bytes is read again at the end of every job that reads it: a change
# through a memory map may not change the time of a file (tmpfs), or change it late. A larger file,
# of which a job reads only a part, is read again once, before its checksum is written to a
# provenance.
READ_AGAIN_BYTES = 1_000_000_000

# Bytes that are read without a message.
SILENT_BYTES = 2_000_000_000

# State of each file (size, times, inode) when it was read, and its checksum.
Known = dict[str, list[str]]


def take_checksums(paths: Iterable[str]) -> dict[str, str]:
    """Compute the checksums of inputs, and store them for the jobs of the run.

    Parameters
    ----------
    paths : iterable of str
        Recordings and labels, as in the sheet.

    Returns
    -------
    dict of str to str
        By path, XXH3 (64 bits, hexadecimal) of the file. If an array is in several files, that of
        the names and checksums of all.
    """
    contents = {path: contents_of(path) for path in paths}
    known = _load()
    looks = {file: _look(file) for files in contents.values() for file in files}
    unread = [file for file, look in looks.items() if known.get(file, [""])[0] != look]
    size = sum(map(os.path.getsize, unread))
    if size > SILENT_BYTES:
        print(f"Reading {size / 1e9:.0f} GB of recordings for their checksums.", file=sys.stderr)
    known |= {file: [looks[file], f"{checksum(file):016x}"] for file in unread}
    if unread:
        with replacing(KNOWN) as temporary:
            temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return {path: _together(files, known) for path, files in contents.items()}


def planned_checksums(paths: Iterable[str]) -> dict[str, str]:
    """Checksums of inputs as they were when the run was planned."""
    known = _load()
    return {path: _together(contents_of(path), known) for path in paths}


@contextmanager
def unchanged(planned: dict[str, str]) -> Iterator[None]:
    """Require that inputs have not changed since the run was planned, before and after the block.

    Parameters
    ----------
    planned : dict of str to str
        Checksum by path.

    Raises
    ------
    MemwaveError
        Names the first input that has changed.
    """
    known = _load()
    _require(planned, known)
    yield
    _require(planned, {file: said for file, said in known.items() if not _is_small(file)})


def require_contents(planned: dict[str, str]) -> None:
    """Require that inputs have not changed since the run was planned.

    Reads the large files, which `unchanged` does not read again; of others it compares the times.
    """
    _require(planned, {file: said for file, said in _load().items() if _is_small(file)})


def _is_small(file: str) -> bool:
    try:
        return os.path.getsize(file) <= READ_AGAIN_BYTES
    except OSError:
        return True  # a missing file is an error when it is read


def _require(planned: dict[str, str], known: Known) -> None:
    for path, expected in planned.items():
        files: list[str] = []
        try:
            files = contents_of(path)
            # A file with another state may have the same content: it is read.
            same = {file: known[file] for file in files if known.get(file, [""])[0] == _look(file)}
            found = _together(files, same)
        except (OSError, MemwaveError):
            found = None
        if found != expected:
            _forget(files)
            raise MemwaveError(
                f"{path}: has changed since the run was planned (checksums differ). Nothing may "
                "write to a recording or its labels during a run. Start again: results of the old "
                "content are computed again."
            )


def _load() -> Known:
    try:
        known = json.loads(KNOWN.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # no checksums are stored: every file is read
    entries = known.items() if isinstance(known, dict) else ()
    return {file: said for file, said in entries if _is_entry(said)}


def _is_entry(said: object) -> bool:
    """Whether an entry consists of a state and a checksum."""
    if not isinstance(said, list) or len(said) != 2:
        return False
    return isinstance(said[0], str) and bool(re.fullmatch("[0-9a-f]{16}", str(said[1])))


def _forget(files: list[str]) -> None:
    """Delete the stored checksums of files, so that the next run reads the files."""
    known = _load()
    with replacing(KNOWN) as temporary:
        others = {file: said for file, said in known.items() if file not in files}
        temporary.write_text(json.dumps(others, indent=1) + "\n", encoding="utf-8")


def _look(file: str) -> str:
    """State of a file: size, times, inode. The time of status change cannot be set back."""
    status = os.stat(file)
    times = status.st_mtime_ns, status.st_ctime_ns
    return " ".join(map(str, (status.st_size, *times, status.st_ino)))


def _together(files: list[str], known: Known) -> str:
    """One checksum for all files; files without a stored checksum are read."""
    return joined(files, (known[f][1] if f in known else f"{checksum(f):016x}" for f in files))
