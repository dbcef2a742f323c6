"""The model of large runs: what grows with the windows, what does not, and that it adds up."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import scaling


@pytest.mark.parametrize("solver", scaling.SOLVERS)
def test_memory_of_a_job_does_not_grow_with_the_windows(solver):
    small, large = (scaling.planned(n, solver) for n in (10**6, 10**9))
    assert small.memory() == large.memory()
    assert small.disk()["features"] * 1000 == large.disk()["features"]


@pytest.mark.parametrize("solver", scaling.SOLVERS)
def test_more_side_by_side_take_no_longer_and_no_less_than_their_share(solver):
    run = scaling.planned(10**8, solver)
    alone, many = run.elapsed(1), run.elapsed(100)
    assert many < alone <= 100 * many


def test_every_stage_has_jobs_and_time():
    for solver in scaling.SOLVERS:
        run = scaling.Run(10**6, solver, 8)
        assert run.jobs().keys() == run.seconds().keys() == run.memory().keys()
        assert run.jobs()["fit_model"] == run.jobs()["write_projection"] == 1
        assert run.jobs()["project_features"] == 8
