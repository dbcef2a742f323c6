"""PCA of windows of any width straight from the recordings: block Lanczos on products by FFT.

Neither the features nor their covariance are computed. The covariance is multiplied with a few
columns at a time. The adjoint of the wavelet transform maps the columns to samples. Their
correlation with the signal gives the scores of all windows, and the correlation of the scores with
the signal gives a window for each column (`memwave.pca.lags.signal.products`). The wavelet
transform maps this window to features.
"""

from collections.abc import Callable

import numpy as np

from memwave.core.precision import compute_dtype, require_no_overflow
from memwave.core.ranges import spans
from memwave.core.workers import started_pool
from memwave.features.feature_map import FeatureMap, map_bytes
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import SignalWindows, windows_of
from memwave.pca.lags.signal.moments import SignalMoments, measure, moment_bytes
from memwave.pca.lags.signal.products import Chunks, SignalProducts
from memwave.pca.lags.signal.rounding import covariance_rounding
from memwave.pca.lags.signal.sizes import (
    KEPT_BYTES,
    MOST_COLUMNS,
    chunk_of,
    columns_together,
    fourier_length,
    product_bytes,
    thread_bytes,
)
from memwave.pca.linalg.krylov.block_lanczos import Product, Space, leading_eigenpairs, space_bytes
from memwave.pca.model import Model, from_eigenpairs, pairs_for
from memwave.pca.solvers import Work

LIBRARIES = ("scipy.fft",)
OPTIONS: dict[str, dict] = {
    "random_state": {
        "type": "integer",
        "minimum": 0,
        "default": 0,
        "description": "Seed of the random start.",
    },
    "tolerance": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1e-6,
        "description": "Stop once no explained variance can be further from an eigenvalue than "
        "this share of the largest, measured in double precision.",
    },
    "passes": {
        "type": "integer",
        "minimum": 1,
        "default": 200,
        "description": "Largest number of passes over the recordings.",
    },
    "columns": {
        "type": ["integer", "null"],
        "minimum": 1,
        "default": None,
        "description": "Vectors in memory at once, at least n_components + 16. With more vectors, "
        "fewer passes are needed. null: three times n_components, at least 64.",
    },
}

# Columns of a block. Wider blocks read the recordings less often, but need more products in total.
# 16 columns were the fastest on windows of 7 and of 64 channels.
WIDTH = 16

# Passes that recordings of several kinds took to a tolerance of 1e-5, in blocks of 16 columns, and
# two for others: a constant, and a number for each component.
USUAL_PASSES, PASSES_PER_COMPONENT = 8, 0.15


class Solver:
    """Leading eigenpairs of the covariance matrix of unrounded features."""

    ONE_PASS = False
    FROM_SIGNAL = True

    def __init__(self, spec: FeatureSpec, settings: dict):
        self._spec, self._settings = spec, settings
        self._dtype = compute_dtype(settings["compute_dtype"], spec.dtype)

    def fit(
        self, chunks: Chunks, threads: int, report: Callable[[str], None] = lambda text: None
    ) -> Model:
        """Fit the recordings.

        Parameters
        ----------
        chunks : callable
            ``chunks(n)`` reads all rows that windows cover, in chunks, shape (m, n_channels),
            of at most n windows each.
        threads : int
            Number of threads; the result does not depend on it, to the bit.
        report : callable
            Called with a message after every pass.
        """
        spec, settings, k = self._spec, self._settings, self._settings["n_components"]
        standardize = settings["standardize"]
        moments = measure(spec, chunks(chunk_of(windows_of(spec))), standardize=standardize)
        require_no_overflow(moments.squares, moments.mean_square)
        scale = moments.standard_deviations if standardize else None
        unit = moments.unit if scale is None else 1.0
        enough = enough_of(settings, moments.total_variance / unit**2)
        room, seed = most_vectors(settings), settings["random_state"]
        space = Space(spec.n_features, k, WIDTH, room, seed, enough)
        with started_pool(threads) as pool:
            dtypes = ["float32", "float64"] if self._dtype == "float32" else ["float64"]
            scatters = [
                SignalProducts(
                    windows_of(spec), moments, chunks, dtype, pool, keep=dtype == dtypes[0]
                )
                for dtype in dtypes
            ]
            products = [self._product(moments, scatter, scale) for scatter in scatters]
            if len(products) > 1:
                products[1] = _after(scatters[0].forget, products[1])
            pairs, done = leading_eigenpairs(
                products,
                space,
                k,
                tolerance=settings["tolerance"],
                passes=settings["passes"],
                report=report,
            )
        pairs.images *= unit**2
        vectors = pairs.vectors.copy()  # the other vectors of the space are freed
        del space, pairs.vectors
        rounding = covariance_rounding(spec, moments)
        smallest = 1.0 if scale is None else float(scale.min())
        return from_eigenpairs(
            pairs.values * unit**2,
            vectors.T,
            pairs.images.T,
            mean=moments.feature_mean(),
            total_variance=moments.total_variance,
            n_samples=moments.count,
            solver="lag-randomized",
            notes={"passes": done, "columns": WIDTH},
            scale=scale,
            rounding=rounding * (moments.unit / smallest) ** 2,
        )

    def _product(
        self, moments: SignalMoments, scatter: SignalProducts, scale: np.ndarray | None
    ) -> Product:
        """Multiply rows with the covariance of the features, in squares of `SignalMoments.unit`.

        Where `scale` is given, with their correlations.
        """
        features = FeatureMap(self._spec)
        share = 1.0 / (moments.count - 1)
        scale = None if scale is None else scale / moments.unit
        together = columns_together(windows_of(self._spec), scatter.dtype.itemsize)

        def multiply(vectors: np.ndarray) -> np.ndarray:
            images = np.empty_like(vectors)
            for low, high in spans(0, len(vectors), together):
                rows = vectors[low:high] if scale is None else vectors[low:high] / scale
                product = scatter.multiply(features.windows(rows.T.astype(scatter.dtype)))
                images[low:high] = features.features(product).T
            images *= share if scale is None else share / scale
            return images

        return multiply


