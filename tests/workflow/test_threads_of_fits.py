"""Threads that a fit asks for: no more than configured or than it can use; one if it is short."""

from types import SimpleNamespace

import numpy as np
import pytest

from memwave.workflow.planning import resources
from memwave.workflow.planning.plan import make_plan


@pytest.fixture
def asked(tmp_path):
    """Threads that the fit of a matrix asks for, of three that are configured."""

    def of(solver, n_rows, columns=2000, shards=2):
        path = tmp_path / "x.npy"
        np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, columns))  # sparse
        config = {
            "datasets": {"x": {"matrix": str(path)}},
            "models": {"m": {"solver": solver, "n_components": 10}},
            "experiments": [{"dataset": "x", "model": "m"}],
            "shards": shards,
            "threads": 3,
            "max_mem_mb": 100_000,
        }
        w = SimpleNamespace(dataset="x", features="matrix", model="m")
        return resources.threads(make_plan(config), w)

    return of


@pytest.mark.parametrize("solver", ["covariance", "gram", "randomized", "incremental"])
def test_a_short_fit_does_not_wait_for_several_cores(asked, solver):
    assert asked(solver, 400, columns=500) == 1


def test_a_long_fit_has_the_threads_of_the_configuration(asked):
    assert asked("covariance", 40_000, columns=12_000) == 3
    assert asked("gram", 8_000, columns=20_000) == 3


def test_passes_over_features_have_no_more_threads_than_shards(asked):
    assert asked("randomized", 400_000, shards=2) == 2
