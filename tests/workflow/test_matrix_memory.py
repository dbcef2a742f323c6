"""Stages of a matrix keep to the prediction, with n rows and with 8 n; each in a fresh process."""

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
# More than two blocks of each stage in a shard, so that a longer one has no larger blocks.
ROWS = {"covariance": 3600, "incremental": 3600, "randomized": 3600, "gram": 400}


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
        x = file.create_dataset("x", (n_rows, COLUMNS), "f4", chunks=(200, 60), compression=1)
        for i, block in enumerate(blocks):
            x[200 * i : 200 * (i + 1)] = block
        x[7, 5] = np.nan
    return {"matrix": "x.h5::/x", "missing": "drop"}


def run_all(folder, kind, solver, n_rows):
    """Run all stages of a matrix; the peak of each in MB, and what was predicted."""
    dataset = write(folder, kind, n_rows)
    config = {
        "datasets": {"x": dataset},
        "models": {"m": {"solver": solver, "n_components": 4, "standardize": solver != "gram"}},
        "experiments": [{"dataset": "x", "model": "m"}],
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

    def run(stage, shard="", limit=None, **files):
        w = SimpleNamespace(dataset="x", features="matrix", model="m", shard=shard)
        request = request_of(plan, stage, w) or assembly(plan, w, {})
        limit = limit or resources.memory_mb(plan, stage, w)
        ended = run_stage(stage, folder, request, memory_mb=limit, **files)
        assert ended.status == 0, ended.told
        assert ended.usage["peak_anonymous_mb"] <= ended.usage["predicted_mb"] == limit
        peaks[stage] = max(peaks.get(stage, 0), ended.usage["peak_anonymous_mb"])

    def each(stage, product, **files):
        for i, name in enumerate(names):
            valid = {"valid": of_shards["valid"][i]} if drops else {}
            run(stage, name, **{product: of_shards[product][i]}, **valid, **files)

    if drops:
        for i, name in enumerate(names):
            run("find_gaps", name, valid=of_shards["valid"][i])
    measures = {}
    if config["models"]["m"]["standardize"]:
        each("measure_features", "measures")
        measures = {"measures": of_shards["measures"]}
    valid = {"valid": of_shards["valid"]} if drops else {}
    model = {"model": folder / "model.h5"}
    of_several = replace(resources.sizes_of(plan, "x", "matrix"), shards=2)
    several = predict_stages(plan.matrices["x"], plan.models["x", "matrix", "m"], of_several)
    if solver_module(solver).Solver.ONE_PASS:
        each("summarize_features", "summary", limit=several["summarize_features"], **measures)
        summaries = {"summaries": of_shards["summary"]}
        run("fit_model", limit=several["fit_model"], **model, **summaries, **measures, **valid)
    run("fit_model", **model, **measures, **valid)
    each("project_features", "partial", limit=several["project_features"], **model)
    written = {name: folder / name for name in ("projection", "limits", "alarms", "provenance")}
    run("write_projection", contributions=folder / "contributions", **written, **model, **valid)
    return peaks


@pytest.mark.parametrize("kind", ["raw", "hdf5"])
@pytest.mark.parametrize("solver", ROWS)
def test_stages_stay_below_the_prediction_however_many_rows(solver, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = run_all(tmp_path, kind, solver, ROWS[solver])
    many = run_all(tmp_path, kind, solver, 8 * ROWS[solver])
    if solver == "gram":  # it is for less than a block of rows, and needs memory for their square
        return
    for stage, peak in few.items():
        assert many[stage] <= 1.25 * peak + 5, (stage, peak, many[stage])
