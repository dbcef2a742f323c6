"""Opens a file in a process of its own, and says what it was told and how much it grew.

The libraries are loaded once, in a server; a process that is forked from it opens the file.
"""

import multiprocessing
import resource
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from memwave.core.errors import MemwaveError

LIBRARIES = ["h5py", "pyarrow.csv", "wfdb", "zarr"]


@cache
def _server() -> multiprocessing.context.BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def opened(path: str | Path, role: str = "recording", **options: object) -> tuple[str, float]:
    """Open a file; return the error's message, or "", and the MB by which the process grew.

    `role` is "recording", "labels" or "model"; the options are those of a recording.
    """
    with ProcessPoolExecutor(1, mp_context=_server()) as pool:
        return pool.submit(_open, str(path), role, options).result(timeout=100)


def _open(path: str, role: str, options: dict) -> tuple[str, float]:
    from memwave.readers import open_source
    from memwave.recordings.labels.intervals import read_intervals
    from memwave.workflow.config.checks.applied import applied_options

    for library in LIBRARIES:
        __import__(library)
    begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = ""
    try:
        if role == "model":
            applied_options(path)
        elif role == "labels":
            read_intervals(path, 1000, 50.0)
        else:
            open_source(path, **options)  # type: ignore[arg-type]
    except MemwaveError as error:
        told = str(error)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begin
    return told, grown / 1024
