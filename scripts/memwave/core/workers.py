"""Threads that share units of work, so that no bit depends on how many threads there are.

BLAS with several threads sums in another order for each number of them, and OpenBLAS takes fewer
threads where the machine has fewer cores. So BLAS computes with one thread, and what can be divided
is divided here: into units that follow from the data alone, whose results are used in their order.
"""

import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Barrier
from typing import TypeVar

Unit = TypeVar("Unit")
Result = TypeVar("Result")


@contextmanager
def started_pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that all run already.

    CPython hangs if a new thread finds no memory for its stack. So the limit of this process is
    lifted while they start. Their stacks count towards it afterwards.
    """
    with ThreadPoolExecutor(threads) as pool:
        barrier = Barrier(threads)
        with _no_memory_limit():
            for started in [pool.submit(barrier.wait) for _ in range(threads)]:
                started.result()
        yield pool


@contextmanager
def _no_memory_limit() -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class Workers:
    """Some threads, of which the caller's is one."""

    def __init__(self, threads: int, pool: ThreadPoolExecutor):
        self._others, self._pool = threads - 1, pool

    def run(self, work: Callable[[Unit], Result], units: list[Unit]) -> list[Result]:
        """Do all units; each thread takes the next one that nobody has begun."""
        results: list = [None] * len(units)
        numbers = iter(range(len(units)))  # taking the next number is atomic

        def take() -> None:
            for i in numbers:
                results[i] = work(units[i])

        others = [self._pool.submit(take) for _ in range(min(self._others, len(units) - 1))]
        try:
            take()
        finally:
            for _ in numbers:  # after an error, nothing more is begun
                pass
            for other in others:
                other.exception()
        for other in others:
            other.result()
        return results


_workers: ContextVar[Workers | None] = ContextVar("workers", default=None)


@contextmanager
def working(threads: int) -> Iterator[None]:
    """Let `share` use so many threads, in the thread that enters this context.

    A unit of work, and threads that are started inside, do not share their own work in turn.
    """
    if threads == 1:
        yield
        return
    with started_pool(threads - 1) as pool:
        token = _workers.set(Workers(threads, pool))
        try:
            yield
        finally:
            _workers.reset(token)


def share(work: Callable[[Unit], Result], units: Iterable[Unit]) -> list[Result]:
    """Do independent units of work, by the threads of `working`; the results in order.

    A unit must not depend on what another one writes. One that fails ends the work.
    """
    units = list(units)
    workers = _workers.get()
    if workers is None or len(units) < 2:
        return [work(unit) for unit in units]
    token = _workers.set(None)
    try:
        return workers.run(work, units)
    finally:
        _workers.reset(token)
