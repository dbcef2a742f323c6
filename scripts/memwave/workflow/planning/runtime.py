"""Estimates of the time of each stage, from the configuration and the number of windows alone.

The time is a sum of three terms: bytes read or written, products, and decompositions, each divided
by a rate. There are two sets of rates. `LOCAL` is for estimates: one core of a server of the 2020s
with a local solid-state disk. `CLUSTER` is for time limits: a scheduler ends jobs that take longer,
so it assumes an old core and a shared file system under load.
"""

import math
from dataclasses import dataclass

import numpy as np

from memwave.core.precision import compute_dtype
from memwave.features.spec import FeatureSpec
from memwave.pca.solvers import reads_columns, solver_module
from memwave.workflow.planning.choice import DENSE_PER_SECOND, PRODUCTS_PER_SECOND
from memwave.workflow.planning.memory.blocks import Sizes

# Number of columns of projection.h5 without the scores, and bytes of a value.
COLUMNS, SCORE_BYTES = 6, 8


@dataclass(frozen=True)
class Rates:
    """Speed of a core and its disk.

    Attributes
    ----------
    start : float
        Seconds until a job computes: start of Python, its libraries and, on a cluster, Snakemake.
    extracted : float
        Bytes of features computed and written per second.
    read : float
        Bytes of features read per second.
    compressed : float
        Bytes of scores compressed and written per second.
    share : float
        Factor for the rates of products and decompositions in `choice`.
    """

    start: float
    extracted: float
    read: float
    compressed: float
    share: float


LOCAL = Rates(start=1.0, extracted=400e6, read=1e9, compressed=60e6, share=1.0)

# About a tenth of LOCAL for rates that involve the file system, a quarter for the others. Three
# minutes for a cold start of Python from a shared file system, which is slow with small files.
CLUSTER = Rates(start=180.0, extracted=50e6, read=100e6, compressed=10e6, share=0.25)


def predict(
    spec: FeatureSpec,
    model: dict,
    n_windows: int,
    sizes: Sizes,
    rates: Rates,
) -> dict[str, float]:
    """Estimate the seconds of one job of every stage.

    Parameters
    ----------
    spec : FeatureSpec
        The features.
    model : dict
        Complete entry of ``models`` in the configuration, with a solver other than ``auto``.
    n_windows : int
        Windows of the dataset. All are assumed to be in split ``train``, which takes longest.
    sizes : Sizes
    rates : Rates
        `LOCAL` or `CLUSTER`.

    Returns
    -------
    dict of str to float
        Seconds by the name of the stage, in the order of the data flow.
    """
    d, k = spec.n_features, model["n_components"]
    shards = sizes.shards
    rows = -(-n_windows // shards)
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    products = rates.share * PRODUCTS_PER_SECOND[dtype]
    reading = reading_seconds(spec, rows, rates)
    table = float(n_windows) * (k + COLUMNS) * SCORE_BYTES
    stages = _of_features(spec, rows, rates)
    if "apply" in model:
        stages["adopt_model"] = 0.0
    else:
        stages |= fitting(spec, model, rows, shards, min(sizes.threads, shards), rates)
    scoring = 4.0 * rows * d * k / products + table / shards / rates.compressed
    projecting = {
        "project_features": reading + scoring,
        "project_recordings": stages["extract_features"] + scoring,
    }
    for stage in ("write_projection", "plot_experiment", "plot_explore"):
        stages[stage] = table / rates.read
    if sizes.together:
        each = projecting["project_features" if spec.store else "project_recordings"]
        stages["write_projection"] += shards * each
    else:
        stages |= projecting
    return _started(stages, rates)


def fitting(
    spec: FeatureSpec, model: dict, rows: int, shards: int, workers: int, rates: Rates
) -> dict[str, float]:
    """Return the seconds of the stages that fit a model, by name, without `Rates.start`."""
    solver, d = solver_module(model["solver"]), spec.n_features
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    products = rates.share * PRODUCTS_PER_SECOND[dtype]
    dense = rates.share * DENSE_PER_SECOND
    if solver.Solver.FROM_SIGNAL and not solver.Solver.ONE_PASS:
        n_windows = rows * shards  # a tolerance may end a fit early, at an unknown pass
        return {"fit_model": 2 * solver.work(spec, n_windows, model).dense / dense}
    if reads_columns(model["solver"]):
        work = solver.work(d, rows * shards, model)
        reads = work.reads * reading_seconds(spec, rows * shards, rates)
        return {"fit_model": reads + work.dense / dense}
    if solver.Solver.FROM_SIGNAL:
        # Products of `step` rows with `window` rows. Then, once for every 32 shards, the matrix of
        # all pairs of values of a window is transformed on both sides. At the end, eigenpairs.
        values = float(spec.window * spec.n_channels)
        sums = 2.0 * rows * min(spec.step, spec.window) * spec.n_channels * values
        transforms = -(-shards // 32) * 20.0 * values**2
        at_the_end = (transforms + 4 / 3 * float(d) ** 3) / dense
        return {"summarize_lags": sums / products, "fit_model": at_the_end}
    # A tolerance may end a fit early, which cannot be predicted.
    work = solver.work(d, rows, {**model, "tolerance": None})
    at_the_end = solver.work(d, 0, {**model, "tolerance": None}).dense / dense
    one_pass = reading_seconds(spec, rows, rates) + work.products / work.reads / products
    if not solver.Solver.ONE_PASS:
        return {"fit_model": work.reads * -(-shards // workers) * one_pass + at_the_end}
    summary = solver.summary_bytes(d, model, np.dtype(dtype).itemsize) / rates.read
    cuts = work.dense / dense - at_the_end
    return {
        "summarize_features": one_pass + cuts,
        "fit_model": shards * summary + at_the_end,
    }


def of_features(spec: FeatureSpec, n_windows: int, shards: int, rates: Rates) -> dict[str, float]:
    """Estimate the seconds of one job of the stages before any model; see `predict`."""
    return _started(_of_features(spec, -(-n_windows // shards), rates), rates)


def _of_features(spec: FeatureSpec, rows: int, rates: Rates) -> dict[str, float]:
    reading = reading_seconds(spec, rows, rates)
    return {
        "extract_features": reading * rates.read / rates.extracted,
        "measure_features": 2 * reading,
    }


def _started(stages: dict[str, float], rates: Rates) -> dict[str, float]:
    return {stage: rates.start + seconds for stage, seconds in stages.items()}


def reading_seconds(spec: FeatureSpec, rows: int, rates: Rates) -> float:
    """Return the seconds of reading `rows` rows of features."""
    return float(rows) * spec.n_features * np.dtype(spec.dtype).itemsize / rates.read


def in_minutes(seconds: float, attempt: int = 1) -> int:
    """Return the minutes to request: rounded up, at least five, times the number of the attempt.

    Backfilling schedulers start short jobs earlier, but less than five minutes makes no difference.
    """
    return attempt * max(5, math.ceil(seconds / 60))
