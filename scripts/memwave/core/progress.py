"""Progress of a long computation: a bar on a terminal, and lines in the log."""

import logging
import sys
import threading
import time

# Moves to the start of a line of a terminal and erases it.
CLEAR_LINE = "\r\x1b[K"

# Columns of a line on a terminal, and of its label, which leaves room for the bar and the time.
COLUMNS, LABEL = 79, 33

log = logging.getLogger("memwave")


class Progress:
    """Reports the progress of a long stage.

    Parameters
    ----------
    total : int
        Number of rows to process.
    label : str
        What is done.
    on_terminal : bool, optional
        Whether a bar is drawn on standard error; by default, if that is a terminal.
    """

    ON_TERMINAL, IN_LOG = 0.5, 15.0  # seconds between two updates

    def __init__(self, total: int, label: str, *, on_terminal: bool | None = None):
        self._total, self._label, self._done = total, label, 0
        self._begin = self._logged = self._drawn = time.monotonic()
        self._lock = threading.Lock()
        self._terminal = sys.stderr.isatty() if on_terminal is None else on_terminal

    def add(self, rows: int) -> None:
        """Add `rows` to the number of processed rows."""
        with self._lock:
            self._done += rows
            now = time.monotonic()
            if self._terminal and now - self._drawn >= self.ON_TERMINAL:
                self._drawn = now
                print(f"\r{self._line(now, COLUMNS)}", end="", file=sys.stderr, flush=True)
            if now - self._logged >= self.IN_LOG:
                self._logged = now
                log.info("%s", self._line(now, None))

    def restart(self) -> None:
        """Reset the counter."""
        with self._lock:
            self._done, self._begin = 0, time.monotonic()

    def close(self) -> None:
        """Remove the bar from the terminal."""
        if self._terminal:
            print("\r" + " " * COLUMNS + "\r", end="", file=sys.stderr, flush=True)

    def _line(self, now: float, width: int | None) -> str:
        from tqdm import tqdm  # only here: a short job should not wait for it

        return tqdm.format_meter(
            self._done,
            self._total,
            now - self._begin,
            ncols=width,
            prefix=self._label if width is None else shortened(self._label),
            unit="row",
            unit_scale=True,
        )


def shortened(label: str) -> str:
    """Return the first word of a label and the end of its last one, as far as there is room."""
    if len(label) <= LABEL:
        return label
    stage, _, path = label.partition(" ")
    room = LABEL - len(stage) - 2
    return f"{stage} …{path[-room:]}" if path and room > 0 else f"…{label[1 - LABEL :]}"
