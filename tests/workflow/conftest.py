"""What several files of tests of this folder use."""

import pytest
from checked_project import Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)
