"""One line a job: what Snakemake logs of it is made one, the rest stays."""

import logging
from enum import Enum

import pytest

from memwave.workflow.process.job_lines import JobLines

Event = Enum("Event", ["JOB_INFO", "JOB_FINISHED", "JOB_STARTED", "PROGRESS", "JOB_ERROR"])


def printed(lines, message, event=None, **fields):
    """What is printed of a record; None if it is left out."""
    record = logging.makeLogRecord({"msg": message, "event": event, **fields})
    return lines.format(record) if lines.is_printed(record) else None


@pytest.fixture
def lines():
    return JobLines(logging.Formatter("other: %(message)s"), 3)


def test_a_job_has_one_line_with_progress(lines):
    job = {"event": Event.JOB_INFO, "rule_msg": "fit_model: toy/deep/exact (90 MB)"}
    assert printed(lines, "", **job) == "[0 of 3 done] fit_model: toy/deep/exact (90 MB)"
    assert printed(lines, "Finished jobid: 1", Event.JOB_FINISHED) is None
    assert printed(lines, "", Event.PROGRESS, done=1, total=3) is None
    line = printed(lines, "", **job)
    assert line.startswith("[1 of 3 done, 0:0")
    assert line.endswith(" left] fit_model: toy/deep/exact (90 MB)")


def test_what_says_nothing_is_left_out(lines):
    assert printed(lines, "Select jobs to execute...") is None
    assert printed(lines, "Execute 2 jobs...", Event.JOB_STARTED) is None
    assert printed(lines, "CalledProcessError: returned non-zero exit status 1.") is None
    killed = "CalledProcessError: died with <Signals.SIGKILL: 9>."
    assert printed(lines, killed) == f"other: {killed}"
    assert printed(lines, "Complete log(s): a.log") == "other: Complete log(s): a.log"


def test_a_job_that_failed_names_its_log(lines):
    failed = {"rule_name": "fit_model", "log": ["logs/fit_model/a.log"]}
    line = printed(lines, "", Event.JOB_ERROR, **failed)
    assert line == "[0 of 3 done] FAILED fit_model: logs/fit_model/a.log"


def test_the_last_progress_is_printed(lines):
    assert printed(lines, "", Event.PROGRESS, done=3, total=3) is not None
