"""Messages on jobs during a run: one line for each job, with progress and remaining time."""

import logging
import os
import sys
import time
from typing import Any

from memwave.core.progress import CLEAR_LINE
from memwave.workflow.process.termination import was_interrupted

# In the environment of jobs whose errors are printed at the end of the run; see `end_messages`.
ERRORS_AT_THE_END = "MEMWAVE_ERRORS_AT_THE_END"

# The logger of all messages of Snakemake.
SNAKEMAKE = "snakemake.logging"

# Events that the line of a job replaces, and messages without an event that add no information.
LEFT_OUT = ("JOB_FINISHED", "JOB_STARTED", "PROGRESS", "SHELLCMD")
NOISE = (
    "Select jobs to execute",
    "Removing temporary output",
    "Exiting because a job execution failed. Look above",
)

# What Snakemake says after the errors of jobs, which are the last lines that a user should read.
AFTER_ERRORS = ("Complete log(s)", "Elapsed time", "At least one job did not complete")

# Errors of jobs are printed at the end, so Snakemake's message on their status says nothing more.
ENDED_WITH_STATUS_1 = "returned non-zero exit status 1"

# How jobs end that receive the Ctrl-C of a run before they can handle it.
ENDED_BY_CTRL_C = "died with <Signals.SIGINT"


def print_job_lines(jobs: int) -> None:
    """Replace Snakemake's messages on jobs from now on. Its log file does not change.

    Messages do not change with ``--verbose`` or with a logger plugin.

    Parameters
    ----------
    jobs : int
        Jobs of the run.

    Notes
    -----
    ``onstart`` calls this function. It does not import Snakemake, which the package does not
    require.
    """
    logger = logging.getLogger(SNAKEMAKE)
    if logger.level <= logging.DEBUG:
        return
    for handler in logger.handlers:
        if type(handler).__name__ == "ColorizingTextHandler":
            os.environ[ERRORS_AT_THE_END] = "1"
            lines = JobLines(handler.formatter or logging.Formatter(), jobs)
            handler.addFilter(lines.is_printed)
            handler.setFormatter(lines)


class JobLines(logging.Formatter):
    """Formats messages on jobs; another formatter formats all other messages.

    Parameters
    ----------
    others : logging.Formatter
    jobs : int
    """

    def __init__(self, others: logging.Formatter, jobs: int):
        super().__init__()
        self._others, self._total, self._done = others, jobs, 0
        self._failed = False
        # Jobs draw bars on a terminal; a line replaces what is left of one.
        self._start = CLEAR_LINE if sys.stderr.isatty() else ""
        self._begin = time.monotonic()

    def is_printed(self, record: logging.LogRecord) -> bool:
        """Whether a record is printed; counts the jobs that are done."""
        event = _event(record)
        if event == "PROGRESS":
            self._done, self._total = _field(record, "done"), _field(record, "total")
            return bool(self._done == self._total)
        self._failed = self._failed or event == "JOB_ERROR" or was_interrupted()
        message = record.getMessage()
        if was_interrupted() and (event == "JOB_ERROR" or ENDED_BY_CTRL_C in message):
            return False
        return (
            event not in LEFT_OUT
            and not (self._failed and any(text in message for text in AFTER_ERRORS))
            and not message.startswith(NOISE)
            and ENDED_WITH_STATUS_1 not in message
            and bool(message.strip() or event)
        )

    def format(self, record: logging.LogRecord) -> str:
        return f"{self._start}{self._text(record)}"

    def _text(self, record: logging.LogRecord) -> str:
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
