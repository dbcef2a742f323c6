"""An environment in which memwave can be used as if ``pip install .`` had installed it."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def as_installed(folder: Path) -> dict[str, str]:
    """Environment variables that let Python import memwave, and the shell find its command.

    Parameters
    ----------
    folder : Path
        Where the command is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "memwave"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m memwave "$@"\n')
    command.chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(folder), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT / "scripts"),
    }
