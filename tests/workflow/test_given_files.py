"""Mistakes in how configuration files are given are named, by the Snakefile or after a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memwave.workflow.config.given_files import given_files, repeated_option, unreachable_files
from memwave.workflow.rules.opening import check_config_files

ROOT = Path(__file__).parents[2]


def test_files_are_those_after_the_option():
    arguments = "--cores 2 --configfile a.yaml b.yaml --quiet --configfiles=c.yaml results/x.h5"
    assert given_files(arguments.split()) == [["a.yaml", "b.yaml"], ["c.yaml"]]
    assert given_files(["--config", "a=1"]) == []


def test_a_second_option_would_hide_the_first():
    assert not list(repeated_option(["--configfile", "a.yaml", "b.yaml"]))
    (finding,) = repeated_option(["--configfile", "a.yaml", "--configfile", "b.yaml"])
    assert finding.endswith("--configfile a.yaml b.yaml")


def test_a_missing_default_says_what_to_give(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        check_config_files([], [], ["config/config.yaml"])
    said = capsys.readouterr().err
    assert "config/config.yaml: No such file or directory." in said
    assert f"give yours by --configfile my.yaml. Relative paths start in {tmp_path}." in said
    check_config_files(["gone.yaml"])  # read, and then moved to another folder, by a Snakefile


def test_a_file_without_the_option_is_no_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").touch()
    assert not list(unreachable_files(["--configfile", "a.yaml"]))
    (finding,) = unreachable_files(["my.yaml"])
    assert finding.startswith("my.yaml: was taken for a result to make")
    assert not list(unreachable_files(["--config", "datasets=a.yaml", "results/summary.tsv"]))
    gone, result, folder = unreachable_files(["--configfile", "gone.yaml", "model.h5", "."])
    assert "gone.yaml: No such file" in gone
    assert "result" not in gone
    assert result.endswith("Name a result to make before --configfile.")
    assert folder.startswith(".: is a folder")


def make(folder, *arguments):
    """Call make with a Snakemake that cannot read its configuration."""
    snakemake = folder / "snakemake"
    snakemake.write_text("#!/bin/sh\necho 'WorkflowError: some file' >&2\nexit 3\n")
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for program in (snakemake, folder / "python"):
        program.chmod(0o755)
    return subprocess.run(
        ["make", "-C", ROOT, "-o", ".venv/run.stamp", f"BIN={folder}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )


@pytest.mark.parametrize("target", ["run", "dry-run"])
def test_make_names_the_file_that_snakemake_does_not(tmp_path, target):
    empty = tmp_path / "empty.yaml"
    empty.touch()
    done = make(tmp_path, target, f"ARGS=--configfile {empty}")
    assert done.returncode == 2
    assert done.stderr.index("WorkflowError") < done.stderr.index(f"{empty}: is empty")
    empty.write_text("shards: 2\nshards: 3\n")  # the Snakefile has told that already
    done = make(tmp_path, target, f"ARGS=--configfile {empty} --config limits=[0.5,0.9]")
    assert done.returncode == 2
    assert "problem" not in done.stderr


def test_a_configuration_is_no_target_of_make(tmp_path):
    done = make(tmp_path, "run", "my.yaml")
    assert done.returncode == 2
    assert 'Type: make run ARGS="--configfile my.yaml"' in done.stderr
    assert "WorkflowError" not in done.stderr


def test_help_lists_all_targets_that_are_described(tmp_path):
    described = {
        line.partition(":")[0]
        for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
        if " ## " in line and not line.startswith(("\t", "#"))
    }
    listed = {line.split()[1] for line in make(tmp_path, "help").stdout.splitlines()[:-1] if line}
    assert described - {"help"} <= listed
    assert "formats-hdf5" in described
