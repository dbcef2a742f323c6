"""Write memwave.yaml, the conda environment of the rules, from pyproject.toml and the locks.

Run as ``python envs/pin_conda.py``; ``make lock`` does.
"""

import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent

# Packages that have another name at conda-forge; matplotlib without the toolkits for windows.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "soundfile": "pysoundfile"}

# Locks of the extras that jobs import: those whose packages read recordings have one each.
LOCKS = {
    "formats": "formats.txt",
    "formats-eeg": "formats-eeg.txt",
    "formats-hdf5": "formats-hdf5.txt",
    "formats-seismic": "formats-seismic.txt",
    "explore": "run.txt",
}

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


def wanted(project: dict) -> list[str]:
    """Return the lower-case names of what the scripts import; Snakemake starts them."""
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(r for extra in LOCKS for r in extras[extra])]
    return [re.split(r"[^a-z0-9._-]", requirement.lower())[0] for requirement in requirements]


def conda_environment() -> str:
    """Return the environment as YAML."""
    metadata = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))
    versions: dict[str, str] = {}
    for lock in LOCKS.values():
        versions |= pinned((FOLDER / lock).read_text(encoding="utf-8"))
    return OPENING + "".join(
        f"  - {CONDA_NAMES.get(name, name)}={versions[name]}\n"
        for name in wanted(metadata["project"])
    )


if __name__ == "__main__":
    (FOLDER / "memwave.yaml").write_text(conda_environment(), encoding="utf-8")
