"""SIGTERM ends Snakemake, whatever it is doing when the signal comes."""

import signal
from queue import SimpleQueue
from threading import Thread


def install_sigterm_handler() -> None:
    """Let a thread of its own call the handler of SIGTERM that Snakemake has installed.

    Snakemake (9.27) asks for a lock in its handler, which runs in the main thread. Where that
    thread holds the lock, as it does while it looks after finished jobs, it waits for
    itself forever. `SimpleQueue.put` is reentrant: a handler may call it in the middle of
    anything, and other ways to wake a thread have locks of their own.

    Notes
    -----
    To be called once the handler is installed, by ``onstart``. The thread ends with the process.
    """
    graceful = signal.getsignal(signal.SIGTERM)
    if not callable(graceful):
        return
    received: SimpleQueue[int] = SimpleQueue()
    Thread(target=lambda: graceful(received.get(), None), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda number, frame: received.put(number))
