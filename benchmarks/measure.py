"""Time and memory of work done in processes of its own.

A job is a function called in a fresh process. Processes start and import before the clock does,
for all contenders alike; a command (`measure_command`) is timed as a user would time it, from its
start to its end.
"""

import base64
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1e6
WORKER = Path(__file__).with_name("worker.py")
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """A function to be called in a process of its own.

    Attributes
    ----------
    function : str
        ``module.function``; the module lies here or in ``scripts``.
    arguments : dict
        Keywords.
    imports : tuple of str
        Modules that the function would import itself; loaded before the clock starts.
    blas_threads : int
        Threads of BLAS.
    request : tuple
        Arguments without a keyword; they are pickled, as the keywords are.
    """

    function: str
    arguments: dict = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    blas_threads: int = 1
    request: tuple = ()


@dataclass(frozen=True)
class Measurement:
    """What some work took.

    Attributes
    ----------
    seconds : float
        Wall time.
    peak_mb : float
        Peak of anonymous resident memory of the largest process.
    together_mb : float
        Peak of the anonymous resident memory of all processes at the same time.
    resident_mb : float
        Peak resident memory of the largest process, file maps included; 0 if not known.
    answers : list
        What the functions returned, phase after phase.
    """

    seconds: float
    peak_mb: float
    together_mb: float
    resident_mb: float = 0.0
    answers: list = field(default_factory=list)


def snakemake(*arguments: str) -> list[str]:
    """Command that runs Snakemake on two cores, as where only memwave is installed.

    That is without pandas, which rivals need, and Snakemake loads where it finds it; and without
    plugins of Snakemake, such as the one for SLURM, which loads pandas too.
    """
    code = (
        "import pkgutil, sys; sys.modules['pandas'] = None; modules = pkgutil.iter_modules; "
        "pkgutil.iter_modules = lambda *given: "
        "(module for module in modules(*given) if '_plugin_' not in module.name); "
        "from snakemake.cli import main; main()"
    )
    return [sys.executable, "-c", code, "--cores", "2", *arguments]


class JobFailed(RuntimeError):
    """A job ended without an answer; the message has the end of its standard error."""


class MemoryWatch:
    """Samples anonymous memory of processes while it is entered.

    Parameters
    ----------
    processes : callable
        Returns the ids of the processes to be looked at now.
    interval : float
        Seconds between two looks.
    """

    def __init__(self, processes: Callable[[], Iterable[int]], interval: float = 0.01):
        self.largest = self.together = 0
        self._processes, self._interval = processes, interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            sizes = [anonymous_bytes(process) for process in self._processes()]
            self.largest = max([self.largest, *sizes])
            self.together = max(self.together, sum(sizes))


def anonymous_bytes(process: int) -> int:
    """Anonymous resident memory of a process (RssAnon); 0 once it is gone."""
    with suppress(OSError), open(f"/proc/{process}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def descendants(process: int) -> list[int]:
    """A process and all that it started, directly or not."""
    found = [process]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, children.read_text().split())
    return found


class _Worker:
    """A started process that waits to be told to go."""

    def __init__(self, job: Job, folder: Path):
        threads = dict.fromkeys(THREAD_VARIABLES, str(job.blas_threads))
        text = base64.b64encode(pickle.dumps(vars(job))).decode()
        self.function = job.function
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), text],
            cwd=folder,
            env={**os.environ, **threads},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.running = False

    def wait_until_ready(self) -> None:
        self._read_line()

    def run(self) -> dict:
        assert self.process.stdin is not None
        self.running = True
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self._read_line()
        self.running = False
        return json.loads(line)

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self._errors.seek(0)
            error = self._errors.read().decode(errors="replace")
            raise JobFailed(f"{self.function} ended with status {status}:\n{error[-2000:]}")
        return line

    def close(self) -> None:
        """End the process, however far it is."""
        with self.process:
            self.process.kill()
        self._errors.close()


def measure(phases: Sequence[Sequence[Job]], folder: Path, at_once: int = 2) -> Measurement:
    """Run phases of jobs one after the other and measure them together.

    Parameters
    ----------
    phases : sequence of sequences of Job
        Jobs of a phase run side by side.
    folder : path
        Where the processes run.
    at_once : int
        How many jobs run at the same time, at most.
    """
    seconds, answers = 0.0, []
    largest, together, resident = 0, 0, 0
    for jobs in phases:
        workers = [_Worker(job, folder) for job in jobs]
        try:
            for worker in workers:
                worker.wait_until_ready()
            taken, watch, reports = _run_phase(workers, at_once)
        finally:
            for worker in workers:
                worker.close()
        seconds += taken
        # What came and went between two looks, these figures of the processes' own still show.
        largest = max([largest, watch.largest, *(report["anonymous"] for report in reports)])
        together = max(together, watch.together, largest)
        resident = max([resident, *(report["resident"] for report in reports)])
        answers += [report["answer"] for report in reports]
    return Measurement(
        seconds, largest / MEGABYTE, together / MEGABYTE, resident / MEGABYTE, answers
    )


def _run_phase(workers: list[_Worker], at_once: int) -> tuple[float, MemoryWatch, list[dict]]:
    def running() -> list[int]:
        return [worker.process.pid for worker in workers if worker.running]

    with MemoryWatch(running) as watch, ThreadPoolExecutor(at_once) as pool:
        begin = time.perf_counter()
        reports = list(pool.map(_Worker.run, workers))
        seconds = time.perf_counter() - begin
    return seconds, watch, reports


def measure_command(command: list[str], folder: Path) -> Measurement:
    """Run a command and measure it with everything it starts."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with MemoryWatch(lambda: descendants(process.pid), interval=0.05) as watch:
        error = process.communicate()[1]
    seconds = time.perf_counter() - begin
    if process.returncode != 0:
        raise JobFailed(f"{command[0]} ended with status {process.returncode}:\n{error[-2000:]}")
    return Measurement(seconds, watch.largest / MEGABYTE, watch.together / MEGABYTE)


def warm(paths: Iterable[Path]) -> None:
    """Read files once, so that every contender finds them in the page cache."""
    buffer = bytearray(1 << 22)
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
