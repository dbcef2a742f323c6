"""Reconstruction of the signal from features: inverse wavelet transform and overlap-add.

Bands that are not features count as zeros. Where windows overlap, a row of the recording is the
mean over all windows that cover it.
"""

import numpy as np
import pywt

from memwave.features.spec import FeatureSpec, band_names
from memwave.recordings.channels import Scaling


def windows_of(
    spec: FeatureSpec, features: np.ndarray, scaling: Scaling | None = None
) -> np.ndarray:
    """Reconstruct windows from their features.

    Parameters
    ----------
    spec : FeatureSpec
    features : ndarray, shape (n, d)
    scaling : Scaling, optional
        Scaling of the channels before the transform. It is inverted.

    Returns
    -------
    ndarray, shape (n, window, n_channels), float64
        If all bands of the decomposition are features: the original windows, up to rounding.
    """
    names = band_names(spec.level)
    bands = [
        [np.zeros((len(features), length)) for length in lengths(spec)]
        for _ in range(spec.n_signals)
    ]
    for signal, band, columns in spec.columns():
        bands[signal][names.index(band.name)][:] = features[:, columns]
    parts = [
        pywt.waverec(band, spec.wavelet, mode=spec.mode, axis=-1)[:, : spec.n_samples]
        for band in bands
    ]
    if spec.interleaved:
        windows = parts[0].reshape(len(features), spec.window, spec.n_channels)
    else:
        windows = np.stack(parts, axis=-1)
    return windows if scaling is None else scaling.undo(windows)


def lengths(spec: FeatureSpec) -> list[int]:
    """Return the number of coefficients of each band of a signal: approximation, then details.

    The coarsest band comes first.
    """
    found, length = [], spec.n_samples
    for _ in range(spec.level):
        length = pywt.dwt_coeff_len(length, spec.filter_length, spec.mode)
        found.append(length)
    return [found[-1], *reversed(found)]


class Overlap:
    """Computes the mean of overlapping windows for each row. Needs memory for one block of windows.

    Parameters
    ----------
    spec : FeatureSpec
    """

    def __init__(self, spec: FeatureSpec):
        self._spec = spec
        self._first = 0  # row of the first sum
        self._sums = np.zeros((0, spec.n_channels))
        self._counts = np.zeros(0)

    def add(self, start_rows: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Add consecutive windows; return the rows that no later window covers.

        Parameters
        ----------
        start_rows : ndarray, shape (n,), ascending
        windows : ndarray, shape (n, window, n_channels)

        Returns
        -------
        ndarray, shape (rows, n_channels), float64
            The rows that follow those returned before; NaN where no window covers a row.
        """
        done = self._take(int(start_rows[0]))
        end = int(start_rows[-1]) + self._spec.window - self._first
        self._grow(end)
        for start, window in zip(start_rows - self._first, windows, strict=True):
            self._sums[start : start + self._spec.window] += window
            self._counts[start : start + self._spec.window] += 1
        return done

    def rest(self) -> np.ndarray:
        """Return the remaining rows."""
        return self._take(self._first + len(self._sums))

    def _grow(self, rows: int) -> None:
        more = max(0, rows - len(self._sums))
        self._sums = np.concatenate([self._sums, np.zeros((more, self._sums.shape[1]))])
        self._counts = np.concatenate([self._counts, np.zeros(more)])

    def _take(self, row: int) -> np.ndarray:
        self._grow(row - self._first)
        count = row - self._first
        with np.errstate(invalid="ignore"):
            done = self._sums[:count] / self._counts[:count, None]
        self._sums, self._counts, self._first = self._sums[count:], self._counts[count:], row
        return done
