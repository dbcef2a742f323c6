"""Stages of a matrix keep to the prediction, with few rows and many; each in a fresh process.

Stages that do the same for all solvers, before a model is fitted and after, run for the first.
"""

import sys
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from stages import run_stage

from memwave.pca.solvers import solver_module
from memwave.workflow.planning import resources
from memwave.workflow.planning.jobs.request import request as request_of
from memwave.workflow.planning.jobs.results import assembly
from memwave.workflow.planning.memory.matrix import predict_stages
from memwave.workflow.planning.plan import make_plan

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")

COLUMNS, SHARDS = 600, 1
# Few rows, of more than two blocks of each stage in a shard, so that many have no larger blocks.
# "gram" is for less than a block, and its memory grows with the square.
ROWS = {("covariance", "incremental", "randomized"): (3600, 28_800), ("gram",): (400, 2000)}


def write(folder, kind, n_rows):
    """A matrix of one kind, block by block; the path of it, and its keys of a dataset."""
    random = np.random.default_rng(0)
    blocks = (random.normal(size=(200, COLUMNS)).astype("f4") for _ in range(n_rows // 200))
    if kind == "raw":
        with open(folder / "x.mmap", "wb") as file:
            for block in blocks:
                block.astype("f2").tofile(file)
        return {"matrix": "x.mmap", "dtype": "float16", "columns": COLUMNS}
    with h5py.File(folder / "x.h5", "w") as file:
        x = file.create_dataset("x", (n_rows, COLUMNS), "f4", chunks=(200, 60), compression="lzf")
        for i, block in enumerate(blocks):
            x[200 * i : 200 * (i + 1)] = block
        x[7, 5] = np.nan
    return {"matrix": "x.h5::/x", "missing": "drop"}


def run_all(folder, kind, solvers, n_rows):
    """Run the stages of a matrix; the peak of each stage and solver in MB."""
    dataset = write(folder, kind, n_rows)
    options = {"n_components": 4, "standardize": "gram" not in solvers}
    config = {
        "datasets": {"x": dataset},
        "models": {solver: {"solver": solver} | options for solver in solvers},
        "experiments": [{"dataset": "x", "model": list(solvers)}],
        "shards": SHARDS,
        "block_mb": 4,
        "threads": 1,
        "plots": False,
    }
    plan, peaks = make_plan(config), {}
    names = [f"{i}-of-{SHARDS}" for i in range(1, SHARDS + 1)]
    of_shards = {
        what: [folder / f"{what}{i}.h5" for i in range(SHARDS)]
        for what in ("valid", "measures", "summary", "partial")
    }
    drops = "missing" in dataset

    def run(stage, solver, shard="", limit=None, **files):
        w = SimpleNamespace(dataset="x", features="matrix", model=solver, shard=shard)
        request = request_of(plan, stage, w) or assembly(plan, w, {})
        limit = limit or resources.memory_mb(plan, stage, w)
        ended = run_stage(stage, folder, request, memory_mb=limit, **files)
        assert ended.status == 0, ended.told
        peak = ended.usage["peak_anonymous_mb"]
        assert peak <= ended.usage["predicted_mb"] == limit
        peaks[stage, solver] = max(peaks.get((stage, solver), 0), peak)

    def each(stage, solver, product, **files):
        for i, name in enumerate(names):
            valid = {"valid": of_shards["valid"][i]} if drops else {}
            run(stage, solver, name, **{product: of_shards[product][i]}, **valid, **files)

    first = solvers[0]
    if drops:
        for i, name in enumerate(names):
            run("find_gaps", first, name, valid=of_shards["valid"][i])
    measures = {}
    if options["standardize"]:
        each("measure_features", first, "measures")
        measures = {"measures": of_shards["measures"]}
    valid = {"valid": of_shards["valid"]} if drops else {}
    of_several = replace(resources.sizes_of(plan, "x", "matrix"), shards=2, together=False)
    for solver in solvers:
        several = predict_stages(plan.matrices["x"], plan.models["x", "matrix", solver], of_several)
        model = {"model": folder / f"{solver}.h5"}
        if solver_module(solver).Solver.ONE_PASS:
            limit = several["summarize_features"]
            each("summarize_features", solver, "summary", limit=limit, **measures)
            summaries = {"summaries": of_shards["summary"]}
            limit = several["fit_model"]
            run("fit_model", solver, limit=limit, **model, **summaries, **measures, **valid)
        run("fit_model", solver, **model, **measures, **valid)
    model = {"model": folder / f"{first}.h5"}
    each("project_features", first, "partial", limit=several["project_features"], **model)
    written = {name: folder / name for name in ("projection", "limits", "alarms", "provenance")}
    contributions = {"contributions": folder / "contributions"}
    run("write_projection", first, **contributions, **written, **model, **valid)
    return peaks


@pytest.mark.parametrize("kind", ["raw", "hdf5"])
@pytest.mark.parametrize("solvers", ROWS, ids="-".join)
def test_stages_stay_below_the_prediction_however_many_rows(solvers, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few, many = (run_all(tmp_path, kind, solvers, n_rows) for n_rows in ROWS[solvers])
    assert {solver for _, solver in few} == set(solvers)
    if "gram" in solvers:
        return
    for stage, peak in few.items():
        assert many[stage] <= 1.25 * peak + 5, (stage, peak, many[stage])
