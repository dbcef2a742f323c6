"""A Ctrl-C while Snakemake plans gives one line and no traceback."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PLANNING = """
import os, signal, sys
from memwave.workflow.process.termination import install_interrupt_message
install_interrupt_message()
if sys.argv[1] == "interrupt":
    os.kill(os.getpid(), signal.SIGINT)
raise ValueError("another error")
"""


RUNNING = """
import os, signal, threading
from memwave.workflow.process import termination
signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
ended = threading.Event()
termination.note_interrupts()
termination.install_sigterm_handler()
print(termination.was_interrupted())
try:
    os.kill(os.getpid(), signal.{signal})
    assert ended.wait(60)
except KeyboardInterrupt:
    assert "{signal}" == "SIGINT"
print(termination.was_interrupted())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_is_remembered_and_handled(name):
    done = subprocess.run(
        [sys.executable, "-c", RUNNING.replace("{signal}", name)],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("False\nTrue\n", "", 0)


def run(what):
    return subprocess.run(
        [sys.executable, "-c", PLANNING, what],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_interrupt_is_one_line():
    done = run("interrupt")
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert done.stderr == "interrupted. Run again to continue.\n"


def test_other_errors_keep_their_traceback():
    done = run("fail")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ValueError: another error\n")
