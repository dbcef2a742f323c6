"""Choice of a solver: the fastest that guarantees the tolerance within the memory limit.

Times are estimated by a simple cost model, which divides operations and bytes by one rate each;
only ratios of the times matter. The rates are those of one core of a common server of the 2020s
with a local solid-state disk, rounded.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from memwave.core.precision import compute_dtype
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.pca.solvers import Work, concrete_solvers, feature_solvers, solver_module
from memwave.workflow.config.settings import complete_model
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages

Features = FeatureSpec | MatrixSpec

PRODUCTS_PER_SECOND = {"float32": 80e9, "float64": 40e9}
DENSE_PER_SECOND = 15e9
BYTES_PER_SECOND = 1e9

# Rounding error of a covariance by the type of its sums, relative to its largest eigenvalue.
ROUNDING = {"float32": 1e-6, "float64": 1e-14}


@dataclass(frozen=True)
class Candidate:
    """A solver with options that guarantee the tolerance, or with its default options."""

    model: dict
    seconds: float
    memory_mb: int
    guarantees: bool


def resolve(
    model: dict,
    spec: Features,
    n_train: int,
    sizes: Sizes,
    max_mem_mb: int,
    predict: Callable[..., dict[str, int]] = predict_stages,
) -> dict:
    """Replace ``solver: auto`` by a solver with all its options.

    Parameters
    ----------
    model : dict
        Complete entry of ``models`` in the configuration; returned as it is if it names a solver.
    spec : FeatureSpec or MatrixSpec
        The features.
    n_train : int
        Number of train windows.
    sizes : Sizes
    max_mem_mb : int
        As in the configuration.
    predict : callable
        Predicts the memory of all stages from the features, a model and the sizes.

    Returns
    -------
    dict
        Complete options of the chosen solver, and ``chosen``, a sentence with the reason.
    """
    if model["solver"] != "auto":
        return model
    candidates = []
    for name in candidates_for(spec):
        options = options_for(name, model, spec)
        stages = predict(spec, options, sizes, n_train=n_train)
        candidates.append(
            Candidate(
                options,
                seconds(options, spec, n_train),
                max(stages.values()),
                guarantees=solver_module(name).guarantee(guaranteed_tolerance(model, spec))
                is not None,
            )
        )
    return choose(candidates, max_mem_mb, guaranteed_tolerance(model, spec))


def candidates_for(spec: Features) -> list[str]:
    """Solvers that may be chosen.

    If features are not stored, only solvers that fit to the recordings are possible. Such solvers
    ignore the rounding of features, so they are excluded for float16, whose rounding may be large.
    """
    if not spec.store:
        return [name for name in concrete_solvers() if name not in feature_solvers()]
    if isinstance(spec, MatrixSpec) or spec.dtype == "float16":
        return feature_solvers()
    return concrete_solvers()


def guaranteed_tolerance(model: dict, spec: Features) -> float:
    """The tolerance, but not less than rounding allows."""
    return max(model["tolerance"], ROUNDING[compute_dtype(model["compute_dtype"], spec.dtype)])


def options_for(name: str, model: dict, spec: Features) -> dict:
    """Options of a solver that guarantee the tolerance of an ``auto`` model, if possible."""
    common = {key: model[key] for key in ("n_components", "compute_dtype", "standardize")}
    guarantee = solver_module(name).guarantee(guaranteed_tolerance(model, spec)) or {}
    return complete_model({"solver": name, **common, **guarantee})


def seconds(model: dict, spec: Features, n_train: int) -> float:
    """Estimate the time of a fit on one core."""
    solver = solver_module(model["solver"])
    if solver.Solver.FROM_SIGNAL:
        work: Work = solver.work(spec, n_train, model)
    else:
        work = solver.work(spec.n_features, n_train, model)
    file_bytes = float(n_train) * spec.n_features * np.dtype(spec.dtype).itemsize
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    return (
        work.products / PRODUCTS_PER_SECOND[dtype]
        + work.dense / DENSE_PER_SECOND
        + work.reads * file_bytes / BYTES_PER_SECOND
    )


def choose(candidates: list[Candidate], max_mem_mb: int, tolerance: float) -> dict:
    """Choose the fastest candidate that fits in memory and guarantees the tolerance.

    If none does both, a candidate that fits is preferred to one that guarantees the tolerance. If
    none fits, the candidate with the least memory is returned; the memory check rejects it.
    """

    def rank(c: Candidate) -> tuple:
        fits = c.memory_mb <= max_mem_mb
        return not fits, not c.guarantees if fits else c.memory_mb, c.seconds

    best = min(candidates, key=rank)
    others = ", ".join(
        f"{c.model['solver']} (about {c.seconds:.3g} s, {c.memory_mb} MB"
        f"{'' if c.guarantees else ', tolerance not guaranteed'})"
        for c in candidates
        if c is not best
    )
    chosen = (
        f"solver auto chose {best.model['solver']} (about {best.seconds:.3g} s on one core, "
        f"{best.memory_mb} MB) for tolerance {tolerance:.2g} and max_mem_mb {max_mem_mb}, "
        f"over {others}."
    )
    return {**best.model, "chosen": chosen}
