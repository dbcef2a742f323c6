"""Write memwave.yaml, the conda environment of the rules, from run.in and run.txt.

Run as ``python envs/pin_conda.py``; ``make lock`` does.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent

# Snakemake starts the jobs and is not needed in them.
NOT_IN_JOBS = {"snakemake"}

OPENING = """\
# For `snakemake --sdm conda`: the packages that the scripts import, at the versions of run.txt.
name: memwave
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
"""


def pinned(lock: str) -> dict[str, str]:
    """Return the versions in a lock file, by lower-case name."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.lower(), flags=re.MULTILINE))


def wanted(requirements: str) -> list[str]:
    """Return the lower-case names in a requirements file without versions."""
    return re.findall(r"^[a-z0-9._-]+", requirements.lower(), flags=re.MULTILINE)


def conda_environment() -> str:
    """Return the environment as YAML."""
    versions = pinned((FOLDER / "run.txt").read_text(encoding="utf-8"))
    names = wanted((FOLDER / "run.in").read_text(encoding="utf-8"))
    return OPENING + "".join(
        f"  - {name}={versions[name]}\n" for name in names if name not in NOT_IN_JOBS
    )


if __name__ == "__main__":
    (FOLDER / "memwave.yaml").write_text(conda_environment(), encoding="utf-8")