def _after(first: Callable[[], None], product: Product) -> Product:
    """Return a product that calls a function before."""

    def multiply(vectors: np.ndarray) -> np.ndarray:
        first()
        return product(vectors)

    return multiply


def enough_of(settings: dict, total: float) -> Callable[[np.ndarray], int]:
    """Return a function of Ritz values: how many pairs are wanted.

    Parameters
    ----------
    settings : dict
        Complete entry of ``models``; ``select`` may have a share of the variance.
    total : float
        Trace of the covariance, in the unit of the Ritz values.
    """
    k, fraction = settings["n_components"], settings.get("select", {}).get("fraction")
    if fraction is None:
        return lambda values: k
    return lambda values: pairs_for(values, total, fraction, k)


def most_vectors(settings: dict) -> int:
    """Most vectors in memory at once."""
    k = settings["n_components"]
    return max(k + WIDTH, settings["columns"] or max(64, 3 * k))


def fit_bytes(spec: FeatureSpec, settings: dict) -> int:
    """Memory of the fit."""
    windows, d, k = windows_of(spec), spec.n_features, settings["n_components"]
    covered = windows.n_rows(chunk_of(windows))
    measuring = moment_bytes(spec, covered, standardize=settings["standardize"])
    iterating = space_bytes(d, WIDTH, most_vectors(settings), k)
    iterating += KEPT_BYTES + max(
        max(product_bytes(windows, *slice_), map_bytes(spec, *slice_))
        for slice_ in slices(windows, k)
    )
    return max(measuring, iterating, 8 * 7 * k * d) + 8 * 4 * (spec.window * spec.n_channels + d)


def worker_bytes(spec: FeatureSpec, settings: dict) -> int:
    """Additional memory of each thread."""
    windows = windows_of(spec)
    k = min(settings["n_components"], MOST_COLUMNS)
    return max(thread_bytes(windows, *slice_) for slice_ in slices(windows, k))


def slices(windows: SignalWindows, k: int) -> list[tuple[int, int]]:
    """Columns multiplied at once, and bytes of a value: in a pass, and for the final residuals."""
    widths = ((WIDTH, 4), (WIDTH, 8), (k, 8))
    return [(min(width, columns_together(windows, size)), size) for width, size in widths]


def work(spec: FeatureSpec, n_rows: int, settings: dict) -> Work:
    """Fourier transforms and products of spectra, a few for each block, and of the space."""
    windows, d, k = windows_of(spec), spec.n_features, settings["n_components"]
    blocks = min(settings["passes"], USUAL_PASSES + PASSES_PER_COMPONENT * k)
    if windows.by_fourier:
        length = fourier_length(windows)
        # Fourier transforms run at a sixth of the rate of decompositions.
        transforms = 6 * 2.5 * length * np.log2(length) * (windows.width + 2 * WIDTH)
        spectra = 8.0 * length * windows.width * WIDTH
        a_window = (transforms + spectra) / chunk_of(windows)
    else:
        a_window = 4.0 * windows.n_values * WIDTH
    filters = 40.0 * spec.filter_length * (windows.n_values + d) * WIDTH
    space = 8.0 * d * most_vectors(settings) * WIDTH
    return Work(0, 0.0, (blocks + 2 * k / WIDTH) * (n_rows * a_window + filters + space))


def guarantee(tolerance: float) -> dict | None:
    """It iterates until the computed residuals are small enough."""
    return {"tolerance": tolerance}
