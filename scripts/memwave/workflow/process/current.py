"""The current run of a folder: its plan, and the digests of its jobs.

The process that plans a run writes both when the run starts. A job on a cluster, which has its own
Snakemake, reads the plan from there, since the configuration may have been edited meanwhile. A job
may outlive its run. So it checks, before an output gets its final name, that the current run still
contains the job.
"""

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.storage.atomic import replacing
from memwave.workflow.sources.readings import Reading
from memwave.workflow.sources.versions import Source

FOLDER = Path(".snakemake/memwave")
# What is wanted is a text with a line a job, sorted, in which a job finds its own.
PLAN, WANTED = FOLDER / "plan.pickle", FOLDER / "wanted.tsv"


@dataclass(frozen=True)
class Ticket:
    """The part of the plan that a job needs.

    Attributes
    ----------
    receipt : str
        Path of the job's receipt.
    made_for, made_with : str
        Digests of the job's request and of its code.
    makers : dict of str to str
        Digests of the jobs whose files it reads, by the paths of their receipts.
    files : tuple of str
        Those files.
    sources : dict of str to Reading
        What it reads and no job makes, by path.
    predicted_mb : int
        Predicted memory.
    parts : tuple of Ticket
        Of a batch: those of its files. What the job reads is said by these.
    """

    receipt: str
    made_for: str
    made_with: str
    makers: dict[str, str]
    files: tuple[str, ...]
    sources: dict[str, Reading]
    predicted_mb: int
    parts: "tuple[Ticket, ...]" = ()

    def __str__(self) -> str:
        """What the report shows."""
        return self.receipt

    @property
    def said(self) -> dict[str, Any]:
        """The entries of a receipt that describe the plan."""
        return {
            "made_for": self.made_for,
            "made_with": self.made_with,
            "makers": self.makers,
        }

    def require_wanted(self) -> None:
        """Raise MemwaveError if the current run of the folder wants something else of this job."""
        if wanted_of(self.receipt) != (self.made_for, self.made_with):
            raise MemwaveError(
                "not wanted any more: another run was started here with another plan, or other "
                "code, while this job of an earlier run was running or waiting. It leaves no "
                "files; the current run continues."
            )


def start_run(
    plan: Any, sources: Mapping[str, Source], wanted: Mapping[str, tuple[str, str]]
) -> None:
    """Make a run the current one of the folder.

    Parameters
    ----------
    plan : Plan
    sources : mapping of str to Source
        Everything that is read and that no job makes, by path.
    wanted : mapping of str to (str, str)
        Digests of the request and of the code of each job, by its receipt. Entries of earlier runs
        for other jobs remain: a run of other experiments may still be active.
    """
    with replacing(PLAN) as temporary:
        temporary.write_bytes(pickle.dumps((plan, dict(sources))))
    lines = sorted(map(_line, (load_wanted() | dict(wanted)).items()))
    with replacing(WANTED) as temporary:
        temporary.write_bytes(b"".join(lines))


def load_plan() -> tuple[Any, dict[str, Source]]:
    """The plan of the current run and what it reads, as given to `start_run`.

    Raises
    ------
    MemwaveError
        If there is no such plan.
    """
    try:
        return pickle.loads(PLAN.read_bytes())
    except Exception as error:  # a damaged pickle can end in nearly any exception
        raise MemwaveError(
            f"{PLAN}: the plan of the run that this job is part of cannot be read ({error}). "
            f"Jobs need the folder {os.getcwd()} as the run left it. Start the run again."
        ) from error


def load_wanted() -> dict[str, tuple[str, str]]:
    """What runs want of all their jobs; empty where nothing is known."""
    try:
        lines = WANTED.read_bytes().splitlines()
    except OSError:
        return {}
    return dict(entry for entry in map(_entry, lines) if entry)


def wanted_of(receipt: str) -> tuple[str, str] | None:
    """What runs want of one job; None if nothing.

    Bisects the lines of the file, so that the time does not grow with the number of jobs.
    """
    key = receipt.encode() + b"\t"
    try:
        with open(WANTED, "rb") as file:
            low, high = 0, file.seek(0, os.SEEK_END)
            while low < high:
                middle = (low + high) // 2
                file.seek(middle)
                if middle:
                    file.seek(middle - 1)
                    file.readline()
                line = file.readline()
                if not line or line[: len(key)] > key:
                    high = middle
                elif line.startswith(key):
                    entry = _entry(line)
                    return entry[1] if entry else None
                else:
                    low = max(middle + 1, file.tell())
    except OSError:
        return None
    return None


def _line(entry: tuple[str, tuple[str, str]]) -> bytes:
    receipt, (made_for, made_with) = entry
    return f"{receipt}\t{made_for}\t{made_with}\n".encode()


def _entry(line: bytes) -> tuple[str, tuple[str, str]] | None:
    match line.decode("utf-8", "replace").rstrip("\n").split("\t"):
        case [receipt, made_for, made_with]:
            return receipt, (made_for, made_with)
    return None
