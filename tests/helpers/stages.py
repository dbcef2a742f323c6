"""Runs the function of a script as a stage in a fresh process, as the workflow does.

As a program: ``python tests/helpers/stages.py`` reads the stage as JSON from standard input.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

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
    memory_mb: int = PLENTY_MB,
    script: str | None = None,
    **keywords: object,
) -> Ended:
    """Run a stage; its log and its usage file stand in `folder` meanwhile.

    Parameters
    ----------
    name : str
        The function, and its script unless `script` names another module.
    **keywords
        Of the function; paths may be paths.
    """
    log, usage = folder / f"{name}.log", folder / f"{name}.json"
    request = {
        "name": name,
        "script": script or name,
        "stage": {
            "memory_mb": memory_mb,
            "threads": keywords.get("threads", 1),
            "log_path": str(log),
            "usage_path": str(usage),
        },
        "keywords": keywords,
    }
    process = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(request, default=str),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    measured = json.loads(usage.read_text()) if usage.exists() else {}
    logged = log.read_text() if log.exists() else ""
    for path in (log, usage):
        path.unlink(missing_ok=True)
    return Ended(process.returncode, process.stderr, logged, measured)


def main() -> None:
    sys.path[:0] = [str(SCRIPTS), str(Path(__file__).parent)]
    request = json.load(sys.stdin)
    function = getattr(import_module(request["script"]), request["name"])
    from memwave import readers
    from memwave.pca import solvers
    from memwave.workflow.process import stage

    keywords = request["keywords"]
    pieces = keywords.get("windows") or [keywords.get("source") or {}]
    # Libraries as the scripts load them.
    readers.load_libraries(piece["path"] for piece in pieces if "path" in piece)
    if "model" in keywords:
        solvers.load_libraries(keywords["model"]["solver"])
    with stage.stage(request["name"], **request["stage"]):
        function(**keywords)


if __name__ == "__main__":
    main()
