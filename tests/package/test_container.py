"""The steps of the Containerfile, without an engine: what they copy, install and start."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_project import PATIENCE

ROOT = Path(__file__).parents[2]


def steps():
    """Instructions of the Containerfile, in order: name and arguments."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r" *\\\n *", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines()]


def arguments(name):
    return [given for step, given in steps() if step == name]


def copies():
    """Source and destination of all that is copied."""
    folder = Path("/")
    for step, given in steps():
        if step == "WORKDIR":
            folder = Path(given)
        elif step == "COPY":
            *sources, target = given.split()
            for source in sources:
                yield source, folder / (source if target == "./" else target)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A folder with what the image has of this repository."""
    top = tmp_path_factory.mktemp("image")
    for source, target in copies():
        copied = top / target.relative_to("/")
        copied.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, copied, ignore=ignored)
        else:
            shutil.copy(ROOT / source, copied)
    return top


def test_all_that_is_copied_is_sent_to_the_build_and_nothing_else():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    assert sent == {source for source, _ in copies()}
    assert all((ROOT / source).exists() for source in sent)
    assert ignored[1] == "*"


def test_packages_are_installed_as_make_installs_them():
    (install,) = (given for given in arguments("RUN") if "pip install" in given)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "install --require-hashes -r $<" in makefile
    assert '--require-hashes -r "envs/$lock.txt"' in install
    (locks,) = (shlex.split(given)[0].removeprefix("LOCKS=") for given in arguments("ARG"))
    assert [ROOT / f"envs/{lock}.txt" for lock in locks.split()] == [ROOT / "envs/run.txt"]


def test_it_runs_as_a_user_without_rights():
    names = [name for name, _ in steps()]
    assert arguments("USER") == ["memwave"]
    assert "RUN" not in names[names.index("USER") :]
    assert "useradd --uid 1000" in " ".join(arguments("RUN"))


# As for a user whom the image does not know.
NAMELESS = """
import pwd, runpy
pwd.getpwuid = {}.__getitem__
runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
"""


def test_what_is_copied_is_enough_to_plan_the_default_workflow_for_any_user(image):
    entry, command = (json.loads(*arguments(name)) for name in ("ENTRYPOINT", "CMD"))
    program, option, snakefile = entry
    assert (program, option) == ("snakemake", "--snakefile")
    moved = image / Path(snakefile).relative_to("/")
    set_by_image = dict(pair.split("=", 1) for pair in shlex.split(*arguments("ENV")))
    given = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", NAMELESS, option, str(moved), *command, "--dry-run"],
        cwd=image / "memwave",
        env=set_by_image | {"XDG_CACHE_HOME": str(image / "cache"), "HOME": str(image)} | given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "extract_features: hapt/haar" in done.stdout + done.stderr
