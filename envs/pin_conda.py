"""Write memwave.yaml, the conda environment of the rules, from run.in, formats.in and their locks.

Run as ``python envs/pin_conda.py``; ``make lock`` does.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent

# Snakemake starts the jobs and is not needed in them.
NOT_IN_JOBS = {"snakemake"}

# Packages that have another name at conda-forge; matplotlib without the toolkits for windows.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "soundfile": "pysoundfile"}

OPENING = """\
# For `snakemake --sdm conda`: the packages that the scripts import, at the versions of the locks.
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
    return re.findall(r"^[a-z0-9][a-z0-9._-]*", requirements.lower(), flags=re.MULTILINE)


def conda_environment() -> str:
    """Return the environment as YAML."""
    lines = []
    for stem in ("run", "formats"):
        versions = pinned((FOLDER / f"{stem}.txt").read_text(encoding="utf-8"))
        names = wanted((FOLDER / f"{stem}.in").read_text(encoding="utf-8"))
        lines += [
            f"  - {CONDA_NAMES.get(name, name)}={versions[name]}\n"
            for name in names
            if name not in NOT_IN_JOBS
        ]
    return OPENING + "".join(lines)


if __name__ == "__main__":
    (FOLDER / "memwave.yaml").write_text(conda_environment(), encoding="utf-8")
