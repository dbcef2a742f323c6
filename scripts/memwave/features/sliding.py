"""Wavelet features of many overlapping windows at once.

Neighbouring windows share samples, so they share coefficients. Away from the edges of a window, a
coefficient is an entry of the undecimated transform of the signal (algorithme a trous; Mallat, A
Wavelet Tour of Signal Processing, 3rd ed., section 5.2). This transform is computed once for a
chunk of signal and converted to the stored dtype once. Then its entries are *gathered* into the
rows at the cost of a copy. Coefficients at the edges are computed by PyWavelets from surrogate
windows, which contain only the two ends of each window. If windows share too few samples,
PyWavelets transforms the complete windows.
"""

from collections.abc import Iterator
from math import gcd

import numpy as np
import pywt
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from memwave.core.ranges import spans
from memwave.features.spec import Band, FeatureSpec, band_names

# Values of ends of windows that are transformed at once where only their squares are wanted.
EDGE_VALUES = 1_000_000


class MeanSquare:
    """Running mean square of values."""

    def __init__(self) -> None:
        self._total, self._count = 0.0, 0

    def add(self, values: np.ndarray) -> None:
        self._total += float(np.vecdot(values, values).sum())
        self._count += values.size

    @property
    def root(self) -> float:
        """Root mean square of all values; 0 if there are none."""
        return (self._total / max(self._count, 1)) ** 0.5


