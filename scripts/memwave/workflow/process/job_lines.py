"""What Snakemake prints of jobs while it runs: one line a job, with progress and time left."""

import logging
import time
from typing import Any

# The logger that Snakemake has for everything that it prints.
SNAKEMAKE = "snakemake.logging"

# Events that the line of a job stands for, and messages without an event that say nothing more.
LEFT_OUT = ("JOB_FINISHED", "JOB_STARTED", "PROGRESS", "SHELLCMD")
NOISE = ("Select jobs to execute", "Removing temporary output")

# A job prints its own error; that Snakemake saw its status adds nothing.
ENDED_WITH_STATUS_1 = "returned non-zero exit status 1"


def print_job_lines(jobs: int) -> None:
    """Replace what Snakemake prints of jobs from now on; its log file stays as it is.

    With ``--verbose`` nothing is changed, and nothing where a logger plugin prints.

    Parameters
    ----------
    jobs : int
        Jobs of the run.

    Notes
    -----
    To be called by ``onstart``. Snakemake is not imported, so that the package needs none.
    """
    logger = logging.getLogger(SNAKEMAKE)
    if logger.level <= logging.DEBUG:
        return
    for handler in logger.handlers:
        if type(handler).__name__ == "ColorizingTextHandler":
            lines = JobLines(handler.formatter or logging.Formatter(), jobs)
            handler.addFilter(lines.keeps)
            handler.setFormatter(lines)


class JobLines(logging.Formatter):
    """Formats what is printed of jobs, and leaves all else to another formatter.

    Parameters
    ----------
    others : logging.Formatter
    jobs : int
    """

    def __init__(self, others: logging.Formatter, jobs: int):
        super().__init__()
        self._others, self._total, self._done = others, jobs, 0
        self._begin = time.monotonic()

    def keeps(self, record: logging.LogRecord) -> bool:
        """Whether a record is printed; counts the jobs that are done."""
        event = _event(record)
        if event == "PROGRESS":
            self._done, self._total = _field(record, "done"), _field(record, "total")
            return bool(self._done == self._total)
        message = record.getMessage()
        return (
            event not in LEFT_OUT
            and not message.startswith(NOISE)
            and ENDED_WITH_STATUS_1 not in message
            and bool(message.strip() or event)
        )

    def format(self, record: logging.LogRecord) -> str:
        event = _event(record)
        if event == "JOB_INFO" and _field(record, "rule_msg"):
            return f"{self._progress()} {_field(record, 'rule_msg')}"
        if event == "JOB_ERROR":
            logs = ", ".join(map(str, _field(record, "log") or ())) or "no log"
            line = f"{self._progress()} FAILED {_field(record, 'rule_name')}: {logs}"
            # What an executor says: a cluster names its job and why it ended.
            reason = str(_field(record, "rule_msg") or "").strip()
            return f"{line}\n{reason}" if reason else line
        return self._others.format(record)

    def _progress(self) -> str:
        """``[12 of 103 done, 2:10 left]``, the time as soon as it can be guessed."""
        left = ""
        if self._done and self._total > self._done:
            each = (time.monotonic() - self._begin) / self._done
            minutes, seconds = divmod(round(each * (self._total - self._done)), 60)
            left = f", {minutes}:{seconds:02} left"
        return f"[{self._done} of {self._total} done{left}]"


def _event(record: logging.LogRecord) -> str:
    """Name of Snakemake's event of a record, if it has one."""
    return getattr(getattr(record, "event", None), "name", "")


def _field(record: logging.LogRecord, name: str) -> Any:
    return getattr(record, name, None)
