"""The provenance of an experiment: code, configuration, inputs and checksums of results."""

import json
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from memwave.storage.atomic import replacing
from memwave.storage.checksums import hex_checksum


def write_provenance(
    path: str | Path, made_by: dict, inputs: dict[str, str], results: Iterable[str]
) -> None:
    """Write the provenance of an experiment, as JSON.

    Parameters
    ----------
    path : path
        The file to write, beside the results.
    made_by : dict
        Configuration and versions.
    inputs : dict of str to str
        Checksums of recordings and labels by their paths in the sheet.
    results : iterable of path
        What was made of them; of a shard, the file that has its checksums.
    """
    provenance = {
        **made_by,
        "commit": commit(),
        "machine": {"system": platform.platform(), "processor": processor()},
        "inputs": inputs,
        "results": {str(result): hex_checksum(result) for result in results},
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")


def commit() -> str | None:
    """Commit of the workflow, with a remark if files differ from it; None if it is in no git."""
    said = []
    for command in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            done = subprocess.run(
                ["git", "-C", Path(__file__).parent, *command],
                capture_output=True,
                text=True,
                timeout=60,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode:
            return None
        said.append(done.stdout.strip())
    return f"{said[0]} and changes" if said[1] else said[0]


def processor() -> str:
    """Name of the processor: BLAS has kernels of its own for each, which round differently."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
