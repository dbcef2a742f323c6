"""Killed at random moments and started again: the same bytes, and no half or stale file.

Some kills by default; ``make test-faults`` asks for thirty, across all stages.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from random import Random

import h5py
import numpy as np
from tiny_project import MODELS, PATIENCE, ROOT, Project

from memwave.results.verify import read_whole
from memwave.storage.hdf5 import open_read_only

KILLS = int(os.environ.get("MEMWAVE_KILLS", "5"))
# Solvers that run, and more seconds than all jobs take on a machine that is not busy.
SOLVERS, LATEST = (list(MODELS), 9.0) if KILLS > 5 else (["exact", "randomized"], 5.0)
# Signals to everything, after which Snakemake ends by itself.
SIGNALS = {"SIGTERM": signal.SIGTERM, "Ctrl-C": signal.SIGINT}
WAYS = ("everything", "snakemake", "a job", *SIGNALS)
LOCKED = "Error: Directory cannot be locked."


class Run:
    """Snakemake at work in a project, to be killed."""

    def __init__(self, project):
        self.folder = project.folder
        self.log = self.folder / "run.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--cores", "2"],
                cwd=self.folder,
                env=os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def jobs(self):
        """Process and stage of the scripts that run in the folder."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().decode().split("\0")
                if (entry / "cwd").resolve() != self.folder.resolve():
                    continue
            except OSError:
                continue
            for word in command[1:2]:
                if match := re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py", word):
                    yield int(entry.name), match[1]

    def ended(self, seconds):
        """Whether it ends by itself, in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self, how, random):
        """Kill or interrupt, in one of `WAYS`; return the stages that ran."""
        jobs = dict(self.jobs())
        if how == "a job" and jobs:
            os.kill(random.choice(sorted(jobs)), signal.SIGKILL)
            assert self.ended(PATIENCE)
            assert self.process.returncode == 1, self.log.read_text()[-4000:]
        elif how == "snakemake":
            self.process.kill()
        elif how in SIGNALS:
            os.killpg(self.process.pid, SIGNALS[how])
            assert self.ended(PATIENCE)
        else:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        return set(jobs.values()) or {"between jobs"}


def require_whole_files(folder):
    """Whatever has its final name is whole."""
    for path in folder.rglob("results/**/[!.]*.h5"):
        with h5py.File(path) as file:
            marks = file.attrs["encoding-type"], file.attrs["encoding-version"]
        with open_read_only(path, *marks):
            pass
    for path in folder.rglob("results/**/features/[!.]*.npy"):
        read_whole(path) if Path(f"{path}.xxh3").exists() else np.load(path)


def unlock(project, *, told=False):
    """As the documents say: if that is what snakemake asks for."""
    if any((project.folder / ".snakemake/locks").glob("*")):
        if told:
            assert LOCKED in project.snakemake("--cores", "2").stderr
        done = project.snakemake("--unlock")
        assert done.returncode == 0, done.stderr


def go_on(project):
    """Run to the end; nothing kills this run."""
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]


def test_killed_at_random_moments(tmp_path, project):
    random, struck, kills, runs = Random(0), Counter(), 0, count()
    while kills < KILLS:
        # A run that ends before it is killed counts none: another one follows.
        victim = Project(tmp_path / str(next(runs)), SOLVERS)
        run = Run(victim)
        while kills < KILLS:
            if run.ended(random.uniform(0, LATEST)):
                assert run.process.returncode == 0, run.log.read_text()[-4000:]
                break
            how = WAYS[kills % len(WAYS)]
            stages = run.kill(how, random)
            struck.update(stages)
            kills += 1
            print(f"kill {kills}: {how}, at {', '.join(sorted(stages))}")
            require_whole_files(victim.folder)
            unlock(victim, told=kills == 1)
            if kills < KILLS:
                run = Run(victim)
        go_on(victim)
        while list(run.jobs()):  # those that outlived their snakemake
            time.sleep(0.1)
        expected = project.results()
        assert victim.results() == {name: expected[name] for name in victim.results()}
        assert all((victim.result(f"{model}/projection.h5")).exists() for model in SOLVERS)
        assert not list(victim.folder.rglob("results/**/.*partial*"))
        done = victim.snakemake("--dry-run", "--cores", "1")
        assert "Nothing to be done" in done.stdout + done.stderr
    print(f"{kills} kills: {dict(struck)}")


def test_sigterm_at_every_moment_ends_snakemake(tmp_path, project):
    # A handler that waits for a lock that the interrupted thread holds would never return.
    victim = Project(tmp_path / "victim", ["exact"])
    run = Run(victim)
    while not list(run.jobs()):
        assert not run.ended(0.01), run.log.read_text()[-4000:]
    for _ in range(300):  # until its jobs have ended; more would exceed Python's depth of calls
        os.kill(run.process.pid, signal.SIGTERM)
        if run.ended(0.01):
            break
    assert run.ended(PATIENCE)
    assert "Will exit after finishing currently running jobs" in run.log.read_text()
    require_whole_files(victim.folder)
    unlock(victim)
    go_on(victim)
    assert victim.result("exact/projection.h5").exists()
    assert victim.results().items() <= project.results().items()


def test_the_documents_quote_what_snakemake_says():
    text = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    assert LOCKED in text
