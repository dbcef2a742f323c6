"""What the result of a job depends on: code that it runs, inputs that it reads, versions."""

import platform
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version

from memwave import __version__
from memwave.pca.solvers import solver_module
from memwave.readers import reader_of
from memwave.workflow import paths
from memwave.workflow.code_digests import digests
from memwave.workflow.config.checks.recordings import CheckedRecording
from memwave.workflow.planning import batches, inputs
from memwave.workflow.planning.inputs import Wildcards, model_of
from memwave.workflow.planning.plan import Plan, n_shards

# Keys of a dataset that only figures show: changing them fits no model again.
FOR_FIGURES = ("units", "label_names")

# Packages whose versions a result depends on.
PACKAGES = ("numpy", "scipy", "PyWavelets", "h5py")

# Stages that read the rows of a matrix.
READING_ROWS = ("measure_features", "summarize_features", "fit_model", "project_features")

# Stages that read recordings, matrices or labels.
READING = (
    *READING_ROWS,
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


def code(plan: Plan, stage: str, w: Wildcards) -> dict[str, str]:
    """Digests of the modules that a job runs, the readers and the solver it needs included."""
    if stage in paths.PARTS.values():
        return digests(stage, *_readers(batches.sources_of(plan, stage, w)))
    if stage in paths.PARTS:
        return digests(paths.PARTS[stage], *_readers(read_inputs(plan, stage, w)))
    modules = _reading(_recordings_read(plan, stage, w))
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
        return [inputs.converted_recording(plan, w).source]
    if stage == "converted_labels":
        return [str(inputs.converted_recording(plan, w).label_source)]
    if stage == "write_projection":
        # The few windows that it reads are compared by the stage that projects them all.
        return [r.labels for r in plan.recordings[w.dataset] if r.labels]
    return [r.path for r in _recordings_read(plan, stage, w)]


def _recordings_read(plan: Plan, stage: str, w: Wildcards) -> Sequence[CheckedRecording]:
    """Recordings, or parts of a matrix, of which a job reads rows."""
    if stage == "measure_channels":
        return inputs.dataset_train_recordings(plan, w)
    if stage in ("find_gaps", "extract_features", "project_recordings"):
        return inputs.shard_recordings(plan, w)
    if stage == "summarize_lags":
        return inputs.shard_train_recordings(plan, w)
    if stage in READING_ROWS and w.dataset in plan.matrices:
        return inputs.rows_read(plan, stage, w)
    if stage == "fit_model":
        return inputs.recordings_of_fit(plan, w)
    if stage in ("write_projection", "plot_explore") and not inputs.has_files(plan, w):
        return plan.recordings[w.dataset]
    return ()


def all_inputs(plan: Plan, dataset: str) -> list[str]:
    """All recordings and labels of a dataset, as given."""
    recordings = plan.recordings[dataset]
    labels = [r.label_source for r in recordings if r.label_source]
    return [*(r.source for r in recordings), *labels]


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


def _reading(recordings: Sequence[CheckedRecording]) -> list[str]:
    """Modules that read recordings, and those that convert them before."""
    converted = [r.source for r in recordings if r.path != r.source]
    before = ["convert_recordings", *_readers(converted)] if converted else []
    return [*_readers(r.path for r in recordings), *before]
