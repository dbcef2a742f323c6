"""An environment that has only the packages of a lock file, as a fresh one would have."""

import os
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALLED_BY_VENV = {"pip", "setuptools"}

# A blocked module cannot be imported, and is not found by who looks for plugins.
HIDE = """import pkgutil
import sys

blocked = {blocked!r}
sys.modules.update(blocked)
found = pkgutil.iter_modules
pkgutil.iter_modules = lambda *given, **named: (
    module for module in found(*given, **named) if module.name not in blocked
)
"""


def only_locked(name: str, folder: Path) -> dict[str, str]:
    """Environment variables with which Python imports nothing that the lock file does not pin.

    Parameters
    ----------
    name : str
        Of a file in ``envs/``.
    folder : Path
        Where a module for the start of Python is written.
    """
    lock = (ROOT / "envs" / name).read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)) | INSTALLED_BY_VENV
    others = [
        module
        for module, packages in packages_distributions().items()
        if module not in sys.stdlib_module_names  # a distribution may list such a name, too
        and not any(re.sub(r"[._-]+", "-", package).lower() in pinned for package in packages)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    blocked = dict.fromkeys(sorted(others))
    (folder / "sitecustomize.py").write_text(HIDE.format(blocked=blocked))
    return os.environ | {"PYTHONPATH": str(folder)}
