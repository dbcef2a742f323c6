"""A folder in which documented commands can be typed as in a clone that ``make run`` has set up."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from installed import as_installed

ROOT = Path(__file__).parents[2]
PARTS = ("Makefile", "Snakefile", "rules", "scripts", "envs", "profiles", "report")
PATIENCE = 300  # seconds


def like_a_clone(folder: Path, *more: str) -> Path:
    """Link the workflow into a folder, with its Python and Snakemake in .venv, set up for make."""
    for name in (*PARTS, *more):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv/bin").mkdir(parents=True)
    for program, runs in (("python", ""), ("snakemake", "-m snakemake")):
        wrapper = folder / ".venv/bin" / program
        wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {runs} "$@"\n')
        wrapper.chmod(0o755)
    (folder / ".venv/run.stamp").touch()
    return folder


def with_results(results: Path, folder: Path) -> Path:
    """Copy a finished run of the default features to a new folder that looks like a clone."""
    shutil.copytree(results, folder)
    like_a_clone(folder)
    (folder / "resources/hapt").mkdir(parents=True)
    shutil.copy(folder / "user04-run2.npy", folder / "resources/hapt")
    return folder


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def type_in(folder: Path, text: str) -> str:
    """Type the commands of a page as they stand; returns what they printed."""
    commands = re.sub(r"^\$ ", "", "\n".join(blocks(text, "console")), flags=re.MULTILINE)
    done = subprocess.run(
        [shutil.which("bash") or "sh", "-eu"],
        input=commands,
        cwd=folder,
        env=os.environ | as_installed(folder / "bin") | {"XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr
