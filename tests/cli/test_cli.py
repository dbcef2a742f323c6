"""The command line: its help, its commands, and what is loaded for them."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import memwave
from memwave.cli import COMMANDS, main
from memwave.core.errors import MemwaveError

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"memwave {memwave.__version__}\n"


def test_help_names_every_command_and_loads_none():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from memwave.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "finally:\n"
        "    assert 'numpy' not in sys.modules\n"
    )
    run = [sys.executable, "-c", code, str(SCRIPTS)]
    done = subprocess.run(run, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name, text in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert text in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: memwave {command} ")


@pytest.mark.parametrize("arguments", [[], ["verfy"], ["verify", "one", "two"], ["--wrong"]])
def test_wrong_arguments_end_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: memwave" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("closed", "status", "told"),
    [
        (">&-", 0, ""),
        ("2>&-", 0, "wrote model.h5 and projection.h5"),
        (">/dev/full", 1, "the system reports: [Errno 28] No space left on device."),
    ],
)
def test_output_that_nobody_takes(closed, status, told, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 3)))
    command = f"exec {sys.executable} -m memwave pca x.npy -k 1 {closed}"
    paths = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    call = {"cwd": tmp_path, "env": paths, "capture_output": True, "text": True}
    done = subprocess.run(command, shell=True, **call)
    assert done.returncode == status, done.stderr
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "model.h5").exists()


def test_a_folder_without_results_fails(tmp_path, capsys):
    assert main(["verify", str(tmp_path)]) == 1
    assert "no experiment has been finished there" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "gone")]) == 1
    assert "gone: no such folder. Run the workflow first" in capsys.readouterr().out


def test_an_error_is_one_message(monkeypatch, capsys):
    def fails(given):
        raise MemwaveError("x.npy: is damaged.")

    monkeypatch.setattr(import_module("memwave.cli.verify"), "run", fails)
    assert main(["verify"]) == 1
    assert capsys.readouterr().err == "x.npy: is damaged.\n"
