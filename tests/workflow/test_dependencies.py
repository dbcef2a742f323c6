"""What a job is made for covers all that it reads: files as given, and files that are converted."""

import os

import numpy as np
import pytest

from memwave.pca.solvers import concrete_solvers, solver_module
from memwave.readers import file_of
from memwave.workflow.planning.digests import Digests
from memwave.workflow.planning.inputs import unique
from memwave.workflow.planning.jobs import dependencies
from memwave.workflow.planning.models import fitted_before, model_files
from memwave.workflow.planning.plan import make_plan

NAMES = ("a", "b", "c")
FROM_SIGNAL = [s for s in concrete_solvers() if solver_module(s).Solver.FROM_SIGNAL]
# Suffix of the recordings, and shards; one shard has no jobs that project it.
SHARDS = (("npy", "by-recording"), ("csv", "by-recording"), ("npy", 1), ("csv", 1))
HAAR = {"window": 8, "level": 1, "bands": ["a1", "d1"]}


def of_recordings(folder, suffix):
    """Three recordings with texts as labels; each solver fits features and, if it can, signals."""
    lines = ["recording\tpath\tlabels\tsplit"]
    for name, split in zip(NAMES, ("train", "test", "train"), strict=True):
        rows = np.random.default_rng(ord(name)).normal(size=(60, 2))
        path, labels = folder / f"{name}.{suffix}", folder / f"{name}.labels.csv"
        if suffix == "npy":
            np.save(path, rows)
        else:
            np.savetxt(path, rows, delimiter=",", header="x,y", comments="")
        labels.write_text("state\n" + "rest\n" * 60)
        lines.append(f"{name}\t{path}\t{labels}::state\t{split}")
    (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
    dataset = {"recordings": str(folder / "sheet.tsv"), "channels": ["x", "y"]}
    models = {name: {"solver": name, "n_components": 3} for name in concrete_solvers()}
    return {
        "datasets": {"plain": dataset, "gaps": {**dataset, "missing": "drop"}},
        "features": {
            "stored": HAAR,
            "scaled": {**HAAR, "scale": "zscore"},
            "unstored": {**HAAR, "store": False},
        },
        "models": models,
        "experiments": [
            {"dataset": ["plain", "gaps"], "features": ["stored", "scaled"], "model": [*models]},
            {"dataset": ["plain", "gaps"], "features": "unstored", "model": FROM_SIGNAL},
        ],
        "explore": True,
    }


def of_matrix(folder, suffix):
    """A matrix that every solver of features fits."""
    lines = ["recording\tpath"]
    for name in NAMES:
        rows = np.random.default_rng(ord(name)).normal(size=(60, 6))
        path = folder / f"{name}.{suffix}"
        if suffix == "npy":
            np.save(path, rows)
        else:
            np.savetxt(path, rows, delimiter=",", header="p,q,r,s,t,u", comments="")
        lines.append(f"{name}\t{path}")
    (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
    solvers = [name for name in concrete_solvers() if name not in FROM_SIGNAL]
    models = {
        name: {"solver": name, "n_components": 3, "standardize": True} for name in solvers
    } | {name + "-as-is": {"solver": name, "n_components": 3} for name in solvers}
    return {
        "datasets": {
            "plain": {"matrix": str(folder / "sheet.tsv")},
            "gaps": {"matrix": str(folder / "sheet.tsv"), "missing": "drop"},
        },
        "models": models,
        "experiments": [{"dataset": ["plain", "gaps"], "model": [*models]}],
        "explore": True,
    }


MADE = [(f, s, n) for f in (of_recordings, of_matrix) for s, n in SHARDS]


@pytest.fixture(params=MADE)
def plan(request, tmp_path):
    make, suffix, shards = request.param
    return make_plan(make(tmp_path, suffix) | {"shards": shards})


def versions_of(plan):
    read = (path for name in plan.recordings for path in dependencies.all_inputs(plan, name))
    return dict.fromkeys(unique(read), "first")


def test_all_that_a_job_reads_has_a_version_or_a_receipt(plan):
    versions = versions_of(plan)
    digests = Digests(plan, lambda: versions)
    jobs = digests.needed()
    assert {job.stage for job in jobs} >= {"fit_model", "write_projection", "plot_explore"}
    for job in jobs:
        known = {*digests.sources(job), *digests.files(job)}
        if job.stage in dependencies.READING and not digests.parts(job):
            read = dependencies.read_inputs(plan, job.stage, job)
            assert [path for path in read if not {path, file_of(path)} & known] == [], job


def test_another_recording_gives_other_models_and_projections(plan):
    """The first recording is one that PCA is fitted on."""
    before = versions_of(plan)
    first = next(path for path in before if path.rpartition("/")[2].startswith("a."))
    digests = [Digests(plan, lambda v=v: v) for v in (before, before | {first: "second"})]
    needed = digests[0].needed()
    final = [job for job in needed if job.stage in ("fit_model", "write_projection")]
    assert len(final) == 2 * len(plan.experiments)
    assert [job for job in final if digests[0].of(job) == digests[1].of(job)] == []


def test_a_model_of_the_run_is_known_however_its_path_is_written(plan):
    ours = model_files(plan)[0]
    for path in (ours, f"./{ours}", os.path.abspath(ours), ours.replace("/", "//")):
        assert fitted_before(plan, path) == ours
    assert fitted_before(plan, f"other/{ours}") == os.path.abspath(f"other/{ours}")
