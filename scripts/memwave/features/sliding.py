"""Wavelet features of many overlapping windows at once.

Neighbouring windows share samples, so they share coefficients: away from a window's edges a
coefficient is an entry of the undecimated transform (algorithme a trous; Mallat, A Wavelet Tour of
Signal Processing, 3rd ed., section 5.2) of the signal. That transform is computed once for the
whole stretch of signal, brought to the stored dtype once, and *gathered* into the rows, which then
costs what copying costs. Coefficients at the edges come from PyWavelets itself, run on surrogate
windows that keep only both ends of each window. Where windows share nothing to speak of, PyWavelets
runs on the whole windows.
"""

from collections.abc import Iterator
from math import gcd

import numpy as np
import pywt
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from memwave.features.spec import Band, FeatureSpec, band_names


class MeanSquare:
    """Mean square of values that pass by."""

    def __init__(self) -> None:
        self._total, self._count = 0.0, 0

    def add(self, values: np.ndarray) -> None:
        self._total += float(np.vecdot(values, values).sum())
        self._count += values.size

    @property
    def root(self) -> float:
        """Root of the mean square; 0 before the first value."""
        return (self._total / max(self._count, 1)) ** 0.5


class FeatureBlocks:
    """Turns chunks of recordings into blocks of feature rows.

    Parameters
    ----------
    spec : FeatureSpec
        What to compute.

    Attributes
    ----------
    samples, coefficients : MeanSquare
        Of the chunks so far, and of the distinct coefficients that `fill` made of them.

    Notes
    -----
    Memory is that of one stretch of signal and a few transforms of it (`working_bytes`), never
    more than a block of rows.
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
        rows : ndarray, shape (rows that the windows cover, n_channels)
            See `Windows.rows`; finite, of any real dtype.
        out : ndarray, shape (n_windows, n_features), dtype of the stored features
            Filled. A value that the dtype cannot hold becomes infinite.

        Returns
        -------
        bool
            Whether all features are known to be finite. This looks at each distinct coefficient
            once, not at each copy of it; where it says False, the rows have to be looked at.
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
        """Sums of the squares of all features of a window, by running sums.

        Parameters
        ----------
        rows : ndarray, shape (rows that the windows cover, n_channels)
            See `fill`.
        count : int
            Windows, of a kind that `surrogate_length` has a length for.

        Returns
        -------
        ndarray, shape (count,), float64
            Of features that are not rounded to the type that they are stored in.
        """
        signals, total = self._signals(rows), np.zeros(count)
        for transform, band, _ in self._undecimated_bands(signals):
            width = band.length - band.left - band.right
            for windows, phase, first, hop in self._places(transform, band, count):
                upto = np.concatenate([[0.0], np.cumsum(phase * phase)])
                begins = first + hop * np.arange(len(total[windows]))
                total[windows] += upto[begins + width] - upto[begins]
        for _, coefficients in self._edges(signals, count):
            total += np.vecdot(coefficients, coefficients)
        return total

    def _stored(self, coefficients: np.ndarray) -> np.ndarray:
        """Coefficients in the type that they are stored in, watched for overflow."""
        self.coefficients.add(coefficients)
        stored = coefficients.astype(self.spec.dtype)
        self._finite = self._finite and bool(np.isfinite(stored).all())
        return stored

    def _signals(self, rows: np.ndarray) -> np.ndarray:
        """The stretch as float64 signals, shape (n_signals, samples)."""
        if self.spec.interleaved:
            return rows.reshape(1, -1).astype(np.float64)
        return np.ascontiguousarray(rows.T, dtype=np.float64)

    def _windows(self, signals: np.ndarray, count: int) -> np.ndarray:
        """View of the windows, shape (n_signals, n_windows, n_samples)."""
        stride = self.spec.step * self.spec.samples_per_row
        return sliding_window_view(signals, self.spec.n_samples, axis=1)[:, ::stride][:, :count]

    def _transform_windows(self, windows: np.ndarray, out: np.ndarray) -> None:
        spec = self.spec
        bands = self._decompose(windows)
        for signal, band, columns in spec.columns():
            out[:, columns] = self._stored(bands[band.name][signal])

    def _decompose(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """PyWavelets' decomposition along the last axis, by the names of the bands."""
        level = self.spec.level
        parts = pywt.wavedec(windows, self._wavelet, mode=self.spec.mode, level=level, axis=-1)
        return dict(zip(band_names(level), parts, strict=True))

    def _edges(self, signals: np.ndarray, count: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Coefficients at the edges of every window, with the columns that they belong to."""
        spec = self.spec
        if not any(band.left or band.right for band in spec.band_table):
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
        """Undecimated transform of every signal and band, with its columns."""
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
        """Copy the interior coefficients of every window out of an undecimated transform."""
        stored = self._stored(transform)
        interior = slice(columns.start + band.left, columns.stop - band.right)
        for windows, phase, first, hop in self._places(stored, band, len(out)):
            rows = out[windows, interior]
            strides = (hop * stored.itemsize, stored.itemsize)
            rows[:] = as_strided(phase[first:], rows.shape, strides, writeable=False)

    def _places(
        self, transform: np.ndarray, band: Band, count: int
    ) -> Iterator[tuple[slice, np.ndarray, int, int]]:
        """Where the interior coefficients of every window stand in an undecimated transform.

        ``transform[t]`` is the coefficient whose oldest sample is ``t``. Split by ``t`` modulo
        ``2 ** level``, the coefficients of one window are neighbours in memory.

        Yields
        ------
        windows : slice
            Some of the windows.
        phase : ndarray
            Every ``2 ** level``-th entry of `transform`.
        first, hop : int
            Where the coefficients of the first of them begin in it, and how much further on those
            of the next one.
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
    """One step of the undecimated transform, without extension.

    Parameters
    ----------
    signal : ndarray, shape (n,)
        Undecimated approximation of level ``level - 1`` (the signal itself for level 1).
    taps : list of float
        Decomposition filter.
    level : int
        Level of the result: the taps stand ``2 ** (level - 1)`` samples apart.

    Returns
    -------
    ndarray, shape (max(0, n - (len(taps) - 1) * 2 ** (level - 1)),)
        Entry t reads signal entries from t on.
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
    """Samples at either end of a window that decide all coefficients at that end.

    A coefficient of level j needs twice its index and a filter length more of level j - 1; no
    extension mode reaches deeper than one filter length into the window.
    """
    needed = spec.filter_length
    for _ in range(spec.level):
        needed = 2 * needed + spec.filter_length
    return needed


def surrogate_length(spec: FeatureSpec) -> int | None:
    """Samples of a surrogate window: both ends of a window, aligned as in the window.

    Its length is that of the window modulo ``2 ** level``, so every level splits it alike and
    all extension modes, the periodic ones too, see the same ends.

    Returns
    -------
    int or None
        None where nothing is gained: windows that do not overlap, or hardly longer than their
        edges.
    """
    ends = 2 * edge_samples(spec)
    length = ends + (spec.n_samples - ends) % 2**spec.level
    if length >= spec.n_samples or spec.step >= spec.window:
        return None
    return length


def working_bytes(spec: FeatureSpec, block_rows: int) -> int:
    """Anonymous memory that `FeatureBlocks.fill` needs for a block of `block_rows` windows."""
    samples = spec.windows.n_rows(block_rows) * spec.n_channels
    surrogate = surrogate_length(spec)
    ends = spec.n_samples if surrogate is None else surrogate
    # The stretch as read, as signals, two approximations, a transform with scratch, both stored
    # forms: eight float64 copies. PyWavelets copies what it transforms and returns all levels.
    windows = block_rows * spec.n_signals * (ends + 2 * spec.filter_length)
    # To find the place of an overflow, a byte or two for each feature.
    return 8 * (8 * samples + 5 * windows) + 2 * block_rows * spec.n_features
