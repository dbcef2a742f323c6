"""Makes the package importable as the workflow does; fixtures of several rooms."""

import compileall
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

import pytest
import scipy.linalg  # noqa: F401 - loads both BLAS, NumPy's and SciPy's, to be limited below
from hypothesis import settings
from threadpoolctl import threadpool_limits

# Tests interrupt runs. A shell that starts the tests in the background has SIGINT ignored, which
# processes inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As in a stage of the workflow. Not by the environment, which the processes of tests inherit: those
# have to limit themselves.
threadpool_limits(1)

# A busy machine is no reason for a test to fail.
settings.register_profile("memwave", deadline=None)
# A gate gives the same answer for the same tree; runs by hand look further each time.
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "memwave")

# Files that take longest, in this order: if one of them is the last, the other processes wait.
LONGEST = (
    "documents/test_benchmarks",
    "faults/",
    "runs/",
    "workflow/test_matrix_memory",
    "workflow/test_memory",
    "api/test_memory_limit",
    "pca/test_extreme_values",
    "readers/test_bounded_headers",
)


def pytest_configure(config):
    """Compile the modules, once for all processes.

    Copies of the workflow have this bytecode, and processes compile nothing: also where the
    environment keeps Python from writing what it has compiled.
    """
    if not hasattr(config, "workerinput"):
        for folder in ("scripts", "tests/helpers"):
            compileall.compile_dir(config.rootpath / folder, quiet=2)


def pytest_collection_modifyitems(items):
    """Put the files first that take longest."""

    def place(item):
        path = item.nodeid.removeprefix("tests/")
        return next((i for i, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture
def make_disk(tmp_path):
    """Mounts a disk of so many kilobytes of its own; skips the test where nobody may."""
    mounted = []

    def mount(kilobytes):
        folder = tmp_path / "disk"
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "memwave-test", str(folder)]
        try:
            done = subprocess.run(["mount", *options], capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if done.returncode:
            pytest.skip(f"a disk cannot be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def made_once(factory, name, make):
    """A folder that is made once for all processes of the tests, and of which each has a copy."""
    copy = factory.mktemp(name) / name
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(copy)
        return copy
    first = factory.getbasetemp().parent / name
    made = first.with_suffix(".made")
    with open(first.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make(first)
            made.touch()
    shutil.copytree(first, copy, symlinks=True)
    return copy


@pytest.fixture(scope="session")
def tiny_results(tmp_path_factory):
    """A folder in which the workflow has run on a few seconds of the shipped recordings."""
    from tiny_run import run_tiny

    return made_once(tmp_path_factory, "tiny", run_tiny)


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A finished run of all solvers on four cores; its inputs are as they were before."""
    from tiny_project import MODELS, Project

    def make(folder):
        project = Project(folder, list(MODELS))
        before = project.inputs()
        done = project.snakemake("--cores", "4")
        assert done.returncode == 0, done.stderr[-4000:]
        assert project.inputs() == before

    return Project.found(made_once(tmp_path_factory, "project", make))


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright; skips the test where either is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()
