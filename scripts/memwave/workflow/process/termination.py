"""Ends of Snakemake by a signal: at any time, and without a traceback."""

import signal
import sys
from queue import SimpleQueue
from threading import Thread
from types import TracebackType


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
    signal.signal(signal.SIGTERM, lambda number, frame: received.put(number))


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
