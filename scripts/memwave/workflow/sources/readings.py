"""What a job reads of its sources: unchanged, with the checksums of its parts.

Each job takes the checksums of the parts of the files that it reads. All jobs together cover all
files, so the checksums of the files follow from the receipts.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.readers import contents_of
from memwave.readers.contents import count_pieces, joined, piece_checksums
from memwave.workflow.sources import versions
from memwave.workflow.sources.versions import Source

# Bytes of which a job takes checksums twice, before and after it reads them: a change through a
# memory map need not change a time (tmpfs), or changes it late.
READ_AGAIN_BYTES = 1_000_000_000

# A part of the bytes of a file: first and last, of how many.
Share = tuple[int, int, int]
WHOLE: tuple[Share, ...] = ((0, 1, 1),)
NOTHING: tuple[Share, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A source that a job reads, and the parts whose checksums it takes."""

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


@contextmanager
def unchanged(readings: Mapping[str, Reading]) -> Iterator[dict[str, dict[str, Any]]]:
    """Require that sources have not changed since the run was planned, before and after the block.

    Parameters
    ----------
    readings : mapping of str to Reading
        By path.

    Yields
    ------
    dict of str to dict
        The entries of a receipt, by the name of the source: its version, state and size, and the
        checksums of the pieces of the parts, by number.

    Raises
    ------
    MemwaveError
        Names the first source that has changed.
    """
    said: dict[str, dict[str, Any]] = {}
    for path, reading in readings.items():
        source = reading.source
        facts = {"version": source.version, "state": source.state, "size": source.size}
        of_source = said.setdefault(source.name, facts | {"pieces": {}})
        with _explained(path):
            files = contents_of(path)
            _require(versions.state_of(files) == (source.state, source.size))
            wanted = {i for i in reading.pieces if str(i) not in of_source["pieces"]}
            of_source["pieces"] |= _checksums(files, wanted)
    yield said
    for path, reading in readings.items():
        wanted = reading.pieces
        with _explained(path):
            files = contents_of(path)
            state = versions.state_of(files)
            _require(state[1] == reading.source.size)
            # A file with another state may have been touched only: it is read.
            if state[0] != reading.source.state or len(wanted) <= count_pieces(READ_AGAIN_BYTES):
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


def checksums_of(
    planned: Mapping[str, str],
    receipts: Iterable[str],
    read_now: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, str]:
    """Checksums of sources, from the receipts of jobs. Pieces that no job read are read now.

    Parameters
    ----------
    planned : mapping of str to str
        Version in the plan, by path.
    receipts : iterable of path
        Of the jobs.
    read_now : mapping of str to mapping, optional
        What a job without a receipt yet has read; see `unchanged`.

    Returns
    -------
    dict of str to str
        By path, XXH3 (64 bits, hexadecimal); see `memwave.readers.contents`.

    Raises
    ------
    MemwaveError
        If a source has changed during the run.
    """
    reads = versions.reads_of(receipts, None, read_now)
    found = {}
    for path, version in planned.items():
        with _explained(path):
            files = contents_of(path)
            read = reads.get(versions.name_of(path, files), {}).get(version)
            _require(read is None or read.is_clear)
            size = read.size if read else sum(map(os.path.getsize, files))
            found[path] = joined(files, list(_pieces(files, size, read.pieces if read else {})))
    return found


def _pieces(files: list[str], size: int, known: Mapping[int, str]) -> Iterator[str]:
    for i in range(count_pieces(size)):
        yield known.get(i) or piece_checksums(files, i, i + 1)[0]


class _Changed(Exception):
    """A source has changed."""


def _require(is_same: bool) -> None:
    if not is_same:
        raise _Changed


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Raise the same error for everything that shows that a source has changed."""
    try:
        yield
    except (_Changed, OSError, MemwaveError, ValueError, IndexError) as error:
        versions.doubt(path)
        raise MemwaveError(
            f"{path}: has changed since the run was planned (its size, its times or its checksums "
            "differ). Nothing may write to a recording or its labels during a run. Start again: "
            "results of the old content are computed again."
        ) from error
