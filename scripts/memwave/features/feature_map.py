"""The features of a window as a linear map T and its adjoint T', applied to a few columns.

`memwave.features.wavelet` has PyWavelets transform many windows, which are rows. Iterative methods
need the map on a few long columns, and its adjoint, which PyWavelets does not have. Both are made
level by level (Mallat, A Wavelet Tour of Signal Processing, 3rd ed., section 7.3): away from the
ends of a signal a coefficient is a sum of products with the taps of the filter. The few
coefficients at the ends, which depend on the extension mode, are rows of a small matrix, found by
transforming unit vectors of a short signal with the same ends.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pywt

from memwave.core.ranges import spans
from memwave.features.spec import FeatureSpec

# Values of a column slice of a level that are multiplied at once: they stay in the cache.
CHUNK = 65_536


@dataclass(frozen=True)
class Level:
    """One level of the transform of a signal: ``n`` values to ``length`` of either kind.

    Attributes
    ----------
    wavelet : str
    mode : str
    n : int
    shift : int
        Newest value that coefficient k reads is ``2 k + shift``.
    """

    wavelet: str
    mode: str
    n: int
    shift: int

    @cached_property
    def filters(self) -> tuple[np.ndarray, np.ndarray]:
        """Taps of the approximation and of the detail, the newest value's first."""
        known = pywt.Wavelet(self.wavelet)
        return np.array(known.dec_lo), np.array(known.dec_hi)

    @property
    def taps(self) -> int:
        return len(self.filters[0])

    @property
    def length(self) -> int:
        """Coefficients of either kind."""
        return int(pywt.dwt_coeff_len(self.n, self.taps, self.mode))

    @cached_property
    def interior(self) -> tuple[int, int]:
        """First and one past last coefficient that reads no value beyond the ends."""
        first = max(0, -(-(self.taps - 1 - self.shift) // 2))
        stop = min(self.length, (self.n - 1 - self.shift) // 2 + 1)
        return (first, stop) if first < stop else (0, 0)

    @cached_property
    def edges(self) -> np.ndarray:
        """Numbers of the other coefficients."""
        first, stop = self.interior
        return np.r_[0:first, stop : self.length]

    @property
    def _short(self) -> int:
        """Length of a signal with the same ends: as even or odd, and no end reaches the other."""
        return min(self.n, 6 * self.taps + self.n % 2)

    @cached_property
    def read_by_edges(self) -> np.ndarray:
        """Numbers of the values that edges depend on, or more."""
        head = self._short // 2
        return np.r_[0:head, self.n - (self._short - head) : self.n]

    @cached_property
    def edge_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """What edges are of the values: matrices (edges, values read), for either kind."""
        parts = pywt.dwt(np.eye(self._short), self.wavelet, self.mode, axis=0)
        # Counted from the end, the last ones are those of the long signal.
        places = np.where(
            self.edges < self.interior[0], self.edges, self.edges + len(parts[0]) - self.length
        )
        return parts[0][places], parts[1][places]

    def down(self, values: np.ndarray, kind: int) -> np.ndarray:
        """Transform columns.

        Parameters
        ----------
        values : ndarray, shape (n, c)
        kind : int
            0 for approximations, 1 for details.

        Returns
        -------
        ndarray, shape (length, c), of the same type
        """
        taps = self.filters[kind].astype(values.dtype)
        out = np.empty((self.length, values.shape[1]), values.dtype)
        for first, stop in self._chunks(values):
            product = out[first:stop]
            np.multiply(values[self._read(first, stop, 0)], taps[0], out=product)
            for i, tap in enumerate(taps[1:], 1):
                product += values[self._read(first, stop, i)] * tap
        if len(self.edges):
            rows = self.edge_rows[kind].astype(values.dtype)
            out[self.edges] = rows @ values[self.read_by_edges]
        return out

    def up(self, coefficients: np.ndarray, kind: int, out: np.ndarray) -> None:
        """Add the adjoint of `down` of coefficients, shape (length, c), to `out`, shape (n, c)."""
        taps = self.filters[kind].astype(out.dtype)
        for first, stop in self._chunks(out):
            for i, tap in enumerate(taps):
                out[self._read(first, stop, i)] += coefficients[first:stop] * tap
        if len(self.edges):
            rows = self.edge_rows[kind].astype(out.dtype)
            out[self.read_by_edges] += rows.T @ coefficients[self.edges]

    def _chunks(self, values: np.ndarray):
        return spans(*self.interior, max(1, CHUNK // values.shape[1]))

    def _read(self, first: int, stop: int, tap: int) -> slice:
        """Values that a tap of the coefficients ``first:stop`` reads."""
        newest = 2 * first + self.shift - tap
        return slice(newest, newest + 2 * (stop - first) - 1, 2)


class FeatureMap:
    """The map T from the values of a window to its features, and its adjoint.

    Parameters
    ----------
    spec : FeatureSpec
    """

    def __init__(self, spec: FeatureSpec):
        self._spec = spec
        self._levels: list[Level] = []
        n = spec.n_samples
        for _ in range(spec.level):
            self._levels.append(Level(spec.wavelet, spec.mode, n, spec.filter_shift))
            n = self._levels[-1].length
        self._columns = {band.name: columns for _, band, columns in spec.columns()[::-1]}

    @property
    def shape(self) -> tuple[int, int]:
        """Features, and values of a window."""
        return self._spec.n_features, self._spec.window * self._spec.n_channels

    def features(self, windows: np.ndarray) -> np.ndarray:
        """Apply T.

        Parameters
        ----------
        windows : ndarray, shape (window * n_channels, l), float32 or float64
            Each column a window, ravelled row by row.

        Returns
        -------
        ndarray, shape (n_features, l), of the same type
        """
        spec, width = self._spec, windows.shape[1]
        out = np.empty((spec.n_signals, spec.n_features // spec.n_signals, width), windows.dtype)
        # Row by row and channel by channel is sample by sample and signal by signal.
        values = np.ascontiguousarray(windows).reshape(spec.n_samples, -1)
        for number, level in enumerate(self._levels, 1):
            self._store(level.down, values, f"d{number}", 1, out)
            if self._goes_on(number):
                values = level.down(values, 0)
        if (name := f"a{spec.level}") in self._columns:
            out[:, self._columns[name]] = self._by_signal(values, width)
        return out.reshape(spec.n_features, width)

    def windows(self, features: np.ndarray) -> np.ndarray:
        """Apply the adjoint T'.

        Parameters
        ----------
        features : ndarray, shape (n_features, l), float32 or float64

        Returns
        -------
        ndarray, shape (window * n_channels, l), of the same type
        """
        spec, width = self._spec, features.shape[1]
        bands = features.reshape(spec.n_signals, -1, width)
        values = None
        if (name := f"a{spec.level}") in self._columns:
            values = self._by_sample(bands[:, self._columns[name]])
        for number in range(spec.level, 0, -1):
            level = self._levels[number - 1]
            found = np.zeros((level.n, spec.n_signals * width), features.dtype)
            if values is not None:
                level.up(values, 0, found)
            if (name := f"d{number}") in self._columns:
                level.up(self._by_sample(bands[:, self._columns[name]]), 1, found)
            values = found if values is not None or name in self._columns else None
        assert values is not None
        return values.reshape(-1, width)

    def _goes_on(self, number: int) -> bool:
        """Whether anything is wanted of the approximation of a level."""
        deeper = (f"d{j}" for j in range(number + 1, self._spec.level + 1))
        return any(name in self._columns for name in (f"a{self._spec.level}", *deeper))

    def _store(self, down, values: np.ndarray, name: str, kind: int, out: np.ndarray) -> None:
        if name in self._columns:
            out[:, self._columns[name]] = self._by_signal(down(values, kind), out.shape[2])

    def _by_signal(self, band: np.ndarray, width: int) -> np.ndarray:
        """From (position, signal and column) to (signal, position, column)."""
        return band.reshape(len(band), -1, width).transpose(1, 0, 2)

    def _by_sample(self, band: np.ndarray) -> np.ndarray:
        """From (signal, position, column) to (position, signal and column)."""
        return np.ascontiguousarray(band.transpose(1, 0, 2)).reshape(band.shape[1], -1)


def map_bytes(spec: FeatureSpec, width: int, itemsize: int) -> int:
    """Memory of either map of `width` columns, operand and result included."""
    values = spec.window * spec.n_channels
    ends = 8 * spec.level * (6 * spec.filter_length + 1) * 8 * spec.filter_length
    return itemsize * width * (3 * values + 3 * spec.n_features) + ends + 4 * itemsize * CHUNK
