"""The models of a feature set, with all options: solvers are chosen, applied models are read."""

from memwave.features.columns import MatrixSpec
from memwave.workflow.config.checks.applied import (
    applied_findings,
    applied_matrix_findings,
    applied_options,
)
from memwave.workflow.planning.choice import Features, resolve
from memwave.workflow.planning.memory import matrix as matrix_memory
from memwave.workflow.planning.memory import recordings as recording_memory
from memwave.workflow.planning.memory.blocks import Sizes


def resolved_models(
    settings: dict, models: list[str], features: str, spec: Features, sizes: Sizes, n_train: int
) -> tuple[dict[str, dict], list[str]]:
    """Return the options of models by name, and findings about models that cannot be applied."""
    resolved, findings = {}, []
    for name in models:
        path = settings["models"][name].get("apply")
        if path is None:
            resolved[name] = _resolve(settings, name, spec, sizes, n_train)
            continue
        if isinstance(spec, MatrixSpec):
            found = list(applied_matrix_findings(name, path, spec))
        else:
            found = list(applied_findings(name, path, features, spec))
        findings += found
        if not found:
            resolved[name] = applied_options(path)
    return resolved, findings


def _resolve(settings: dict, model: str, spec: Features, sizes: Sizes, n_train: int) -> dict:
    """Options of a model's solver, chosen if it says ``auto``."""
    of_kind = matrix_memory if isinstance(spec, MatrixSpec) else recording_memory
    limit = settings["max_mem_mb"]
    most = min(spec.n_features, n_train - 1)
    entry, wanted = _with_most_components(settings["models"][model], most)
    wanted["rotation"] = entry["rotation"]
    return resolve(entry, spec, n_train, sizes, limit, predict=of_kind.predict_stages) | wanted


def _with_most_components(model: dict, most: int) -> tuple[dict, dict]:
    """Plan a model with as many components as there may be, of which the fit keeps some.

    Parameters
    ----------
    model : dict
        Complete entry of ``models`` in the configuration.
    most : int
        Components that the windows allow.

    Returns
    -------
    model : dict
        With a number as ``n_components``.
    wanted : dict
        ``select``, which says how many are kept, unless a number is given; see
        `memwave.pca.diagnostics.selection.select`.
    """
    given = model["n_components"]
    if isinstance(given, int):
        return model, {}
    wanted = {"criterion": model["criterion"]} if given == "auto" else {"fraction": given}
    k = max(1, min(model["max_components"], most))
    return {**model, "n_components": k}, {"select": wanted}
