"""Memory of this process: its limit, its peak, and buffers of libraries."""

import resource
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from memwave.core.ranges import MEGABYTE

# Addresses of a further thread that may be reserved late: of its stack, and of a buffer of BLAS.
ADDRESSES_MB = 48


def out_of_memory(error: BaseException) -> bool:
    """Whether an error is a lack of memory, or follows from one.

    Some libraries state it only in their message, and some raise another error instead.
    """
    words = (
        "memory allocation failed",
        "cannot allocate memory",
        "failed to map segment",
        "returned null without setting an exception",  # NumPy, where a buffer is refused
    )
    if isinstance(error, MemoryError) or any(word in str(error).lower() for word in words):
        return True
    cause = error.__cause__ or error.__context__
    return cause is not None and out_of_memory(cause)


def limit_memory(memory_mb: int, threads: int = 1) -> None:
    """Limit the private memory of this process to `memory_mb`.

    Linux counts private writable addresses, not shared file maps; other systems do not limit it.
    Addresses that libraries reserved when they were loaded, and do not use, are added to the limit,
    and `ADDRESSES_MB` for each further thread: its stack and a buffer of BLAS, of which it uses a
    part. BLAS hangs if it cannot allocate a buffer. So it allocates its buffers for all threads
    before the limit is set, and modules with another BLAS (scipy.linalg) must be imported before.
    """
    warm_up(threads + 1)  # one more thread merges the results of the others
    if sys.platform == "linux":
        reserved = max(0, status_bytes("VmData") - anonymous_memory())
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        reserved += (threads - 1) * ADDRESSES_MB * MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * MEGABYTE + reserved, hard))


def warm_up(threads: int) -> None:
    """Make every loaded BLAS allocate its buffers for that many threads."""
    barrier = threading.Barrier(threads)
    linalg = sys.modules.get("scipy.linalg")
    matrix = np.eye(256)

    def multiply() -> None:
        barrier.wait()
        matrix @ matrix[:, :100]

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(multiply) for _ in range(threads)]:
            future.result()
    # LAPACK uses a buffer while functions that it calls use another one.
    for call in (np.linalg.qr, np.linalg.eigh, np.linalg.cholesky):
        call(matrix)
    np.linalg.solve(matrix, matrix)
    if linalg is not None:
        linalg.eigh(matrix, subset_by_index=[200, 255], driver="evx")


class PeakMemory:
    """Measures the peak of anonymous resident memory within a ``with`` block, in bytes.

    The kernel does not record this peak, so a thread reads the value every `INTERVAL` seconds.
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
    """Anonymous resident memory of this process in bytes; its peak RSS if that is unknown."""
    if sys.platform == "linux":
        return status_bytes("RssAnon")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def status_bytes(field: str) -> int:
    """A value, in bytes, of this process in Linux's /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(f"{field}:"))
