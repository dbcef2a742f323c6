"""A recording whose every window has a missing value may be a shard of its own."""

import h5py
import numpy as np
import pytest
from fitting import options_of
from oracles import make_spec
from stage_run import StageRun, call, planned

from memwave.core.errors import MemwaveError
from memwave.pca.solvers import concrete_solvers, reads_recordings, solver_module
from memwave.recordings.segments import LabelledRecording, Segment
from memwave.workflow.requests.features import FeatureMeasurement, GapSearch
from memwave.workflow.requests.model import Fit, LagSummary

SPEC = make_spec(window=16, dtype="float32")
ROWS = 60
COUNT = SPEC.windows.count(ROWS)


def staged(folder, solver, recordings, *, standardize=False):
    """All stages on recordings, of which each is a shard; returns what the projection holds."""
    changes = {"standardize": standardize} | ({"passes": 2} if "randomized" in solver else {})
    model = {"solver": solver, "compute_dtype": "auto", **options_of(solver, **changes)}
    names = [f"r{i}" for i in range(len(recordings))]
    for name, rows in zip(names, recordings, strict=True):
        np.save(folder / f"{name}.npy", rows)
    known = [planned(folder / f"{name}.npy", ROWS, name, missing="drop") for name in names]
    n = len(recordings)
    assembly = [LabelledRecording(name, "train", COUNT) for name in names]
    shards = [[(0, COUNT)]] * n
    run = StageRun(folder, SPEC, model, shards, n * COUNT, recordings=assembly)
    valid = [folder / f"valid{i}.h5" for i in range(n)]
    of_solver = solver_module(solver).Solver
    from_signal = of_solver.FROM_SIGNAL
    for i in range(n):
        run.segments = [Segment(known[i], 0, COUNT, 0)]
        call("find_gaps", GapSearch(SPEC, tuple(run.segments), 9, 100), valid=valid[i])
        run.extract(i, valid=valid[i])
        if of_solver.ONE_PASS and from_signal:
            request = LagSummary(SPEC, tuple(run.segments))
            call("summarize_lags", request, summary=folder / f"summary{i}.h5", valid=valid[i])
    if standardize and not from_signal:
        for i in range(n):
            call(
                "measure_features",
                FeatureMeasurement(((0, COUNT),), 50),
                shard=folder / f"{i}.npy",
                measures=folder / f"measures{i}.h5",
                valid=valid[i],
            )
    if of_solver.ONE_PASS and not from_signal:
        for i in range(n):
            run.summarize(i, valid=valid[i])
    if reads_recordings(solver):
        fit_recordings(run, known, valid, folder)
    else:
        run.fit(valid=valid)
    for i in range(n):
        run.project(i, valid=valid[i])
    run.write(valid=valid)
    with h5py.File(folder / "projection.h5") as file:
        return {name: file[name][()] for name in ("scores", "recording", "start_row")}


def fit_recordings(run, known, valid, folder):
    segments = tuple((Segment(recording, 0, COUNT, 0),) for recording in known)
    ranges = tuple(((0, COUNT),) for _ in known)
    request = Fit(SPEC, run.model, ranges, segments, 50, "float32", {})
    call("fit_model", request, model=folder / "model.h5", valid=valid, threads=1)


def signals():
    random = np.random.default_rng(0)
    return [random.normal(size=(ROWS, 2)).astype("f4").cumsum(axis=0) for _ in range(2)]


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", concrete_solvers())
def test_a_shard_without_a_valid_window_changes_nothing(tmp_path, solver, standardize):
    if standardize and solver_module(solver).Solver.FROM_SIGNAL and solver != "lag-randomized":
        pytest.skip("the solver does not standardize")
    first, second = signals()
    nothing = np.full((ROWS, 2), np.nan, "f4")
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    found = staged(tmp_path / "with", solver, [first, nothing, second], standardize=standardize)
    expected = staged(tmp_path / "without", solver, [first, second], standardize=standardize)
    assert set(found["recording"]) == {0, 2}
    assert np.array_equal(found["start_row"], expected["start_row"])
    assert len(found["scores"]) == 2 * COUNT
    size = np.abs(expected["scores"]).max()
    assert np.abs(found["scores"] - expected["scores"]).max() < 1e-5 * size


def test_no_valid_window_at_all(tmp_path):
    nothing = np.full((ROWS, 2), np.nan, "f4")
    with pytest.raises(MemwaveError, match="0 windows of split train contain no missing value"):
        staged(tmp_path, "covariance", [nothing, nothing])
    assert not (tmp_path / "model.h5").exists()
