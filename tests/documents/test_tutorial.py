"""The tutorial, typed as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 200  # seconds


def commands():
    """The lines that docs/tutorial.md tells to type, without their prompts."""
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"^\$ ", "", "\n".join(blocks), flags=re.MULTILINE)


def test_the_tutorial_leads_to_its_figures(tmp_path):
    for name in ("Snakefile", "rules", "config", "envs", "profiles", "report", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for program, runs in (("python", ""), ("snakemake", "-m snakemake")):
        wrapper = tmp_path / ".venv/bin" / program
        wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {runs} "$@"\n')
        wrapper.chmod(0o755)
    done = subprocess.run(
        [shutil.which("bash") or "sh", "-eu"],
        input=commands(),
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    start = float(re.search(r"the oddest window begins at ([\d.]+) s", done.stdout)[1])
    assert 94 < start < 98
    plots = {path.name for path in (tmp_path / "results/pilot/waves/pca/plots").iterdir()}
    assert {"components.svg", "reconstruction.svg"} <= plots
    assert (tmp_path / "pilot/report.html").stat().st_size > 100_000
