"""Runs a script as a stage in a fresh process, as Snakemake does.

As a program: ``python tests/helpers/stages.py`` reads the script and its job from standard input.
"""

import json
import pickle
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "scripts"
PLENTY_MB = 2000
# A stage that hangs is killed, and the test fails.
PATIENCE = 120


@dataclass
class Ended:
    """How a stage ended.

    Attributes
    ----------
    status : int
        Of the process; negative if a signal ended it.
    told : str
        Its standard error.
    log : str
    usage : dict
        What it measured; empty if it failed.
    """

    status: int
    told: str
    log: str
    usage: dict


def run_stage(
    name: str,
    folder: Path,
    request: Any,
    *,
    memory_mb: int = PLENTY_MB,
    threads: int = 1,
    script: Path | None = None,
    **files: Any,
) -> Ended:
    """Run a stage; its log and its usage file are in `folder` meanwhile.

    Parameters
    ----------
    name : str
        Of the stage, and of its script unless `script` is another one.
    request : object
        See `memwave.workflow.requests`.
    **files
        Inputs and outputs of the rule by name: a path, or several.
    """
    log, usage = folder / f"{name}.log", folder / f"{name}.json"
    job = make_job(name, request, memory_mb, threads, log, usage, files)
    process = subprocess.run(
        [sys.executable, __file__],
        input=pickle.dumps((str(script or SCRIPTS / f"{name}.py"), pickle.dumps(job))),
        capture_output=True,
        timeout=PATIENCE,
    )
    measured = json.loads(usage.read_text()) if usage.exists() else {}
    logged = log.read_text() if log.exists() else ""
    for path in (log, usage):
        path.unlink(missing_ok=True)
    return Ended(process.returncode, process.stderr.decode(), logged, measured)


def make_job(
    name: str,
    request: Any,
    memory_mb: int,
    threads: int,
    log: Path,
    usage: Path,
    files: dict[str, Any],
) -> Any:
    """The object that Snakemake defines in a script."""
    from snakemake import iocontainers as io

    inputs = io.InputFiles()
    for key, value in files.items():
        start, is_path = len(inputs), isinstance(value, str | Path)
        inputs.extend(map(str, [value] if is_path else value))
        inputs._set_name(key, start, None if is_path else len(inputs))
    return io.Snakemake(
        inputs,
        io.OutputFiles(fromdict={"usage": str(usage)}),
        io.Params(fromdict={"request": [request]}),
        io.Wildcards(),
        threads,
        io.ResourceList(fromdict={"mem_mb": memory_mb}),
        io.Log([str(log)]),
        {},
        name,
        None,
    )


def main() -> None:
    script, job = pickle.load(sys.stdin.buffer)
    # What Snakemake writes before a script imports these modules, too.
    from snakemake.iocontainers import Snakemake  # noqa: F401
    from snakemake.logging import logger  # noqa: F401

    sys.path.append(str(SCRIPTS))
    runpy.run_path(script, init_globals={"snakemake": pickle.loads(job)})


if __name__ == "__main__":
    main()
