"""Receipts of jobs: what a job was made for, and what it wrote.

The receipt of a job is the JSON file of what it used. It is written last, when all other files of
the job have their names. Who reads a file compares it with the receipt of the job that wrote it,
and the receipt with the plan. So neither a file that was changed nor one of another plan is used.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.storage.atomic import replacing
from memwave.storage.checksums import checksum, trailer_checksum

# Suffix of the checksums of a file's chunks; they stand for the file in a receipt.
CHUNK_CHECKSUMS = ".xxh3"


def identity(path: str | Path) -> str:
    """Return what identifies a file that a job wrote: the checksum in its trailer, or its own.

    Raises
    ------
    OSError, DamagedFile
        If it cannot be read, or has no checksum trailer.
    """
    return trailer_checksum(path) if str(path).endswith(".h5") else f"{checksum(path):016x}"


def identities(paths: Iterable[str]) -> dict[str, str]:
    """Identities of the files of a job, by path; matrices are left to the checksums beside them."""
    paths = list(paths)
    return {path: identity(path) for path in paths if path + CHUNK_CHECKSUMS not in paths}


def write_receipt(path: str | Path, facts: dict[str, Any]) -> None:
    """Write a receipt as JSON, with a checksum of what it says."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(facts | {"seal": _seal(facts)}) + "\n", encoding="utf-8")


def load_receipt(path: str | Path) -> dict[str, Any]:
    """Read a receipt.

    Raises
    ------
    DamagedFile
        If it is missing, cut short, or not what was written.
    """
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or facts.pop("seal", None) != _seal(facts):
            raise ValueError("checksums differ")
    except OSError as error:
        raise DamagedFile(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFile(path, f"has changed since it was written ({error})") from error
    return facts


def differences(receipt: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find files of a receipt that are there and are not what was written: path, what differs."""
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
    """Require that files are what the jobs that were planned to write them wrote.

    Parameters
    ----------
    makers : mapping of str to str
        By the path of its receipt, what each of these jobs was to be made for.
    files : iterable of str
        Files of these jobs that are read now.

    Raises
    ------
    MemwaveError
        Names the first file that was changed, or is of another plan.
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
        # The checksums of a matrix stand for it; whoever reads it compares its rows with them.
        file = f"{file}{CHUNK_CHECKSUMS}" if f"{file}{CHUNK_CHECKSUMS}" in known else file
        try:
            is_known = identity(file) == known.get(file)
        except OSError as error:
            raise DamagedFile(file, f"cannot be read ({error.strerror})") from error
        if not is_known:
            raise DamagedFile(file, "has changed since it was written (checksums differ)")


def is_stale(path: str, made: tuple[str, str]) -> bool:
    """Whether a job has no receipt, or one of another plan, or other files than it says.

    Parameters
    ----------
    path : str
        Of the receipt.
    made : (str, str)
        What the job is made for, and with, by this plan.

    Notes
    -----
    Files that are missing are nobody's concern here: Snakemake makes them if they are needed.
    """
    try:
        receipt = load_receipt(path)
    except DamagedFile:
        return True
    said = receipt.get("made_for"), receipt.get("made_with")
    return said != made or any(differences(receipt))


def _seal(facts: Mapping[str, Any]) -> str:
    return xxh3_64_hexdigest(json.dumps(facts, sort_keys=True).encode())
