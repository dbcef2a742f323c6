"""The machine and the versions that figures belong to."""

import datetime
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import numpy as np

PACKAGES = ("numpy", "scipy", "PyWavelets", "h5py", "snakemake", "scikit-learn", "dask")

PAGE = 4096


def describe() -> dict:
    """Everything about the machine that a reader needs to judge the figures."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) * 1024 / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {
            "Python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def moment() -> dict:
    """What else may differ from one part of the measurements to the next."""
    return {
        "at": datetime.datetime.now().isoformat(" ", "minutes"),
        "load": round(os.getloadavg()[0], 2),
        "commit": _commit(),
    }


def available_memory() -> int:
    """Bytes of memory that can be had without swapping."""
    return int(_field("/proc/meminfo", "MemAvailable").split()[0]) * 1024


def touch_free_memory(size: int) -> None:
    """Use so many bytes of free memory once, or most of what is free.

    The host of a virtual machine takes back what is not used for some seconds. Whoever uses it next
    waits for it, here up to 2.5 s a gigabyte, which is chance and says nothing of a contender.
    """
    free = int(_field("/proc/meminfo", "MemFree").split()[0]) * 1024
    touched = np.empty(min(size, free // 10 * 8), np.uint8)
    touched[::PAGE] = 1


def read_from_disks() -> int:
    """Bytes that the machine has read from its disks since it started, for whatever process."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, value = line.split()
        if name == "pgpgin":
            return int(value) * 1024
    return 0


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"
