"""``memwave doctor``: true of this environment, and of one where everything is missing."""

import re
import resource
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import memwave
from memwave.cli import doctor, main
from memwave.readers.shared.libraries import package_of

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CALL = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from memwave.cli import main\n"
    "sys.exit(main(['doctor', *sys.argv[2:]]))\n"
)


def examined(*options, python=(), **process):
    """What the command prints in a process of its own."""
    run = [sys.executable, *python, "-c", CALL, str(ROOT / "scripts"), *map(str, options)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, **process)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_prints_what_is_installed(capsys, tmp_path):
    assert main(["doctor", str(tmp_path)]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"memwave {memwave.__version__}" in lines
    for package in doctor.REQUIRED.values():
        assert f"{package} {version(package)}" in lines
    assert f"snakemake {version('snakemake')}" in lines
    for module in doctor.FORMATS:
        package = package_of(module)
        assert any(line.startswith(f"{package} {version(package)}: ") for line in lines)
    assert any(re.match(r"openblas .*: \d+ threads", line) for line in lines)
    assert any(re.match(rf"{tmp_path}: [\d.]+ GB free of [\d.]+ GB", line) for line in lines)
    assert not any("cannot be found out" in line for line in lines)


def test_missing_optional_packages_are_named_with_their_remedies(capsys, monkeypatch, tmp_path):
    for module in (*doctor.FORMATS, *doctor.WORKFLOW):
        monkeypatch.setitem(sys.modules, module, None)
    assert main(["doctor", str(tmp_path / "nowhere")]) == 0
    printed = capsys.readouterr().out
    by_make = "install it with `make formats-eeg`, or with pip install mne."
    assert f"  mne: not installed. For EEG, MEG and NIRS, {by_make}\n" in printed
    assert "install it with `make formats`, or with pip install npTDMS.\n" in printed
    assert "snakemake: not installed. For the workflow, install it with pip install" in printed
    assert printed.count("not installed") == len(doctor.FORMATS) + len(doctor.WORKFLOW)
    assert f"{tmp_path}/nowhere: No such file or directory" in printed


def test_it_works_without_any_package():
    printed = examined(python=("-I", "-S"))
    for package in doctor.REQUIRED.values():
        assert f"{package}: not installed. memwave needs it." in printed
    assert "GB of the machine" in printed


def test_a_damaged_package_is_named(tmp_path):
    (tmp_path / "pyxdf.py").write_text("raise OSError('libxdf.so: cannot open')")
    printed = examined(env={"PYTHONPATH": str(tmp_path)})
    assert "pyxdf: cannot be imported: libxdf.so: cannot open. For Lab Streaming Layer" in printed


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_a_limit_of_the_process_is_shown():
    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (20 * 10**9, resource.RLIM_INFINITY))

    assert "  20.0 GB by RLIMIT_DATA\n" in examined(preexec_fn=limit)


def test_the_limits_of_control_groups_are_shown(tmp_path, monkeypatch):
    own, groups = tmp_path / "own", tmp_path / "groups"
    monkeypatch.setattr(doctor, "OWN_CGROUPS", own)
    monkeypatch.setattr(doctor, "CGROUPS", groups)
    job, memory = groups / "job/step", groups / "memory/old"
    for folder in (job, memory):
        folder.mkdir(parents=True)
    # Version 2: the limit is that of the group above. Version 1: one folder a controller.
    own.write_text("4:memory:/old\n0::/job/step\n")
    (job / "memory.max").write_text("max\n")
    (job.parent / "memory.max").write_text("1500000000\n")
    (job / "cpu.max").write_text("150000 100000\n")
    (memory / "memory.limit_in_bytes").write_text("1200000000\n")
    (memory.parent / "memory.limit_in_bytes").write_text(f"{2**63 - 4096}\n")
    limits = [line for line in doctor.memory_limits() if str(groups) in line]
    assert limits == [
        f"1.5 GB by {job.parent}/memory.max",
        f"1.2 GB by {memory}/memory.limit_in_bytes",
    ]
    assert f"1.5 by the quota of {job}" in list(doctor.cores())


def test_it_knows_the_packages_of_the_project():
    assert sorted(doctor.REQUIRED.values()) == sorted(PROJECT["dependencies"])
    extras = PROJECT["optional-dependencies"]
    named = {package for name in extras if name.startswith("formats") for package in extras[name]}
    assert {package_of(module) for module in doctor.FORMATS} == named


def test_a_reader_that_ends_early_is_no_error():
    """As in ``memwave doctor | head``: the pipe is closed before the command writes."""
    run = [sys.executable, "-c", CALL, str(ROOT / "scripts")]
    with subprocess.Popen(
        run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (1, "")
