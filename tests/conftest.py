"""Makes the package importable as the workflow does, before anything loads numpy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

import memwave  # noqa: F401 - sets the number of BLAS threads

import pytest
from hypothesis import settings

# A busy machine is no reason for a test to fail.
settings.register_profile("memwave", deadline=None)
settings.load_profile("memwave")


@pytest.fixture(scope="session")
def tiny_results(tmp_path_factory):
    """A folder in which the workflow has run on a few seconds of the shipped recordings."""
    from tiny_run import run_tiny

    folder = tmp_path_factory.mktemp("tiny")
    run_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A finished run of all solvers on four cores; its inputs are as they were before."""
    from tiny_project import MODELS, Project

    project = Project(tmp_path_factory.mktemp("first") / "project", list(MODELS))
    before = project.inputs()
    done = project.snakemake("--cores", "4")
    assert done.returncode == 0, done.stderr[-4000:]
    assert project.inputs() == before
    return project
