"""The run that is current in a folder: its plan, and what it wants of each job.

The process that plans a run writes both when the run starts. A job that a cluster starts, with a
Snakemake of its own, takes the plan from there and not from a configuration that may have been
edited meanwhile. A job asks, before a file of it gets its name, whether it is still wanted: a job
may outlive its run.
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
    """What a job knows of the plan that it is part of.

    Attributes
    ----------
    receipt : str
        Path of its receipt.
    made_for, made_with : str
        Digests of what it is made for, and of its code.
    makers : dict of str to str
        Digests of the jobs whose files it reads, by their receipts.
    files : tuple of str
        Those files.
    sources : dict of str to str
        Checksums of what it reads and no job makes, by path.
    predicted_mb : int
        Memory that the plan predicts for it.
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
        """What a receipt says of the plan."""
        return {
            "made_for": self.made_for,
            "made_with": self.made_with,
            "makers": self.makers,
            "sources": self.sources,
        }

    def require_wanted(self) -> None:
        """Raise MemwaveError if the current run of the folder wants something else of this job."""
        found = load_wanted().get(self.receipt)
        if found != [self.made_for, self.made_with]:
            raise MemwaveError(
                "not wanted any more: another run was started here with another plan, or other "
                "code, while this job of an earlier run was at work or waiting. It leaves nothing "
                "behind; the current run goes on."
            )


def start_run(
    plan: Any, checksums: Mapping[str, str], wanted: Mapping[str, tuple[str, str]]
) -> None:
    """Make a run the current one of the folder.

    Parameters
    ----------
    plan : Plan
    checksums : mapping of str to str
        Of everything that is read and that no job makes, by path.
    wanted : mapping of str to (str, str)
        By receipt, what each job is made for and with. Those of runs before are kept where this
        run has no such job: a run of other experiments may still go on.
    """
    with replacing(PLAN) as temporary:
        temporary.write_bytes(pickle.dumps((plan, dict(checksums), dict(wanted))))
    with replacing(WANTED) as temporary:
        temporary.write_text(json.dumps(load_wanted() | dict(wanted)), encoding="utf-8")


def load_plan() -> tuple[Any, dict[str, str], dict[str, tuple[str, str]]]:
    """The plan of the current run, checksums, and what it wants, as given to `start_run`.

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
    """What runs want of their jobs; empty where nothing is known."""
    try:
        return json.loads(WANTED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
