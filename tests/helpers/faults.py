"""Calls of the system that fail, stop or kill a process, and runs that meet them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_project import PATIENCE, ROOT, Project

SOURCE = ROOT / "tests/faults/fault.c"


def build(folder: Path) -> Path:
    """Compile the library to preload; skips the test where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a library to preload needs Linux and a C compiler")
    library = folder / "fault.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


def fault(library: Path, call: str, path: str, do: object, nth: int = 1) -> dict[str, str]:
    """Environment in which a process meets a fault; see fault.c."""
    return {
        "LD_PRELOAD": str(library),
        "FAULT_CALL": call,
        "FAULT_PATH": path,
        "FAULT_DO": str(do),
        "FAULT_NTH": str(nth),
    }


class FaultyRun:
    """Snakemake at work in a project, with a fault in its environment.

    Attributes
    ----------
    process : subprocess.Popen
    log : Path
        What it and its jobs say.
    """

    def __init__(self, project: Project, environment: dict[str, str]):
        self.folder, self.log = project.folder, project.folder / "faulty.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--cores", "2"],
                cwd=self.folder,
                env=os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")} | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stopped_job(self) -> int:
        """Wait for the job that meets a stop; return its process."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
                    if state == "T" and (entry / "cwd").resolve() == self.folder.resolve():
                        return int(entry.name)
                except OSError:
                    continue
            time.sleep(0.05)
        raise AssertionError("no job stopped")

    def outlived_by_a_job(self) -> int:
        """Kill snakemake while a job of it is stopped; return the job's process."""
        job = self.stopped_job()
        self.process.kill()
        self.process.wait(PATIENCE)
        return job


def go_on(job: int) -> None:
    """Let a stopped process go on, and wait for its end."""
    os.kill(job, signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{job}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {job} goes on")
