"""``memwave doctor [FOLDER]``: what a report of a problem needs to say about the machine.

Nothing is imported at the top but the standard library: the command also works where a package is
missing or damaged, and says so.
"""

import argparse
import importlib
import os
import platform
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import memwave

# Packages by their modules: required ones, those of the workflow, and those of optional formats
# with the files that they read.
REQUIRED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pywt": "PyWavelets",
    "h5py": "h5py",
    "matplotlib": "matplotlib",
    "jsonschema": "jsonschema",
    "yaml": "PyYAML",
    "threadpoolctl": "threadpoolctl",
    "tqdm": "tqdm",
    "xxhash": "xxhash",
}
WORKFLOW = {
    "snakemake": ("snakemake", "the workflow"),
    "pygments": ("pygments", "snakemake --report"),
    "bokeh": ("bokeh", "explore: true"),
    "snakemake_executor_plugin_slurm": ("snakemake-executor-plugin-slurm", "SLURM"),
}
FORMATS = {
    "hdf5plugin": "compressions of HDF5 such as blosc and zstd",
    "mne": "EEG, MEG and NIRS",
    "nptdms": "LabVIEW (.tdms)",
    "obspy": "seismic recordings",
    "pyarrow": "CSV, Parquet, Arrow",
    "pyxdf": "Lab Streaming Layer (.xdf)",
    "soundfile": "WAV, FLAC",
    "wfdb": "WFDB (.hea)",
    "zarr": "Zarr",
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Control groups of Linux, of version 1 and 2, and those of this process.
CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
GIGABYTE = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("."),
        help="a folder whose disk is examined as well (default: the current folder)",
    )


def run(given: argparse.Namespace) -> int:
    """Print everything and return 0, also if something cannot be found out."""
    sections: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
        ("Versions", versions),
        ("Linear algebra", linear_algebra),
        ("Cores", cores),
        ("Memory", memory),
        ("Disk", lambda: disks(given.folder)),
        ("Workflow", workflow),
        ("Optional formats", formats),
    )
    for title, lines in sections:
        print(title)
        try:
            for line in lines():
                print(f"  {line}")
        except Exception as error:
            print(f"  cannot be found out: {brief(error)}")
    return 0


def versions() -> Iterator[str]:
    """Versions of memwave, of Python, of the system and of the required packages."""
    yield f"memwave {memwave.__version__}"
    yield f"Python {platform.python_version()} ({platform.python_implementation()})"
    yield f"{platform.system()} {platform.release()} ({platform.machine()})"
    for module, package in REQUIRED.items():
        problem = problem_of(module)
        yield (
            f"{package} {version_of(package)}"
            if problem is None
            else (f"{package}: {problem} memwave needs it. Install it with pip install {package}.")
        )


def linear_algebra() -> Iterator[str]:
    """Each library of linear algebra that NumPy and SciPy load, and its threads."""
    for module in ("numpy", "scipy.linalg"):
        importlib.import_module(module)
    for found in importlib.import_module("threadpoolctl").threadpool_info():
        details = [str(found[key]) for key in ("architecture", "threading_layer") if key in found]
        yield (
            f"{found['internal_api']} {found['version'] or 'of unknown version'}: "
            f"{found['num_threads']} threads ({', '.join(details) or found['user_api']})"
        )
    yield from (f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)


def cores() -> Iterator[str]:
    """Cores of the machine, those that this process may use, and a quota of the container."""
    yield f"{os.cpu_count()} of the machine"
    if hasattr(os, "sched_getaffinity"):
        yield f"{len(os.sched_getaffinity(0))} that this process may use"
    for name, of_two in (("cpu.max", True), ("cpu.cfs_quota_us", False)):
        for file in cgroup_files("cpu", name):
            period = file.with_name("cpu.cfs_period_us")
            words = file.read_text().split() if of_two else [file.read_text(), period.read_text()]
            if words[0] != "max" and int(words[0]) > 0:
                yield f"{int(words[0]) / int(words[1]):g} by the quota of {file.parent}"


def memory() -> Iterator[str]:
    """Memory of the machine, what is free of it, and all limits."""
    yield f"{gigabytes(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES'))} of the machine"
    information = Path("/proc/meminfo")
    if information.is_file():
        fields = dict(line.split(":") for line in information.read_text().splitlines())
        yield f"{gigabytes(int(fields['MemAvailable'].split()[0]) * 1024)} available"
    limits = list(memory_limits())
    yield from limits or ["no limits"]


def memory_limits() -> Iterator[str]:
    """Limits of memory of the container or of the job, and of the process."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
        for file in cgroup_files("memory", name):
            word = file.read_text().strip()
            if word != "max" and int(word) < total:  # without a limit, it is 2**63
                yield f"{gigabytes(int(word))} by {file}"
    resource = importlib.import_module("resource")
    for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_RSS"):
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY:
            yield f"{gigabytes(limit)} by {name}"


def disks(folder: Path) -> Iterator[str]:
    """Free space of the folder, and of the folder for temporary files."""
    for path in (folder.absolute(), Path(tempfile.gettempdir())):
        try:
            usage = shutil.disk_usage(path)
        except OSError as error:
            yield f"{path}: {error.strerror}"
            continue
        writable = "" if os.access(path, os.W_OK) else ", not writable"
        yield f"{path}: {gigabytes(usage.free)} free of {gigabytes(usage.total)}{writable}"


def workflow() -> Iterator[str]:
    """Packages of the workflow."""
    for module, (package, needed_for) in WORKFLOW.items():
        problem = problem_of(module)
        yield (
            f"{package} {version_of(package)}"
            if problem is None
            else (f"{package}: {problem} For {needed_for}, install it with pip install {package}.")
        )


def formats() -> Iterator[str]:
    """Packages that read optional formats."""
    from memwave.readers.shared.libraries import how_to_install, package_of

    for module, files in FORMATS.items():
        problem, package = problem_of(module), package_of(module)
        yield (
            f"{package} {version_of(package)}: {files}"
            if problem is None
            else (f"{package}: {problem} For {files}, install it with {how_to_install(module)}.")
        )


def problem_of(module: str) -> str | None:
    """Why a module cannot be imported, as a sentence; None if it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        return "not installed." if error.name == module else f"cannot be imported: {brief(error)}."
    except Exception as error:
        return f"cannot be imported: {brief(error)}."
    return None


def version_of(package: str) -> str:
    """Version of a package that is installed."""
    try:
        return version(package)
    except Exception:
        return "of unknown version"


def cgroup_files(controller: str, name: str) -> Iterator[Path]:
    """Files of this name in the control group of this process and in all groups above it."""
    if not OWN_CGROUPS.is_file():
        return  # not Linux
    for line in OWN_CGROUPS.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = CGROUPS / controllers if controllers else CGROUPS
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(root):
                break
            if (folder / name).is_file():
                yield folder / name


def gigabytes(size: int) -> str:
    """A size for readers."""
    return f"{size / GIGABYTE:.1f} GB"


def brief(error: BaseException) -> str:
    """The first line of an error, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
