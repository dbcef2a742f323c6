"""The current run of a folder: its plan, and the digests of its jobs.

The process that plans a run writes both when the run starts. A job on a cluster, which has its own
Snakemake, reads the plan from there, since the configuration may have been edited meanwhile. A job
may outlive its run. So it checks, before an output gets its final name, that the current run still
contains the job.
"""

import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.storage.atomic import replacing

FOLDER = Path(".snakemake/memwave")
PLAN, WANTED = FOLDER / "plan.pickle", FOLDER / "wanted.json"


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
    sources : dict of str to str
        Checksums of its inputs that no job makes, by path.
    predicted_mb : int
        Predicted memory.
    """

    receipt: str
    made_for: str
    made_with: str
    makers: dict[str, str]
    files: tuple[str, ...]
    sources: dict[str, str]
    predicted_mb: int

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
            "sources": self.sources,
        }

    def require_wanted(self) -> None:
        """Raise MemwaveError unless the current run of the folder has this job, unchanged."""
        found = load_wanted().get(self.receipt)
        if found != [self.made_for, self.made_with]:
            raise MemwaveError(
                "not wanted any more: another run was started here with another plan, or other "
                "code, while this job of an earlier run was running or waiting. It leaves no "
                "files; the current run continues."
            )


def start_run(
    plan: Any, checksums: Mapping[str, str], wanted: Mapping[str, tuple[str, str]]
) -> None:
    """Make a run the current one of the folder.

    Parameters
    ----------
    plan : Plan
    checksums : mapping of str to str
        Checksums of all inputs that no job makes, by path.
    wanted : mapping of str to (str, str)
        Digests of the request and of the code of each job, by its receipt. Entries of earlier runs
        for other jobs remain: a run of other experiments may still be active.
    """
    with replacing(PLAN) as temporary:
        temporary.write_bytes(pickle.dumps((plan, dict(checksums), dict(wanted))))
    with replacing(WANTED) as temporary:
        temporary.write_text(json.dumps(load_wanted() | dict(wanted)), encoding="utf-8")


def load_plan() -> tuple[Any, dict[str, str], dict[str, tuple[str, str]]]:
    """The plan of the current run, checksums, and digests of its jobs, as given to `start_run`.

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


def load_wanted() -> dict[str, list[str]]:
    """Digests of the jobs of all runs of this folder, by receipt; empty if there are none."""
    try:
        return json.loads(WANTED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
