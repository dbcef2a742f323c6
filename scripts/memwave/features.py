"""Wavelet features of many overlapping windows at once.

Neighbouring windows share samples, so they share coefficients: away from a window's edges a
coefficient is an entry of the undecimated transform (algorithme a trous; Mallat, A Wavelet Tour of
Signal Processing, 3rd ed., section 5.2) of the signal. That transform is computed once for the
whole stretch of signal, brought to the stored dtype once, and *gathered* into the rows, which then
costs what copying costs. Coefficients at the edges come from PyWavelets itself, run on surrogate
windows that keep only both ends of each window. Where windows share nothing to speak of, PyWavelets
runs on the whole windows.
"""

from math import gcd

import numpy as np
import pywt
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from memwave.wavelets import Band, FeatureSpec


class FeatureBlocks:
    """Turns stretches of recordings into blocks of feature rows.

    Parameters
    ----------
    spec : FeatureSpec
        What to compute.

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

    def stretch(self, first: int, count: int) -> tuple[int, int]:
        """Rows of a recording that windows `first` to ``first + count - 1`` cover."""
        start = first * self.spec.step
        return start, start + (count - 1) * self.spec.step + self.spec.window

    def fill(self, rows: np.ndarray, out: np.ndarray) -> bool:
        """Compute the features of all windows in a stretch.

        Parameters
        ----------
        rows : ndarray, shape (stretch rows, n_channels)
            The rows `stretch` names, finite, of any real dtype.
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
            if self._surrogate is None:
                self._transform_windows(self._windows(signals, len(out)), out)
            else:
                self._gather_interior(signals, out)
                self._fill_edges(signals, out)
        return self._finite

    def _stored(self, coefficients: np.ndarray) -> np.ndarray:
        """Coefficients in the type that they are stored in, watched for overflow."""
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
        names = [f"a{level}"] + [f"d{j}" for j in range(level, 0, -1)]
        return dict(zip(names, parts, strict=True))

    def _fill_edges(self, signals: np.ndarray, out: np.ndarray) -> None:
        spec = self.spec
        if not any(band.left or band.right for band in spec.band_table):
            return
        assert self._surrogate is not None
        windows = self._windows(signals, len(out))
        head = edge_samples(spec)
        tail = self._surrogate - head
        ends = np.concatenate([windows[..., :head], windows[..., -tail:]], axis=-1)
        bands = self._decompose(ends)
        for signal, band, columns in spec.columns():
            coefficients = bands[band.name][signal]
            if band.left:
                left = slice(columns.start, columns.start + band.left)
                out[:, left] = self._stored(coefficients[:, : band.left])
            if band.right:
                right = slice(columns.stop - band.right, columns.stop)
                out[:, right] = self._stored(coefficients[:, -band.right :])

    def _gather_interior(self, signals: np.ndarray, out: np.ndarray) -> None:
        approximation = signals
        for level in range(1, self.spec.level + 1):
            for signal, band, columns in self._columns_of(level, "d"):
                detail = undecimated(approximation[signal], self._wavelet.dec_hi, level)
                self._gather(detail, band, columns, out)
            if level < self.spec.level or self._columns_of(level, "a"):
                approximation = np.stack(
                    [undecimated(s, self._wavelet.dec_lo, level) for s in approximation]
                )
        for signal, band, columns in self._columns_of(self.spec.level, "a"):
            self._gather(approximation[signal], band, columns, out)

    def _columns_of(self, level: int, kind: str) -> list[tuple[int, Band, slice]]:
        return [row for row in self.spec.columns() if row[1].name == f"{kind}{level}"]

    def _gather(self, transform: np.ndarray, band: Band, columns: slice, out: np.ndarray) -> None:
        """Copy the interior coefficients of every window out of an undecimated transform.

        ``transform[t]`` is the coefficient whose oldest sample is ``t``. Split by ``t`` modulo
        ``2 ** level``, the coefficients of one window are neighbours in memory.
        """
        spec, spacing = self.spec, 2**band.level
        stride = spec.step * spec.samples_per_row
        stored = self._stored(transform)
        phases = [np.ascontiguousarray(stored[phase::spacing]) for phase in range(spacing)]
        width = band.length - band.left - band.right
        interior = slice(columns.start + band.left, columns.start + band.left + width)
        period = spacing // gcd(stride, spacing)
        oldest = (spacing - 1) * (spec.filter_shift - (spec.filter_length - 1))
        for turn in range(min(period, len(out))):
            rows = out[turn::period, interior]
            begin = turn * stride + oldest + band.left * spacing
            phase = phases[begin % spacing][begin // spacing :]
            strides = (stride * period // spacing * stored.itemsize, stored.itemsize)
            rows[:] = as_strided(phase, rows.shape, strides, writeable=False)


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
    stretch = (block_rows - 1) * spec.step + spec.window
    samples = stretch * spec.n_channels
    surrogate = surrogate_length(spec)
    ends = spec.n_samples if surrogate is None else surrogate
    # The stretch as read, as signals, two approximations, a transform with scratch, both stored
    # forms: eight float64 copies. PyWavelets copies what it transforms and returns all levels.
    windows = block_rows * spec.n_signals * (ends + 2 * spec.filter_length)
    # To find the place of an overflow, a byte or two for each feature.
    return 8 * (8 * samples + 5 * windows) + 2 * block_rows * spec.n_features
