"""A stage as a process: held to its memory, logged, measured, and clear when it fails."""

import json
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from memwave.core.errors import MemwaveError
from memwave.core.ranges import MEGABYTE
from memwave.storage.atomic import replacing

log = logging.getLogger("memwave")

# They limit the threads of OpenBLAS, OpenMP and MKL when one of these is loaded.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def stage(
    name: str, *, memory_mb: int, log_path: str, usage_path: str, threads: int = 1
) -> Iterator[None]:
    """Run the body of a script as a stage of the workflow.

    The kernel holds the process to `memory_mb` of private memory (RLIMIT_DATA, where there is
    one; file maps do not count), and BLAS to one thread; messages go to the log, time and peak
    memory to the usage file.
    An error ends the process with status 1 and one clear message; a traceback goes to the log only.

    Parameters
    ----------
    name : str
        Name of the stage in messages.
    memory_mb : int
        Predicted need, and limit, in MB (10**6 bytes).
    log_path, usage_path : str
        Where the log and the measured use (JSON) go.
    threads : int
        Threads of the stage that compute.
    """
    _open_log(log_path)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with one_blas_thread(), PeakMemory() as peak:
            # Only now: Python waits for ever for a new thread that finds no memory to begin with.
            limit_memory(memory_mb, threads)
            begin = time.perf_counter()
            yield
        seconds = time.perf_counter() - begin
        log.info("done in %.2f s", seconds)
        log.info(
            "peak anonymous memory: %.0f MB of %d MB predicted", peak.bytes / MEGABYTE, memory_mb
        )
        _write_usage(usage_path, name, seconds, peak.bytes, memory_mb)
    except MemwaveError as error:
        _fail(f"{name}: {error}")
    except KeyboardInterrupt:
        _fail(f"{name}: interrupted; nothing was left half-written, run again to go on.")
    except Exception as error:
        log.error("%s", traceback.format_exc())
        if out_of_memory(error):
            _fail(
                f"{name}: needs more than the {memory_mb} MB predicted for it. Set a smaller "
                "block_mb (or batch_rows) in the configuration, and please report it: the "
                "prediction is wrong."
            )
        _fail(f"{name}: {type(error).__name__}: {error} (traceback in {log_path})")


@contextmanager
def command() -> Iterator[None]:
    """Run what a person calls by hand: an error that can be mended is one message, status 1."""
    try:
        with one_blas_thread():
            yield
    except MemwaveError as error:
        sys.exit(str(error))


def one_blas_thread() -> AbstractContextManager:
    """Limit BLAS to one thread in this process.

    The order in which BLAS sums, and so the last bits of every result, depends on its thread count.
    Shards run side by side instead and are merged in a fixed order. The libraries that are loaded
    are limited while the context is entered, those loaded later by the environment.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    return threadpool_limits(1)


def warn(message: str) -> None:
    """Tell what is odd and no reason to stop, in the log and to the user."""
    log.warning("%s", message)
    print(f"Warning: {message}", file=sys.stderr, flush=True)


def out_of_memory(error: Exception) -> bool:
    """Whether an error means that memory was refused; some libraries say so in words only."""
    words = ("memory allocation failed", "cannot allocate memory", "failed to map segment")
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in words)


def limit_memory(memory_mb: int, threads: int = 1) -> None:
    """Let the kernel refuse this process more private memory than `memory_mb`.

    Linux counts private writable addresses, not shared file maps; other systems do not limit it.
    Addresses that libraries reserved while they were loaded, and never touched, come on top. BLAS
    gets its buffers for all callers before, because it waits for ever where it gets none;
    for the same reason, modules that load another BLAS (scipy.linalg) must be imported before.
    """
    warm_up(threads + 1)  # what threads have done is merged by one more
    if sys.platform == "linux":
        reserved = max(0, status_bytes("VmData") - anonymous_memory())
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * MEGABYTE + reserved, hard))


def warm_up(threads: int) -> None:
    """Have every BLAS that is loaded reserve the buffers that it will use at the same time."""
    barrier = threading.Barrier(threads)
    linalg = sys.modules.get("scipy.linalg")
    matrix = np.eye(256)

    def multiply() -> None:
        barrier.wait()
        matrix @ matrix[:, :100]

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(multiply) for _ in range(threads)]:
            future.result()
    # LAPACK holds a buffer while what it calls asks for another one.
    for call in (np.linalg.qr, np.linalg.eigh, np.linalg.cholesky):
        call(matrix)
    np.linalg.solve(matrix, matrix)
    if linalg is not None:
        linalg.eigh(matrix, subset_by_index=[200, 255], driver="evx")


class PeakMemory:
    """Measures the peak of anonymous resident memory while it is entered, in bytes.

    The kernel keeps no such peak, so a thread looks every `INTERVAL` seconds.
    """

    INTERVAL = 0.02

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, anonymous_memory())
            if self._stop.wait(self.INTERVAL):
                self.bytes = max(self.bytes, anonymous_memory())
                return


def anonymous_memory() -> int:
    """Anonymous resident memory of this process in bytes; its peak RSS where that is unknown."""
    if sys.platform == "linux":
        return status_bytes("RssAnon")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def status_bytes(field: str) -> int:
    """A figure of this process that Linux keeps in /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(f"{field}:"))


class Progress:
    """Tells how far a long stage is: a bar on a terminal, a line now and then in the log.

    Parameters
    ----------
    total : int
        Rows to do.
    label : str
        What is done.
    """

    ON_TERMINAL, IN_LOG = 0.5, 15.0  # seconds between two lines

    def __init__(self, total: int, label: str):
        self._total, self._label, self._done = total, label, 0
        self._begin = self._told = self._drawn = time.monotonic()
        self._lock = threading.Lock()
        self._terminal = sys.stderr.isatty()

    def add(self, rows: int) -> None:
        """Count `rows` more rows as done."""
        with self._lock:
            self._done += rows
            now = time.monotonic()
            if self._terminal and now - self._drawn >= self.ON_TERMINAL:
                self._drawn = now
                print(f"\r{self._line(now, 79)}", end="", file=sys.stderr, flush=True)
            if now - self._told >= self.IN_LOG:
                self._told = now
                log.info("%s", self._line(now, None))

    def restart(self) -> None:
        """Count from nought again."""
        with self._lock:
            self._done, self._begin = 0, time.monotonic()

    def close(self) -> None:
        """Clear the bar from the terminal."""
        if self._terminal:
            print("\r" + " " * 79 + "\r", end="", file=sys.stderr, flush=True)

    def _line(self, now: float, width: int | None) -> str:
        return tqdm.format_meter(
            self._done,
            self._total,
            now - self._begin,
            ncols=width,
            prefix=self._label,
            unit="row",
            unit_scale=True,
        )


def _open_log(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _write_usage(path: str, name: str, seconds: float, peak: int, memory_mb: int) -> None:
    usage = {
        "stage": name,
        "seconds": round(seconds, 3),
        "peak_anonymous_mb": round(peak / MEGABYTE, 1),
        "predicted_mb": memory_mb,
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(usage) + "\n", encoding="utf-8")


def _terminated(number: int, frame: object) -> None:
    raise MemwaveError(
        "ended by SIGTERM (a cluster's time limit, or a cancelled run); nothing was left "
        "half-written, run again to go on."
    )


def _fail(message: str) -> None:
    log.error("%s", message)
    print(message, file=sys.stderr, flush=True)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(1)
