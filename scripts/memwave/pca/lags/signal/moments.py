"""Count, mean and total variance of the features of all windows, straight from the signal.

A fit that only multiplies with the covariance needs them in addition to its products. Each chunk
of a recording is summed about its own mean, and chunks are merged as shards are (Chan, Golub and
LeVeque 1983, equation 2.1b). So offsets and drifts cost no digits.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from memwave.core.moments import Moments, moments_bytes
from memwave.core.ranges import spans
from memwave.features.feature_map import FeatureMap, map_bytes
from memwave.features.sliding import FeatureBlocks, square_bytes, surrogate_length, working_bytes
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import windows_of

# Size of the blocks of features that are computed if the signal alone is not enough.
BLOCK_BYTES = 32_000_000

# With `standardize`, a feature whose variance is less than this share of the signal's is treated as
# constant: it consists of rounding.
CONSTANT = 1e-13


class SignalMoments:
    """Moments of windows and of their features.

    Parameters
    ----------
    spec : FeatureSpec
    standardize : bool
        Whether the variance of each feature is wanted.

    Attributes
    ----------
    count : int
        Windows.
    window : ndarray, shape (window * n_channels,), float64
        Their mean, less `center`.
    center : ndarray, shape (n_channels,), float64
        Mean of the rows of the first chunk.
    squares : float
        Sum of the squared distances of all features from their mean.
    chunks : int
    energy : float
        Bound of the sum over all windows of the squares that a score is as exact as: of all
        values of the chunk about its mean, or of those of the window.
    """

    def __init__(self, spec: FeatureSpec, *, standardize: bool):
        self._spec, self._windows, self._map = spec, windows_of(spec), FeatureMap(spec)
        self._standardize = standardize
        self._by_signal = overlaps_much(spec) and not standardize
        self._blocks = FeatureBlocks(replace(spec, dtype="float64"))
        self._features = None if self._by_signal else Moments(spec.n_features)
        self._power, self._rows = np.zeros(spec.n_channels), 0
        self.chunks, self.energy, self._apart = 0, 0.0, 0.0
        self.count, self.squares = 0, 0.0
        self.window = np.zeros(spec.window * spec.n_channels)
        self.center = np.zeros(spec.n_channels)

    def update(self, rows: np.ndarray) -> None:
        """Add the rows, shape (m, n_channels), that some windows cover."""
        shift = rows.mean(axis=0, dtype=np.float64)
        if not self.count:
            self.center = shift
        shifted = rows - shift
        n = (len(rows) - self._windows.window) // self._windows.step + 1
        mean = self._mean_window(shifted, n)
        squares = self._squares(rows, shifted, n, mean)
        whole = mean + np.tile(shift - self.center, self._spec.window)
        power = np.einsum("ij,ij->j", shifted, shifted)
        self._power += power
        self._rows += len(rows)
        self.chunks += 1
        # By Fourier transform, every score is as exact as the whole chunk allows.
        least, most = sorted((n, self._windows.depth))
        self.energy += (most if self._windows.by_fourier else least) * float(power.sum())
        self._apart += n * self._spec.window * float(np.sum((shift - self.center) ** 2))
        self._merge(n, whole, squares)

    def _merge(self, n: int, mean: np.ndarray, squares: float) -> None:
        total = self.count + n
        difference = mean - self.window
        if self._by_signal:
            moved = self._map.features(difference[:, None])[:, 0]
            self.squares += squares + self.count * n / total * float(moved @ moved)
        self.window = self.window + difference * (n / total)
        self.count = total

    def _mean_window(self, shifted: np.ndarray, n: int) -> np.ndarray:
        """Mean of the n windows of a chunk, by running sums."""
        windows = self._windows
        signal = windows.long_rows(shifted)
        sums = np.empty((windows.depth, windows.width))
        sums[0] = signal[:n].sum(axis=0)
        # From one row of a window to the next, one long row leaves the sum, and one enters.
        np.subtract(signal[n : n + windows.depth - 1], signal[: windows.depth - 1], out=sums[1:])
        np.cumsum(sums, axis=0, out=sums)
        return (sums / n).ravel()[: len(self.window)]

    def _squares(self, rows: np.ndarray, shifted: np.ndarray, n: int, mean: np.ndarray) -> float:
        if self._by_signal:
            lengths = float(self._blocks.squared_lengths(shifted, n).sum())
            features = self._map.features(mean[:, None])[:, 0]
            return max(0.0, lengths - n * float(features @ features))
        assert self._features is not None
        size = feature_rows(self._spec)
        for low, high in spans(0, n, size):
            start, stop = self._windows.rows(low, high - low)
            block = np.empty((high - low, self._spec.n_features))
            own = self._spec.windows.without_gaps(rows[start:stop], high - low)
            self._blocks.fill(own - self.center, block)
            self._features.update(block)
        self.squares = float(self._features.squares.sum())
        return 0.0

    @property
    def offsets(self) -> float:
        """Sum over all windows of the squares of the means of their chunks, and of all."""
        return self._apart + self.count * float(self.window @ self.window)

    def feature_mean(self) -> np.ndarray:
        """Mean of the features, shape (d,), float64."""
        mean = self.window + np.tile(self.center, self._spec.window)
        return self._map.features(mean[:, None])[:, 0]

    @property
    def total_variance(self) -> float:
        """Trace of the covariance of the features, after standardization if that is chosen."""
        squares = self.squares
        if self._standardize:
            assert self._features is not None
            squares = float((self._features.squares / self.standard_deviations**2).sum())
        return squares / (self.count - 1)

    @property
    def standard_deviations(self) -> np.ndarray:
        """Standard deviations of the features, shape (d,); 1 where the variance is rounding."""
        assert self._features is not None
        variances = self._features.squares / (self.count - 1)
        real = variances > CONSTANT * self.mean_square
        return np.where(real, np.sqrt(np.where(real, variances, 1.0)), 1.0)

    @property
    def unit(self) -> float:
        """The power of two nearest to the root mean square of the channel that varies most."""
        mean_square = self.mean_square
        return float(2.0 ** round(np.log2(mean_square) / 2)) if mean_square > 0 else 1.0

    @property
    def mean_square(self) -> float:
        """Mean square of the channel that varies most, about its mean in each chunk."""
        return float(self._power.max()) / max(1, self._rows)


def overlaps_much(spec: FeatureSpec) -> bool:
    """Whether windows share most of their samples, and of their coefficients."""
    return windows_of(spec).by_fourier and surrogate_length(spec) is not None


def feature_rows(spec: FeatureSpec) -> int:
    """Windows whose features are computed at once."""
    return max(1, BLOCK_BYTES // (8 * spec.n_features))


def moment_bytes(spec: FeatureSpec, covered: int, *, standardize: bool) -> int:
    """Memory of adding a chunk of `covered` rows, including the chunk as it was read."""
    values, d = spec.window * spec.n_channels, spec.n_features
    if overlaps_much(spec) and not standardize:
        own = square_bytes(spec, covered)
    else:
        rows = feature_rows(spec)
        own = moments_bytes(d, rows) + working_bytes(spec, rows) + 8 * rows * d
    vectors = 8 * (6 * values + 4 * d) + map_bytes(spec, 1, 8)
    return 8 * 8 * covered * spec.n_channels + vectors + own


def measure(spec: FeatureSpec, chunks: Iterable[np.ndarray], *, standardize: bool) -> SignalMoments:
    """Moments of all windows in chunks; a chunk has all rows that some windows cover."""
    moments = SignalMoments(spec, standardize=standardize)
    for rows in chunks:
        moments.update(rows)
    return moments
