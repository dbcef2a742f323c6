"""The models of a plan: how each is made, and which files of models it has, or needs."""

import os

from memwave.core.precision import compute_dtype
from memwave.pca.solvers import reads_recordings, solver_module
from memwave.recordings.channels import is_model
from memwave.workflow import paths
from memwave.workflow.planning.plan import Plan, Wildcards, feature_spec, n_shards, of_experiments


def model_of(plan: Plan, w: Wildcards) -> dict:
    """Return the complete options of the model of a job or an experiment."""
    return plan.models[w.dataset, w.features, w.model]


def dtype_of(plan: Plan, w: Wildcards) -> str:
    """Return the type that is computed in for the model of a job."""
    stored = feature_spec(plan, w.dataset, w.features).dtype
    return compute_dtype(model_of(plan, w)["compute_dtype"], stored)


def is_applied(model: dict) -> bool:
    """Whether a model was fitted before and is applied to new recordings."""
    return "apply" in model


def is_from_signal(model: dict) -> bool:
    """Whether a model is fitted to the recordings, without features."""
    return solver_module(model["solver"]).Solver.FROM_SIGNAL


def fits_recordings(model: dict) -> bool:
    """Whether the fit of a model reads the recordings itself."""
    return not is_applied(model) and reads_recordings(model["solver"])


def summarizing_stage(plan: Plan, w: Wildcards) -> str | None:
    """The stage that summarizes shards for a model; None where the fit needs no summary."""
    model = model_of(plan, w)
    if is_applied(model) or not solver_module(model["solver"]).Solver.ONE_PASS:
        return None
    if is_from_signal(model):
        return "summarize_lags"
    return None if summarizes_itself(plan, w) else "summarize_features"


def summarizes_itself(plan: Plan, w: Wildcards) -> bool:
    """Whether `fit_model` summarizes the features itself: those of one shard need no other job."""
    model = model_of(plan, w)
    if is_applied(model) or is_from_signal(model) or plan.settings["keep_summaries"]:
        return False
    one_pass = solver_module(model["solver"]).Solver.ONE_PASS
    return one_pass and n_shards(plan, w.dataset, w.features) == 1


def model_files(plan: Plan) -> list[str]:
    """The models that the run fits or adopts."""
    return of_experiments(plan, paths.MODEL)


def fitted_before(plan: Plan, path: str) -> str:
    """Return the path of a fitted model: absolute, unless this configuration fits it.

    No rule makes a file with an absolute path. However the path of a model that is fitted in this
    run is written, jobs that use the model have to wait for the fit.
    """
    ours = os.path.relpath(path)
    return ours if ours in model_files(plan) else os.path.abspath(path)


def foreign_models(plan: Plan) -> list[str]:
    """Models that this configuration applies, or scales by, and does not fit."""
    found = [model["apply"] for model in plan.models.values() if is_applied(model)]
    for e in plan.experiments:
        scale = feature_spec(plan, e.dataset, e.features).scale
        found += [scale] * is_model(scale)
    found = [path for path in (fitted_before(plan, p) for p in found) if os.path.isabs(path)]
    found += [path for path in map(limits_beside, found) if os.path.exists(path)]
    return list(dict.fromkeys(found))


def limits_beside(model_file: str) -> str:
    """Path of the table of limits in the folder of a model."""
    return os.path.join(os.path.dirname(model_file), os.path.basename(paths.LIMITS))