class FeatureBlocks:
    """Computes blocks of features from chunks of recordings.

    Parameters
    ----------
    spec : FeatureSpec
        The features to compute.

    Attributes
    ----------
    samples, coefficients : MeanSquare
        Of all samples so far, and of the distinct coefficients that `fill` computed from them.

    Notes
    -----
    Memory is that of one chunk of signal and a few transforms of it; see `working_bytes`.
    """

    def __init__(self, spec: FeatureSpec):
        self.spec = spec
        self._wavelet = pywt.Wavelet(spec.wavelet)
        self._finite = True
        self._surrogate = surrogate_length(spec)
        self.samples, self.coefficients = MeanSquare(), MeanSquare()

    def fill(self, rows: np.ndarray, out: np.ndarray) -> bool:
        """Compute the features of consecutive windows.

        Parameters
        ----------
        rows : ndarray, shape (rows of the windows, n_channels)
            See `PreparedRecording.read_windows`; finite, of any real dtype.
        out : ndarray, shape (n_windows, n_features), dtype of the stored features
            Output buffer. A value that overflows the dtype becomes infinite.

        Returns
        -------
        bool
            True if all features are finite. Each distinct coefficient is checked once, not each
            copy of it, and some coefficients belong to no row. If False, check the rows.
        """
        self._finite = True
        signals = self._signals(rows)
        with np.errstate(over="ignore"):
            self.samples.add(signals)
            if self._surrogate is None:
                self._transform_windows(self._windows(signals, len(out)), out)
            else:
                for transform, band, columns in self._undecimated_bands(signals):
                    self._gather(transform, band, columns, out)
                for columns, coefficients in self._edges(signals, len(out)):
                    out[:, columns] = self._stored(coefficients)
        return self._finite

    def squared_lengths(self, rows: np.ndarray, count: int) -> np.ndarray:
        """Return the sum of the squares of all features of each window, by cumulative sums.

        Parameters
        ----------
        rows : ndarray, shape (rows that the windows cover, n_channels)
            See `fill`.
        count : int
            Number of windows. `surrogate_length` must not be None for the feature set.

        Returns
        -------
        ndarray, shape (count,), float64
            Of the features before rounding to the stored type.
        """
        signals, total = self._signals(rows), np.zeros(count)
        for transform, band, _ in self._undecimated_bands(signals):
            width = band.length - band.left - band.right
            for windows, phase, first, hop in self._places(transform, band, count):
                cumulative = np.concatenate([[0.0], np.cumsum(phase * phase)])
                begins = first + hop * np.arange(len(total[windows]))
                total[windows] += cumulative[begins + width] - cumulative[begins]
        # Both ends of all windows may have more values than the chunk itself.
        stride = self.spec.step * self.spec.samples_per_row
        for low, high in spans(0, count, edge_windows(self.spec)):
            for _, coefficients in self._edges(signals[:, low * stride :], high - low):
                total[low:high] += np.vecdot(coefficients, coefficients)
        return total

    def _stored(self, coefficients: np.ndarray) -> np.ndarray:
        """Convert coefficients to the stored type and check for overflow."""
        self.coefficients.add(coefficients)
        stored = coefficients.astype(self.spec.dtype)
        self._finite = self._finite and bool(np.isfinite(stored).all())
        return stored

    def _signals(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of a recording as float64 signals, shape (n_signals, samples)."""
        if self.spec.interleaved:
            return rows.reshape(1, -1).astype(np.float64)
        return np.ascontiguousarray(rows.T, dtype=np.float64)

    def _windows(self, signals: np.ndarray, count: int) -> np.ndarray:
        """Return a view of the windows, shape (n_signals, n_windows, n_samples)."""
        stride = self.spec.windows.distance * self.spec.samples_per_row
        return sliding_window_view(signals, self.spec.n_samples, axis=1)[:, ::stride][:, :count]

    def _transform_windows(self, windows: np.ndarray, out: np.ndarray) -> None:
        spec = self.spec
        bands = self._decompose(windows)
        for signal, band, columns in spec.columns():
            out[:, columns] = self._stored(bands[band.name][signal])

    def _decompose(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """Decompose along the last axis by PyWavelets; return bands by their names."""
        level = self.spec.level
        parts = pywt.wavedec(windows, self._wavelet, mode=self.spec.mode, level=level, axis=-1)
        return dict(zip(band_names(level), parts, strict=True))

    def _edges(self, signals: np.ndarray, count: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the coefficients at the edges of every window, with their columns."""
        spec = self.spec
        if not has_edges(spec):
            return
        assert self._surrogate is not None
        windows = self._windows(signals, count)
        head = edge_samples(spec)
        tail = self._surrogate - head
        ends = np.concatenate([windows[..., :head], windows[..., -tail:]], axis=-1)
        bands = self._decompose(ends)
        for signal, band, columns in spec.columns():
            coefficients = bands[band.name][signal]
            if band.left:
                left = slice(columns.start, columns.start + band.left)
                yield left, coefficients[:, : band.left]
            if band.right:
                right = slice(columns.stop - band.right, columns.stop)
                yield right, coefficients[:, -band.right :]

    def _undecimated_bands(self, signals: np.ndarray) -> Iterator[tuple[np.ndarray, Band, slice]]:
        """Yield the undecimated transform of every signal and band, with its columns."""
        approximation = signals
        for level in range(1, self.spec.level + 1):
            for signal, band, columns in self._columns_of(level, "d"):
                yield undecimated(approximation[signal], self._wavelet.dec_hi, level), band, columns
            if level < self.spec.level or self._columns_of(level, "a"):
                approximation = np.stack(
                    [undecimated(s, self._wavelet.dec_lo, level) for s in approximation]
                )
        for signal, band, columns in self._columns_of(self.spec.level, "a"):
            yield approximation[signal], band, columns

    def _columns_of(self, level: int, kind: str) -> list[tuple[int, Band, slice]]:
        return [row for row in self.spec.columns() if row[1].name == f"{kind}{level}"]

    def _gather(self, transform: np.ndarray, band: Band, columns: slice, out: np.ndarray) -> None:
        """Copy the interior coefficients of every window from an undecimated transform."""
        stored = self._stored(transform)
        interior = slice(columns.start + band.left, columns.stop - band.right)
        for windows, phase, first, hop in self._places(stored, band, len(out)):
            rows = out[windows, interior]
            strides = (hop * stored.itemsize, stored.itemsize)
            rows[:] = as_strided(phase[first:], rows.shape, strides, writeable=False)

    def _places(
        self, transform: np.ndarray, band: Band, count: int
    ) -> Iterator[tuple[slice, np.ndarray, int, int]]:
        """Locate the interior coefficients of every window in an undecimated transform.

        ``transform[t]`` is the coefficient whose oldest sample is ``t``. The transform is split by
        ``t`` modulo ``2 ** level`` into phases, in which the coefficients of a window are
        contiguous.

        Yields
        ------
        windows : slice
            Windows whose coefficients are in the same phase.
        phase : ndarray
            Every ``2 ** level``-th entry of `transform`.
        first, hop : int
            Index in `phase` of the first coefficient of the first of these windows, and the
            distance to that of the next one.
        """
        spec, spacing = self.spec, 2**band.level
        stride = spec.step * spec.samples_per_row
        phases = [np.ascontiguousarray(transform[phase::spacing]) for phase in range(spacing)]
        period = spacing // gcd(stride, spacing)
        oldest = (spacing - 1) * (spec.filter_shift - (spec.filter_length - 1))
        for turn in range(min(period, count)):
            begin = turn * stride + oldest + band.left * spacing
            phase = phases[begin % spacing]
            yield slice(turn, count, period), phase, begin // spacing, stride * period // spacing


def undecimated(signal: np.ndarray, taps: list[float], level: int) -> np.ndarray:
    """Compute one level of the undecimated transform, without extension of the signal.

    Parameters
    ----------
    signal : ndarray, shape (n,)
        Undecimated approximation of level ``level - 1`` (the signal itself for level 1).
    taps : list of float
        Decomposition filter.
    level : int
        Level of the result. The taps are ``2 ** (level - 1)`` samples apart.

    Returns
    -------
    ndarray, shape (max(0, n - (len(taps) - 1) * 2 ** (level - 1)),)
        Entry t depends on entry t of the signal and later ones.
    """
    spacing = 2 ** (level - 1)
    length = max(0, len(signal) - (len(taps) - 1) * spacing)
    total = np.zeros(length)
    scaled = np.empty(length)
    for i, tap in enumerate(reversed(taps)):
        np.multiply(signal[i * spacing : i * spacing + length], tap, out=scaled)
        total += scaled
    return total


def edge_samples(spec: FeatureSpec) -> int:
    """Return how many samples at each end of a window determine all coefficients at that end.

    Coefficient i of level j needs at most 2 i + filter length coefficients of level j - 1. No
    extension mode reads more than one filter length of samples inside the window.
    """
    needed = spec.filter_length
    for _ in range(spec.level):
        needed = 2 * needed + spec.filter_length
    return needed


def surrogate_length(spec: FeatureSpec) -> int | None:
    """Return the number of samples of a surrogate window, which joins both ends of a window.

    It equals the length of the window modulo ``2 ** level``. So every level has the same parity as
    for the window, and all extension modes, also periodic ones, give the same coefficients.

    Returns
    -------
    int or None
        None if surrogate windows save nothing: windows do not overlap, or are not longer than
        their surrogates.
    """
    ends = 2 * edge_samples(spec)
    length = ends + (spec.n_samples - ends) % 2**spec.level
    if length >= spec.n_samples or spec.step >= spec.window:
        return None
    return length


def edge_windows(spec: FeatureSpec) -> int:
    """Windows whose edges are computed at once where only their squares are wanted."""
    return max(1, EDGE_VALUES // (spec.n_signals * (surrogate_length(spec) or spec.n_samples)))


def square_bytes(spec: FeatureSpec, covered: int) -> int:
    """Memory of `FeatureBlocks.squared_lengths` for a chunk of `covered` rows, with the chunk."""
    ends = spec.n_signals * ((surrogate_length(spec) or spec.n_samples) + 2 * spec.filter_length)
    at_once = max(ends, min(EDGE_VALUES, covered * ends)) if has_edges(spec) else 0
    return 8 * (8 * covered * spec.n_channels + 6 * at_once)


def has_edges(spec: FeatureSpec) -> bool:
    """Whether some coefficients depend on the extension of a window at its ends."""
    return any(band.left or band.right for band in spec.band_table)


def working_bytes(spec: FeatureSpec, block_rows: int) -> int:
    """Anonymous memory, in bytes, of `FeatureBlocks.fill` for a block of `block_rows` windows."""
    samples = spec.windows.n_read(block_rows) * spec.n_channels
    surrogate = surrogate_length(spec)
    ends = spec.n_samples if surrogate is None else surrogate
    # Eight float64 copies of the chunk: rows as read, signals, two approximations, a transform with
    # scratch, both stored forms. PyWavelets copies its input and returns all levels.
    windows = block_rows * spec.n_signals * (ends + 2 * spec.filter_length)
    # The search for an overflow needs two bytes per feature.
    return 8 * (8 * samples + 5 * windows) + 2 * block_rows * spec.n_features
