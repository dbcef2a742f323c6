"""What the result of a job depends on: code that it runs, inputs that it reads, versions."""

import platform
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from memwave import __version__
from memwave.pca.solvers import solver_module
from memwave.readers import reader_of
from memwave.workflow import paths
from memwave.workflow.code_digests import digests
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.planning import inputs
from memwave.workflow.planning.jobs import batches, recordings
from memwave.workflow.planning.jobs.job import Job
from memwave.workflow.planning.models import model_of
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    n_shards,
    of_experiments,
    shards_together,
)

# Keys of a dataset that only figures show: changing them fits no model again.
FOR_FIGURES = ("units", "label_names")

# Packages whose versions a result depends on.
PACKAGES = ("numpy", "scipy", "PyWavelets", "h5py")

# Stages that read recordings, matrices or labels.
READING = (
    *recordings.READING_ROWS,
    "convert_recordings",
    "convert_labels",
    "converted_recording",
    "converted_labels",
    "measure_channels",
    "find_gaps",
    "extract_features",
    "summarize_lags",
    "fit_model",
    "project_recordings",
    "write_projection",
    "plot_explore",
)


def _files(*functions: Callable[[Plan, Any], Iterable[str]]) -> tuple[Callable, ...]:
    return functions


def _of_job(pattern: str) -> Callable[[Plan, Any], list[str]]:
    return lambda plan, job: [pattern.format(**vars(job))]


def _of_experiments(pattern: str) -> Callable[[Plan, Any], list[str]]:
    return lambda plan, job: of_experiments(plan, pattern)


# What the jobs of a stage read of what other jobs wrote.
READ: dict[str, tuple[Callable, ...]] = {
    "convert_recordings": (),
    "convert_labels": (),
    "converted_recording": (),
    "converted_labels": (),
    "measure_channels": _files(inputs.converted_train),
    "find_gaps": _files(inputs.converted_of_shard),
    "extract_features": _files(
        inputs.valid_windows_of_shard, inputs.converted_of_shard, inputs.channels
    ),
    "measure_features": _files(
        inputs.valid_windows_of_shard, inputs.shard, inputs.converted_of_matrix
    ),
    "summarize_features": _files(
        inputs.valid_windows_of_shard,
        inputs.shard,
        inputs.converted_of_matrix,
        inputs.feature_measures,
    ),
    "summarize_lags": _files(
        inputs.valid_windows_of_shard, inputs.converted_train_of_shard, inputs.channels
    ),
    "fit_model": _files(
        inputs.valid_windows,
        inputs.summaries,
        inputs.fitted_shards,
        inputs.converted_fitted,
        inputs.converted_fitted_matrix,
        inputs.feature_measures,
        inputs.channels,
    ),
    "adopt_model": _files(lambda plan, job: [inputs.applied_model(plan, job)]),
    "project_features": _files(
        inputs.valid_windows_of_shard,
        inputs.shard,
        inputs.converted_of_matrix,
        _of_job(paths.MODEL),
    ),
    "project_recordings": _files(
        inputs.valid_windows_of_shard,
        inputs.converted_of_shard,
        inputs.channels,
        _of_job(paths.MODEL),
    ),
    "write_projection": _files(
        inputs.valid_windows,
        inputs.partial_projections,
        _of_job(paths.MODEL),
        inputs.converted_labels,
        inputs.shard_checksums,
        inputs.limits_of_applied_model,
        inputs.stored_shards,
        inputs.converted_rows_not_stored,
        inputs.channels,
    ),
    "write_summary": _files(
        _of_experiments(paths.MODEL), _of_experiments(paths.PROJECTION), inputs.usages
    ),
    "plot_experiment": _files(
        _of_job(paths.MODEL), _of_job(paths.PROJECTION), _of_job(paths.CONTRIBUTIONS)
    ),
    "plot_explore": _files(
        _of_job(paths.MODEL),
        _of_job(paths.PROJECTION),
        inputs.valid_windows,
        inputs.stored_shards,
        inputs.converted_rows_not_stored,
    ),
    "plot_summary": _files(_of_job(paths.SUMMARY)),
}


def code(plan: Plan, stage: str, w: Wildcards) -> tuple[tuple[str, str], ...]:
    """Names and digests of the modules that a job runs, its readers and its solver included."""
    if stage in paths.PARTS.values():
        return digests(stage, *_readers(batches.sources_of(plan, stage, w)))
    if stage in paths.PARTS:
        return digests(paths.PARTS[stage], *_readers(read_inputs(plan, stage, w)))
    modules = _reading(recordings.read_by(plan, stage, w))
    if stage in ("write_projection", "plot_explore"):
        modules += _readers([*inputs.labels(plan, w), *inputs.converted_labels(plan, w)])
        sources = batches.all_sources(plan, w.dataset, "convert_labels")
        modules += ["convert_labels", *_readers(sources)] if sources else []
    if stage in ("summarize_features", "fit_model"):
        modules.append(solver_module(model_of(plan, w)["solver"]).__name__)
    return digests(stage, *modules)


def read_inputs(plan: Plan, stage: str, w: Wildcards) -> list[str]:
    """Recordings and labels, as given, that a job reads."""
    if stage in paths.PARTS.values():
        return batches.sources_of(plan, stage, w)
    if stage == "converted_recording":
        return [recordings.converted(plan, w).source]
    if stage == "converted_labels":
        return [str(recordings.converted(plan, w).label_source)]
    if stage == "write_projection":
        labels = [r.labels for r in plan.recordings[w.dataset] if r.labels]
        # The few windows that it reads are compared by the job that projects them all.
        projected = shards_together(plan, w.dataset, w.features)
        rows = recordings.read_by(plan, stage, w) if projected else ()
        return [*labels, *(r.path for r in rows)]
    return [r.path for r in recordings.read_by(plan, stage, w)]


def read_outputs(plan: Plan, job: Job) -> list[str]:
    """Files that a job reads and that other jobs wrote, also models of other runs."""
    return [path for files in READ[job.stage] for path in files(plan, job)]


def all_inputs(plan: Plan, dataset: str) -> list[str]:
    """All recordings and labels of a dataset, as given."""
    given = plan.recordings[dataset]
    labels = [r.label_source for r in given if r.label_source]
    return [*(r.source for r in given), *labels]


def provenance(plan: Plan, w: Wildcards) -> dict:
    """What makes a result: its part of the configuration, and versions."""
    chosen = plan.settings["datasets"][w.dataset]
    known = {key: value for key, value in chosen.items() if key not in FOR_FIGURES}
    return {
        "configuration": {
            "datasets": {w.dataset: known},
            "features": {w.features: plan.settings["features"].get(w.features, {})},
            "models": {w.model: model_of(plan, w)},
            "shards": n_shards(plan, w.dataset, w.features),
            "block_mb": plan.settings["block_mb"],
        },
        "versions": _versions(),
    }


@cache
def _versions() -> dict[str, str]:
    packages = {package: version(package) for package in PACKAGES}
    return {"memwave": __version__, "python": platform.python_version(), **packages}


def _readers(files: Iterable[str]) -> list[str]:
    return inputs.unique(reader_of(file).__name__ for file in files)


def _reading(read: Sequence[CheckedRecording]) -> list[str]:
    """Modules that read recordings, and those that convert them before."""
    converted = [r.source for r in read if r.path != r.source]
    before = ["convert_recordings", *_readers(converted)] if converted else []
    return [*_readers(r.path for r in read), *before]
