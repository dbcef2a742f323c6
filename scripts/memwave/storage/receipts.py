"""Receipts of jobs: which plan a job belongs to, and which files it wrote.

The receipt of a job is a JSON file with the job's inputs and the checksums of its outputs. It is
written last, when all other files of the job have their names. A job that reads a file compares it
with the receipt of the job that wrote it, and compares the receipt with the plan. So a file that
was changed, or that belongs to another plan, is not used.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.storage.atomic import replacing
from memwave.storage.checksums import checksum, trailer_checksum

# Suffix of the file with the checksums of a matrix's chunks. A receipt lists this file instead of
# the matrix.
CHUNK_CHECKSUMS = ".xxh3"


def identity(path: str | Path) -> str:
    """Return the checksum that identifies a file: that of its trailer, or that of all its bytes.

    Raises
    ------
    OSError, DamagedFile
        If the file cannot be read, or has no checksum trailer.
    """
    return trailer_checksum(path) if str(path).endswith(".h5") else f"{checksum(path):016x}"


def identities(paths: Iterable[str]) -> dict[str, str]:
    """Identities of the files of a job, by path; a matrix is represented by its checksum file."""
    paths = list(paths)
    return {path: identity(path) for path in paths if path + CHUNK_CHECKSUMS not in paths}


def write_receipt(path: str | Path, facts: dict[str, Any]) -> None:
    """Write a receipt as JSON, with a checksum of its content."""
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(facts | {"seal": _checksum_of(facts)}) + "\n", encoding="utf-8"
        )


def load_receipt(path: str | Path) -> dict[str, Any]:
    """Read a receipt.

    Raises
    ------
    DamagedFile
        If the receipt is missing, truncated or changed.
    """
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or facts.pop("seal", None) != _checksum_of(facts):
            raise ValueError("checksums differ")
    except OSError as error:
        raise DamagedFile(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFile(path, f"has changed since it was written ({error})") from error
    return facts


def receipts_in(folder: str | Path) -> list[Path]:
    """Paths of all receipts in a folder of results: of single jobs, and of those of a stage."""
    found = (Path(folder).glob(f"**/usage/{name}") for name in ("*.json", "*/*.json"))
    return sorted(path for paths in found for path in paths)


def needed(receipts: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return those receipts that results depend on; others are left over.

    A result, such as a model or a projection, has a receipt in ``usage`` itself. Shards and
    converted recordings, which have theirs in a folder of their stage, are needed if a result was
    made of them, also indirectly.

    Parameters
    ----------
    receipts : mapping of str to mapping
        Contents by path.
    """
    found: set[str] = set()
    waiting = [path for path in receipts if Path(path).parent.name == "usage"]
    while waiting:
        path = waiting.pop()
        if path in receipts and path not in found:
            found.add(path)
            waiting += receipts[path].get("makers", {})
    return found


def differences(receipt: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find existing files of a receipt that have changed; yields the path and what differs."""
    for path, expected in receipt.get("files", {}).items():
        try:
            found = identity(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield path, f"cannot be read ({error.strerror})"
        except DamagedFile as error:
            yield path, error.what
        else:
            if found != expected:
                yield path, "is not what its job wrote (checksums differ)"


def require_inputs(makers: Mapping[str, str], files: Iterable[str]) -> None:
    """Require that files are unchanged and were written by the planned jobs.

    Parameters
    ----------
    makers : mapping of str to str
        Jobs that write the files: path of the receipt, and digest of the plan of the job.
    files : iterable of str
        Files of these jobs that are to be read.

    Raises
    ------
    MemwaveError
        Names the first file that was changed or belongs to another plan.
    """
    known: dict[str, str] = {}
    for path, digest in makers.items():
        receipt = load_receipt(path)
        if receipt.get("made_for") != digest:
            of = ", ".join(receipt.get("files", {})) or path
            raise MemwaveError(
                f"{of}: made for another plan than this run's. A job of an earlier run may have "
                "outlived it. Start again: it is made anew."
            )
        known |= receipt["files"]
    for file in files:
        if file in makers:
            continue
        # A matrix is represented by its checksums. Its rows are compared with them when read.
        file = f"{file}{CHUNK_CHECKSUMS}" if f"{file}{CHUNK_CHECKSUMS}" in known else file
        try:
            is_known = identity(file) == known.get(file)
        except OSError as error:
            raise DamagedFile(file, f"cannot be read ({error.strerror})") from error
        if not is_known:
            raise DamagedFile(file, "has changed since it was written (checksums differ)")


def is_stale(path: str, made: tuple[str, str]) -> bool:
    """Whether a job has no valid receipt, one of another plan, or files that differ from it.

    Parameters
    ----------
    path : str
        Path of the receipt.
    made : (str, str)
        Digests of the job in this plan: of its request, and of its code.

    Notes
    -----
    Missing files are ignored: Snakemake makes them if they are needed.
    """
    try:
        receipt = load_receipt(path)
    except DamagedFile:
        return True
    said = receipt.get("made_for"), receipt.get("made_with")
    return said != made or any(differences(receipt))


def _checksum_of(facts: Mapping[str, Any]) -> str:
    return xxh3_64_hexdigest(json.dumps(facts, sort_keys=True).encode())
