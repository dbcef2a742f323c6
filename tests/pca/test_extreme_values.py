"""Signals of any size: the same PCA, or an error; never inf, NaN or zero in a result."""

from dataclasses import replace
from functools import cache

import h5py
import numpy as np
import pytest
from fitting import options_of
from oracles import make_spec
from stage_run import StageRun, planned

from memwave.core.errors import MemwaveError
from memwave.pca.solvers import concrete_solvers, load_libraries, solver_module
from memwave.recordings.segments import LabelledRecording, Segment

ROWS = 400
SIGNAL = np.random.default_rng(0).normal(size=(ROWS, 2)).cumsum(axis=0)
MODEL = ("components", "mean", "explained_variance", "explained_variance_ratio", "noise_variance")
PROJECTION = ("scores", "reconstruction_error", "captured_variance", "residual", "error_bound")
# Of these, each has a value other than zero.
VARYING = ("explained_variance", "noise_variance", "scores", "reconstruction_error")
# What values in float32 lose of a share of the variance.
LOSES = {"float64": 1e-9, "float32": 1e-5}


def fitted(folder, rows, solver, *, standardize):
    """Stages up to the fit on a recording, which is stored and computed in its own type."""
    dtype = str(rows.dtype)
    spec = make_spec(dtype=dtype, level=2, bands=["a2", "d1"], layout="per-channel")
    options = options_of(solver, standardize=standardize)
    load_libraries(solver)
    np.save(folder / "r.npy", rows)
    count = spec.windows.count(ROWS)
    run = StageRun(
        folder,
        spec,
        {"solver": solver, "compute_dtype": "auto", **options},
        [[(0, count)]],
        count,
        [Segment(planned(folder / "r.npy", ROWS, "r"), 0, count, 0)],
        [LabelledRecording("r", "train", count)],
        dtype=dtype,
    )
    kind = solver_module(solver).Solver
    run.extract()
    if standardize and not kind.FROM_SIGNAL:
        run.measure()
    if kind.ONE_PASS:
        run.summarize_lags() if kind.FROM_SIGNAL else run.summarize()
    run.fit()
    return run


def results(run, score_dtype):
    """The model of a run and its projection, which is computed in the type of the recording."""
    projecting = replace(run, score_dtype=score_dtype)
    projecting.project()
    projecting.write()
    with h5py.File(run.path("model.h5")) as model, h5py.File(run.path("projection.h5")) as file:
        found = {name: model[name][()] for name in MODEL}
        return found | {name: file[name][()] for name in PROJECTION}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Shares of the variance of the signal itself, by solver and whether it standardizes."""

    @cache
    def ratio(solver, standardize):
        run = fitted(tmp_path_factory.mktemp("expected"), SIGNAL, solver, standardize=standardize)
        return results(run, "float64")["explained_variance_ratio"]

    return ratio


SIZES = [("float64", factor) for factor in (1e25, 1e100, 1e150, 1e200, 1e-25, 1e-100, 1e-170)]
SIZES += [("float32", factor) for factor in (3e18, 3e35, 1e-18, 1e-22)]


@pytest.mark.parametrize(("dtype", "factor"), SIZES)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", concrete_solvers())
def test_signals_of_any_size(tmp_path, expected, solver, standardize, dtype, factor):
    ratio = expected(solver, standardize)
    rows = (SIGNAL * factor).astype(dtype)

    @cache
    def run():
        return fitted(tmp_path, rows, solver, standardize=standardize)

    refused: list[str] = []
    for score_dtype in ("float32", "float64"):
        try:
            found = results(run(), score_dtype)
        except MemwaveError as error:
            refused.append(str(error))
            continue
        for name, values in found.items():
            assert np.isfinite(values).all(), name
        for name in VARYING:
            assert np.any(found[name]), name
        off = np.abs(found["explained_variance_ratio"] - ratio)
        assert off.max() <= LOSES[dtype]
    for told in refused:  # what to set, or that the variance is too small for any type
        assert any(word in told for word in ("score_dtype", "scale", "dtype", "the same"))
    # Squares of numbers of such size are there in float64.
    if dtype == "float64" and 1e-100 <= factor <= 1e150:
        assert len(refused) <= 1 - standardize
