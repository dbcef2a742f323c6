"""One line a job: what Snakemake logs of it is made one, the rest stays."""

import logging
from enum import Enum

import pytest

from memwave.core.progress import CLEAR_LINE, LABEL, shortened
from memwave.workflow.process import job_lines
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


def test_nothing_follows_the_errors_of_jobs(lines):
    after = "WorkflowError:\nAt least one job did not complete successfully."
    assert printed(lines, "Elapsed time: 0:00:04") == "other: Elapsed time: 0:00:04"
    printed(lines, "", Event.JOB_ERROR, rule_name="fit_model", log=["a.log"])
    assert printed(lines, "Elapsed time: 0:00:04") is None
    assert printed(lines, "Complete log(s): a.log") is None
    assert printed(lines, after) is None
    assert printed(lines, "Shutting down") is not None


def test_jobs_of_an_interrupted_run_have_not_failed(lines, monkeypatch):
    died = "CalledProcessError: died with <Signals.SIGINT: 2>."
    failed = {"event": Event.JOB_ERROR, "rule_name": "fit_model", "log": ["a.log"]}
    assert printed(lines, died) is not None
    monkeypatch.setattr(job_lines, "was_interrupted", lambda: True)
    assert printed(lines, died) is None
    assert printed(lines, "", **failed) is None
    assert printed(lines, "Elapsed time: 0:00:04") is None
    assert printed(lines, "Terminating processes on user request") is not None


def test_a_line_replaces_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    line = printed(JobLines(logging.Formatter(), 3), "", Event.JOB_INFO, rule_msg="all")
    assert line == f"{CLEAR_LINE}[0 of 3 done] all"


def test_a_label_leaves_room_for_the_bar():
    assert shortened("find_gaps a.h5") == "find_gaps a.h5"
    label = shortened("project_features results/hapt/haar/features/1-of-1.npy")
    assert label == "project_features …ures/1-of-1.npy"
    assert len(label) <= LABEL


def test_the_last_progress_is_printed(lines):
    assert printed(lines, "", Event.PROGRESS, done=3, total=3) is not None
