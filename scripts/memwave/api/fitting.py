"""Fitting a matrix in this process, by the code of the workflow's stages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
from threadpoolctl import OpenBLASController, threadpool_limits

from memwave.api.planning import FitPlan, block_of_projection, plan_fit, spec_of
from memwave.core.moments import Moments
from memwave.core.progress import Progress
from memwave.core.ranges import rows_per_block
from memwave.pca.diagnostics.certificate import error_bounds, residuals
from memwave.pca.model import Model
from memwave.pca.projection import Projector, moments_of_errors
from memwave.pca.solvers import feature_solvers, load_libraries, reads_columns, scales_itself
from memwave.pca.standardizer import Standardizer
from memwave.pca.streaming import blocks, fit_shards
from memwave.readers.matrices.matrix import Matrix

# Makes a progress bar of a number of rows and a label.
MakeProgress = Callable[[int, str], Progress]


# The limit is that of the process: it ends when the last of the threads that compute has finished.
_lock, _computing = Lock(), 0
_limits: threadpool_limits | None = None


@contextmanager
def computing() -> Iterator[None]:
    """Limit BLAS to one thread: the last bits of its sums depend on the number of threads.

    Only libraries that are loaded can be limited; SciPy brings a BLAS of its own. Several threads
    of a program may compute at the same time.
    """
    global _computing, _limits
    for name in feature_solvers():
        load_libraries(name)
    with _lock:
        limits = threadpool_limits(1)  # of this thread, where BLAS uses OpenMP
        _limits = _limits or limits
        _computing += 1
    try:
        yield
    finally:
        with _lock:
            _computing -= 1
            if not _computing and _limits is not None:
                _let_any_thread_limit()
                _limits.restore_original_limits()
                _let_any_thread_limit()
                _limits = None


def _let_any_thread_limit() -> None:
    """Release the limits from the thread that set them; threadpoolctl ties them since 3.8."""
    release = getattr(OpenBLASController, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)


@dataclass(frozen=True)
class Certificate:
    """Measured accuracy of a model on the rows of its fit.

    Attributes
    ----------
    residual : ndarray, shape (k,)
        ``||C v - l v||`` of each component v with explained variance l.
    bounds : ndarray, shape (k,)
        Bound of the error of each explained variance; nan if it was not measured.
    reconstruction_error : float
        Share of the variance that the components leave.
    residual_moments : ndarray, shape (3,), optional
        See `Model.residual_moments`.
    """

    residual: np.ndarray
    bounds: np.ndarray
    reconstruction_error: float
    residual_moments: np.ndarray | None = None


def fit_certified(
    matrix: Matrix, params: dict, bar: MakeProgress
) -> tuple[Model, Certificate | None]:
    """Fit a matrix as an estimator's parameters say, and measure the model if they say so.

    Parameters
    ----------
    matrix : Matrix
    params : dict
        Of `memwave.PCA`; those of the solver were checked (`planning.entry`).
    bar : callable
        Makes progress bars.
    """
    spec = spec_of(matrix)
    plan = plan_fit(params, spec, matrix.n_rows, matrix.shape[0])
    model = fit_matrix(
        matrix,
        plan,
        shards=plan.shards,
        threads=params["threads"],
        block_mb=params["block_mb"],
        bar=bar,
    )
    found = known_certificate(model)
    if found is None and params["certify"]:
        rows = block_of_projection(params, spec.n_features, "float64")
        found = measure_certificate(model, matrix, rows, bar)
        certify(model, found)
    return model, found


def certify(model: Model, found: Certificate) -> None:
    """Write into a model what was measured of it."""
    model.residual = found.residual
    if model.residual_moments is None:
        model.residual_moments = found.residual_moments


def fit_matrix(
    matrix: Matrix, plan: FitPlan, *, shards: int, threads: int, block_mb: float, bar: MakeProgress
) -> Model:
    """Fit a matrix.

    Parameters
    ----------
    matrix : Matrix
    plan : FitPlan
    shards : int
        Ranges of rows that it is cut into; bits of the model depend on their number.
    threads : int
        Shards read at once; no bit depends on it.
    block_mb : float
        Size of a block.
    bar : callable
        Makes progress bars.
    """
    ranges = matrix.ranges(shards)
    standardizer = None
    solver = plan.model["solver"]
    if plan.model["standardize"] and not scales_itself(solver):
        standardizer = Standardizer.of_moments(
            moments_of(matrix, shards, block_mb, bar), plan.dtype
        )
    progress = bar(matrix.n_rows, "fit, this pass")
    try:
        fitted = fit_shards(
            ranges,
            [[(0, part.shape[0])] for part in ranges],
            plan.model | {"select": plan.select},
            dtype=plan.dtype,
            block_rows=plan.block_rows,
            threads=threads if reads_columns(solver) else min(threads, len(ranges)),
            progress=progress,
            standardizer=standardizer,
        )
    finally:
        progress.close()
    return plan.selected(fitted)


def moments_of(matrix: Matrix, shards: int, block_mb: float, bar: MakeProgress) -> Moments:
    """Mean and standard deviation of every column, merged in the order of the shards."""
    total: Moments | None = None
    rows = rows_per_block(block_mb, matrix.shape[1], "float64")
    progress = bar(matrix.n_rows, "measure columns")
    try:
        for part in matrix.ranges(shards):
            moments = Moments(matrix.shape[1])
            whole = iter([(0, part.shape[0])])
            for block in blocks(part, whole, moments.mean, "float64", rows):
                moments.update(block)
                progress.add(len(block))
            if total is None:
                total = moments
            else:
                total.merge(moments)
    finally:
        progress.close()
    assert total is not None
    return total


def known_certificate(model: Model) -> Certificate | None:
    """Return what is known without a further read, if the solver had the covariance."""
    if model.residual is None:
        return None
    # The components are eigenvectors, so the variance of their scores is the explained variance.
    left = 1.0 - float(model.explained_variance_ratio.sum()) if model.total_variance > 0 else 0.0
    return Certificate(model.residual, model.error_bound, max(0.0, left))


def measure_certificate(
    model: Model, matrix: Matrix, block_rows: int, bar: MakeProgress
) -> Certificate:
    """Measure a model with one more read of its rows, in float64."""
    dtype = "float64"
    projector = Projector(model, dtype)
    (rows,) = matrix.ranges(1)
    progress = bar(matrix.n_rows, "certify")
    try:
        whole = iter([(0, rows.shape[0])])
        for block in blocks(rows, whole, projector.shift, dtype, block_rows, projector.load):
            projector.project(block, is_train=True)
            progress.add(len(block))
    finally:
        progress.close()
    return certificate_of(model, projector)


def certificate_of(model: Model, projector: Projector) -> Certificate:
    """Return the certificate from the sums over all rows of the fit."""
    assert projector.train is not None
    projector.train.center()
    norms, bounds = residuals(model, projector.train), error_bounds(model, projector.train)
    total, error = projector.error_sums[0]
    share = float(error / total) if total > 0 else 0.0
    return Certificate(norms, bounds, share, moments_of_errors(projector.errors))
