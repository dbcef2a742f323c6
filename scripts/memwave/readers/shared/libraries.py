"""Import of the optional libraries of formats; an error says how to install them."""

import importlib
from typing import Any

from memwave.core.errors import MemwaveError

# Targets of `make` that install packages, packages that none installs, and packages whose name is
# not that of their module.
TARGETS = {"mne": "formats-eeg", "obspy": "formats-seismic"}
RARE = ("antio", "curryreader", "mffpy", "pymatreader", "pymef")
PACKAGES = {"nptdms": "npTDMS"}


def library(name: str, path: str) -> Any:
    """Import a module that reads `path`; raises MemwaveError that says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        module = name.partition(".")[0]
        package, target = PACKAGES.get(module, module), TARGETS.get(module, "formats")
        by_make = "" if module in RARE else f"`make {target}`, or with "
        raise MemwaveError(
            f"{path}: reading this format needs the package {package}, which cannot be imported "
            f"({error}). Install it with {by_make}pip install {package}."
        ) from error
