"""The models of a plan: how each is made, and which files of models it has, or needs."""

import os

from memwave.core.precision import compute_dtype
from memwave.pca.solvers import reads_recordings, solver_module
from memwave.recordings.channels import is_model
from memwave.workflow import paths
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    feature_spec,
    n_shards,
    of_experiments,
    shards_together,
)


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


def fits_recordings(plan: Plan, w: Wildcards) -> bool:
    """Whether the fit of a model reads the recordings itself."""
    model = model_of(plan, w)
    if is_applied(model):
        return False
    return reads_recordings(model["solver"]) or (
        is_from_signal(model) and summarizes_itself(plan, w)
    )


def is_summarized(model: dict) -> bool:
    """Whether a model is fitted to summaries of shards."""
    return not is_applied(model) and solver_module(model["solver"]).Solver.ONE_PASS


def summarizes_itself(plan: Plan, w: Wildcards) -> bool:
    """Whether `fit_model` summarizes the shards: the only one, or all where that is short."""
    model = model_of(plan, w)
    if plan.settings["keep_summaries"] or not is_summarized(model):
        return False
    is_short = is_from_signal(model) and shards_together(plan, w.dataset, w.features)
    return is_short or n_shards(plan, w.dataset, w.features) == 1


def summarizing_stage(model: dict) -> str:
    """The stage that summarizes shards for a model, in jobs of their own or in that of the fit."""
    return "summarize_lags" if is_from_signal(model) else "summarize_features"


def has_summaries(plan: Plan, w: Wildcards) -> bool:
    """Whether shards are summarized for a model by jobs of their own."""
    return is_summarized(model_of(plan, w)) and not summarizes_itself(plan, w)


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
