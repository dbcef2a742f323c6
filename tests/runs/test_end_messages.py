"""What a run says at its end is true: what was made, what exists, commands that work as typed."""

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from tiny_project import Project, recording

from memwave.workflow.planning.plan import make_plan
from memwave.workflow.process.end_messages import Outcome, failure, snakemake_command


def end_of(done):
    """The message at the end of a run."""
    text = done.stdout + done.stderr
    (message,) = re.findall(r"^(?:Done|Not done): .*?(?=^\S|\Z)", text, re.M | re.DOTALL)
    return message


def test_messages_say_what_exists(tmp_path):
    project = Project(tmp_path / "project", ["exact"])
    early = project.snakemake("--report", "report.html")
    assert early.returncode == 1
    assert early.stderr.splitlines()[-1].startswith("results/summary.html: is not there. A report")
    done = project.snakemake("--cores", "2", "--until", "extract_features")
    assert done.returncode == 0, done.stderr[-4000:]
    message = end_of(done)
    assert "2 jobs (extract_features 2). 0 of 1 experiment complete." in message
    assert "results/" not in message  # neither models nor projections are there

    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    message = end_of(done)
    assert "1 of 1 experiment complete." in message
    assert "results/<dataset>/<features>/<model>/model.h5" in message
    (read,) = re.findall(r"^  read +(.*)$", message, re.M)
    shown = subprocess.run(
        shlex.split(read), cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert "scores" in shown.stdout
    (report,) = re.findall(r"^  report +(.*)$", message, re.M)
    assert shlex.split(report)[-2:] == ["--report", "report.html"]

    spoilt = recording(0)
    spoilt[100, 1] = np.nan
    project.save(0, spoilt)
    failed = project.snakemake("--cores", "2")
    assert failed.returncode != 0
    assert project.result("exact/projection.h5").exists()  # of the recording as it was
    assert "0 of 1 experiment complete." in end_of(failed)
    last = (failed.stdout + failed.stderr).rstrip().splitlines()[-1]
    assert re.match(r"  logs/extract_features/\S+\.log: extract_features: ", last)


def test_the_command_names_the_program_and_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text("")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("python", "snakemake"):
        (tmp_path / ".venv/bin" / name).write_text("")
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    snakefile = tmp_path / "Snakefile"
    assert snakemake_command([], {}, snakefile) == ".venv/bin/snakemake"
    given = snakemake_command([tmp_path / "my own.yaml"], {"shards": 2}, snakefile)
    expected = ".venv/bin/snakemake --configfile 'my own.yaml' --config shards=2"
    assert given == expected
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert snakemake_command([], {}, Path("../Snakefile")).endswith("--snakefile ../Snakefile")
    elsewhere = snakemake_command([], {}, snakefile, moved=True)
    assert elsewhere.startswith(f"cd {tmp_path / 'elsewhere'} && ")


def test_an_interrupted_run_is_not_called_killed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).normal(size=(50, 4)))
    plan = make_plan(
        {
            "datasets": {"d": {"matrix": "x.npy"}},
            "models": {"m": {"solver": "covariance", "n_components": 2}},
            "experiments": [{"dataset": "d", "model": "m"}],
        }
    )
    outcome = Outcome({}, {"fit_model": 1}, frozenset())
    assert "so a job was killed" in failure(plan, outcome)
    said = failure(plan, outcome, interrupted=True)
    assert said.startswith("\nInterrupted: 1 job (fit_model 1) did not run to the end. 0 of 1")
    assert said.endswith("Run again to continue: jobs that are done are not repeated.")
    ended = "a.log: fit_model: interrupted; nothing was left half-written, run again to go on."
    errors = (ended, "b.log: fit_model: all rows are equal.")
    said = failure(plan, replace(outcome, errors=errors), interrupted=True)
    assert said.endswith(
        "not repeated.\n  What failed before:\n  b.log: fit_model: all rows are equal."
    )
