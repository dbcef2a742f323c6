"""Exact PCA straight from the recordings: the features' covariance from the signal's lag sums.

Overlapping windows repeat the same products (`memwave.pca.lags.lags`), and wavelet features are
linear in the window (`memwave.features.wavelet`). So the covariance of the features of all windows
is the two-sided transform of a matrix that follows from a few sums over the signal. No feature is
computed, and the cost hardly depends on the number of windows.
"""

import numpy as np

from memwave.core.workers import share
from memwave.features.spec import FeatureSpec
from memwave.features.wavelet import transform_windows
from memwave.pca.lags.lags import BATCH_SEGMENTS, LagSums, sum_bytes, sums_rounding, windows_of
from memwave.pca.lags.window_products import add_feature_products, product_bytes, sample_sums
from memwave.pca.linalg.short_products import gamma
from memwave.pca.linalg.triangle import Part, triangle_size
from memwave.pca.model import Model
from memwave.pca.solvers import Work
from memwave.pca.solvers.covariance import (
    Scatter,
    decomposition_bytes,
    decomposition_work,
    model_of,
)

OPTIONS: dict[str, dict] = {}
LIBRARIES = ("scipy.linalg", "scipy.sparse")

# A feature whose variance is less than this share of the signal's is treated as constant, so that
# `standardize` does not amplify rounding.
CONSTANT = 1e-13


class Solver:
    """Leading eigenpairs of the covariance matrix of unrounded features; exact up to rounding."""

    ONE_PASS = True
    FROM_SIGNAL = True
    SHARES_FINISH = True

    def __init__(self, spec: FeatureSpec, settings: dict):
        self._spec, self._k = spec, settings["n_components"]
        self._standardize: bool = settings["standardize"]
        self._squares = np.zeros(windows_of(spec).width)  # sums of squares of the long rows
        self._pending = LagSums.none(windows_of(spec))
        self._total: Scatter | None = None

    def merge(self, sums: LagSums) -> None:
        """Add segments, at most `BATCH_SEGMENTS`. They are merged in the order of the shards."""
        if len(self._pending.counts) + len(sums.counts) > BATCH_SEGMENTS:
            self._unroll()
        self._pending.add(sums)
        self._squares += sums.lags[0].diagonal()

    def _unroll(self) -> None:
        sums, self._pending = self._pending, LagSums.none(windows_of(self._spec))
        scatter = scatter_of(self._spec, sums)
        if self._total is None:
            self._total = scatter
        else:
            self._total.merge(scatter)

    def finish(self) -> Model:
        """Return the model. The solver cannot be used afterwards."""
        self._unroll()
        assert self._total is not None
        total, self._total = self._total, None
        scale = self._standard_deviations(total) if self._standardize else None
        if scale is not None:
            total.products.divide(scale)
            total.rounding /= float(scale.min()) ** 2
        return model_of(total, self._k, "lag-covariance", scale)

    def _standard_deviations(self, scatter: Scatter) -> np.ndarray:
        """Standard deviations of the features, shape (d,); 1 where the variance is rounding."""
        squares = scatter.products.diagonal()
        rounding = CONSTANT * float(self._squares.max())
        variances = np.where(squares > rounding, squares, 1.0) / (scatter.count - 1)
        return np.where(squares > rounding, np.sqrt(variances), 1.0)


def scatter_of(spec: FeatureSpec, sums: LagSums) -> Scatter:
    """Count, mean and scatter matrix of the features of all windows in lag sums.

    Each segment has its own shift, so that its products are taken near its mean. The differences
    of the means are corrected for as in a merge of shards.
    """
    counts = sums.counts[:, None]
    samples = sample_sums(sums) / counts
    offsets = transform_windows(spec, samples)
    constant = transform_windows(spec, np.tile(sums.shifts, spec.window))
    means = constant + offsets
    mean = (counts * means).sum(axis=0) / counts.sum()
    corrections = np.concatenate([offsets, means - mean])
    weighted = np.concatenate([-counts * offsets, counts * (means - mean)])
    scatter = Scatter(mean, "float64")
    scatter.count = int(counts.sum())
    gain, squares = add_feature_products(
        scatter.products, sums, lambda rows: transform_windows(spec, rows)
    )
    rounding = sums_rounding(sums) + gamma(2 * spec.filter_length * spec.level, "float64")
    scatter.rounding = gain * squares * rounding
    scatter.moved = float(np.sqrt(gain * squares / scatter.count)) * rounding

    def correct(part: Part) -> None:
        start, stop, low, high, values = part
        values += weighted[:, start:stop].T @ corrections[:, low:high]

    share(correct, scatter.products.parts())
    return scatter


def summary_bytes(spec: FeatureSpec) -> int:
    """Memory of summing over segments of recordings, and of the sums of `BATCH_SEGMENTS`."""
    return sum_bytes(windows_of(spec)) + 2 * batch_bytes(spec)


def batch_bytes(spec: FeatureSpec) -> int:
    """Memory of the sums of `BATCH_SEGMENTS` segments."""
    windows = windows_of(spec)
    ends = 2 * (windows.depth - 1) * windows.width
    lags = windows.depth * windows.width**2
    return 8 * (BATCH_SEGMENTS * (ends + windows.width + spec.n_channels + 1) + lags)


def held_bytes(spec: FeatureSpec) -> int:
    """Memory of what is merged so far, while further segments are summed: scatter and sums."""
    return 8 * triangle_size(spec.n_features) + 2 * batch_bytes(spec)


def fit_bytes(spec: FeatureSpec, settings: dict) -> int:
    """Memory of unrolling sums beside the scatter so far, or of computing the eigenpairs."""
    windows, d = windows_of(spec), spec.n_features
    segments = 4 * batch_bytes(spec) + 8 * BATCH_SEGMENTS * (8 * d + 4 * windows.n_values)
    unrolling = product_bytes(windows, d) + 2 * 8 * triangle_size(d)
    return segments + max(unrolling, decomposition_bytes(d, settings["n_components"]))


def work(spec: FeatureSpec, n_rows: int, settings: dict) -> Work:
    """Sums over the signal, the two-sided transform, and eigenpairs.

    Fourier transforms and filters run at the rate of decompositions rather than of products. The
    filters spend ten times as long on moving memory as on arithmetic.
    """
    windows, d = windows_of(spec), spec.n_features
    if windows.by_fourier:
        length = windows.fourier_length
        spectra = 4 * length * windows.width**2 + 10 * length * windows.width * np.log2(length)
        sums = spectra / windows.chunk
    else:
        sums = 2.0 * windows.depth * windows.width**2
    transforms = 40.0 * spec.filter_length * windows.n_values * (windows.n_values + d)
    at_the_end = transforms + decomposition_work(d, settings["n_components"])
    return Work(reads=0, products=0.0, dense=n_rows * sums + at_the_end)


def guarantee(tolerance: float) -> dict | None:
    """The result is always exact up to rounding."""
    return {}
