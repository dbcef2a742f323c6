"""Ends of Snakemake: at once when all is done; by a signal at any time, and without a traceback."""

import signal
import sys
import threading
from queue import SimpleQueue
from threading import Thread
from types import FrameType, TracebackType

# Signals that ended the run.
_received: list[int] = []


def cancel_timers() -> None:
    """Cancel the timers that Snakemake's scheduler (9.27) leaves when all jobs have ended.

    Python would wait for them, a second, before it ends. `onsuccess` and `onerror` call this
    function.
    """
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            called = getattr(thread.function, "__qualname__", "")
            if called.startswith("JobScheduler."):
                thread.cancel()


def was_interrupted() -> bool:
    """Whether Ctrl-C or SIGTERM ended the run."""
    return bool(_received)


def note_interrupts() -> None:
    """Remember a Ctrl-C, which is then handled as before. ``onstart`` calls this function."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        return  # it is ignored, as in the background of a shell

    def handler(number: int, frame: FrameType | None) -> None:
        _received.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, handler)


def install_sigterm_handler() -> None:
    """Call Snakemake's handler of SIGTERM in a separate thread.

    Snakemake's handler (9.27) acquires a lock in the main thread. If that thread already holds the
    lock, as it does while it handles finished jobs, it deadlocks. `SimpleQueue.put` is reentrant,
    so a handler may call it at any time; other ways to wake a thread use locks.

    Notes
    -----
    ``onstart`` calls this function, when Snakemake's handler is installed. The thread ends with the
    process.
    """
    graceful = signal.getsignal(signal.SIGTERM)
    if not callable(graceful):
        return
    received: SimpleQueue[int] = SimpleQueue()
    Thread(target=lambda: graceful(received.get(), None), daemon=True).start()

    def handler(number: int, _: FrameType | None) -> None:
        _received.append(number)
        received.put(number)

    signal.signal(signal.SIGTERM, handler)


def install_interrupt_message() -> None:
    """Print one line, and no traceback, for a Ctrl-C while Snakemake plans.

    Snakemake itself handles one while jobs run. The exit status stays that of an interrupt.
    """
    others = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print("interrupted. Run again to continue.", file=sys.stderr)
        else:
            others(kind, error, trace)

    sys.excepthook = hook
