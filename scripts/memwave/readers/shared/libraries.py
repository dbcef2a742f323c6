"""Import of the optional libraries of formats; an error says how to install them."""

import importlib
from typing import Any

from memwave.core.errors import MemwaveError

# Targets of `make` that install packages, packages that none installs, and packages whose name is
# not that of their module.
TARGETS = {"hdf5plugin": "formats-hdf5", "mne": "formats-eeg", "obspy": "formats-seismic"}
RARE = ("antio", "curryreader", "mffpy", "pymatreader", "pymef")
PACKAGES = {"nptdms": "npTDMS"}


def library(name: str, path: str) -> Any:
    """Import a module that reads `path`; raises MemwaveError that says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        module = name.partition(".")[0]
        raise MemwaveError(
            f"{path}: reading this format needs the package {package_of(module)}, which cannot be "
            f"imported ({error}). Install it with {how_to_install(module)}."
        ) from error


def package_of(module: str) -> str:
    """The package that has a module."""
    return PACKAGES.get(module, module)


def how_to_install(module: str) -> str:
    """Commands that install the package of a module."""
    by_make = "" if module in RARE else f"`make {TARGETS.get(module, 'formats')}`, or with "
    return f"{by_make}pip install {package_of(module)}"
