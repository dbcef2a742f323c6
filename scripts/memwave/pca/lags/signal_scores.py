"""Scores straight from the signal: correlations with the components carried back to samples.

A score is a product of features with a component, ``v' T y = (T' v)' y``: the signal's correlation
with ``T' v``, the component carried through the adjoint of the wavelet transform. The correlations
of all windows with all components follow from fast Fourier transforms of overlapping chunks, at
a cost that does not depend on the number of features of a window.

What the scores leave of a window needs its squared length. Away from the edges of a window its
coefficients are those of the undecimated transform of the stretch, so that a running sum of their
squares gives it.
"""

import numpy as np

from memwave.features.sliding import FeatureBlocks, surrogate_length
from memwave.features.spec import FeatureSpec
from memwave.features.wavelet import transform_windows
from memwave.pca.lags.lags import SignalWindows, windows_of
from memwave.pca.model import Model

# Rows of the identity that are carried through the transform at once.
PANEL = 256


def has_signal_scores(spec: FeatureSpec, model: Model) -> bool:
    """Whether scores can be had, and are had faster, from the signal than from features.

    Windows have to overlap so much that their edges are a small part. Features must not be divided
    by deviations of their own, nor be needed to find the model's residuals.
    """
    return overlaps_much(spec) and model.scale is None and model.residual is not None


def overlaps_much(spec: FeatureSpec) -> bool:
    """Whether windows share most of their samples, and of their coefficients."""
    return windows_of(spec).by_fourier and surrogate_length(spec) is not None


def carried_back(spec: FeatureSpec, vectors: np.ndarray) -> np.ndarray:
    """Carry vectors of features through the adjoint of the transform.

    Parameters
    ----------
    vectors : ndarray, shape (n_features, l)

    Returns
    -------
    ndarray, shape (window * n_channels, l)
        ``T' vectors``: the transform of the unit vectors, panel by panel, times the vectors.
    """
    size = spec.window * spec.n_channels
    carried = np.empty((size, vectors.shape[1]))
    for start in range(0, size, PANEL):
        units = np.eye(min(PANEL, size - start), size, k=start)
        carried[start : start + PANEL] = transform_windows(spec, units) @ vectors
    return carried


class SignalScores:
    """Scores and squared distances from the mean of all windows in a stretch.

    Parameters
    ----------
    spec : FeatureSpec
    model : Model
        Of features as they are, not standardized.

    Notes
    -----
    From every sample the mean of the stretch in its channel is subtracted before anything else, so
    that offsets cost no digits. The features of that constant are a combination of those of the
    unit constants of all channels, which are known beforehand.
    """

    def __init__(self, spec: FeatureSpec, model: Model):
        self._windows: SignalWindows = windows_of(spec)
        self._blocks, self._model = FeatureBlocks(spec), model
        units = np.tile(np.eye(spec.n_channels), spec.window)
        self._constant = transform_windows(spec, units)  # (n_channels, d)
        rest = np.vstack([model.mean, self._constant])
        kernels = carried_back(spec, np.vstack([model.components, rest]).T)
        self._spectra = self._spectra_of(kernels)
        self._k = model.n_components

    @property
    def chunk(self) -> int:
        """Windows projected at once."""
        return self._windows.chunk

    def _spectra_of(self, kernels: np.ndarray) -> np.ndarray:
        """Conjugate spectra of kernels, shape (n_values, l): (bins, width, l)."""
        lie = self._windows
        padded = np.zeros((lie.depth * lie.width, kernels.shape[1]))
        padded[: len(kernels)] = kernels
        long = padded.reshape(lie.depth, lie.width, -1)
        return np.conj(np.fft.rfft(long, lie.fourier_length, axis=0))

    def project(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project all windows in a stretch of a recording.

        Parameters
        ----------
        rows : ndarray, shape (m, n_channels)
            What at most `stretch` windows cover.

        Returns
        -------
        scores : ndarray, shape (n, k)
        distances : ndarray, shape (n,)
            Squared distance of each window's features from the mean.
        """
        lie, model = self._windows, self._model
        shift = rows.mean(axis=0, dtype=np.float64)
        shifted = rows - shift
        signal = lie.long_rows(shifted)
        n = len(signal) - lie.depth + 1
        spectrum = np.fft.rfft(signal, lie.fourier_length, axis=0)
        products = np.matmul(spectrum[:, None], self._spectra)[:, 0]
        correlated = np.fft.irfft(np.ascontiguousarray(products.T), lie.fourier_length)[:, :n]
        # Features are T y + T c, for the shift c: their mean, moved by -T c, is the rest.
        rest = model.mean - shift @ self._constant
        scores = correlated[: self._k].T - model.components @ rest
        along = correlated[self._k] - shift @ correlated[self._k + 1 :]
        lengths = self._blocks.squared_lengths(shifted, n)
        return scores, np.maximum(lengths - 2.0 * along + rest @ rest, 0.0)


def score_bytes(spec: FeatureSpec, k: int) -> int:
    """Memory of `SignalScores` with a stretch as it was read."""
    lie = windows_of(spec)
    bins, size = lie.fourier_length // 2 + 1, spec.window * spec.n_channels
    kernels = k + 1 + spec.n_channels
    covered = lie.n_rows(lie.chunk) * spec.n_channels
    making = 8 * (2 * size * kernels + 7 * PANEL * max(size, spec.n_features))
    spectra = 16 * bins * lie.width * kernels * 2
    projecting = 16 * bins * (2 * kernels + lie.width) + 8 * lie.fourier_length * 2 * kernels
    vectors = 8 * (2 * (k + 1) + 2 * spec.n_channels) * spec.n_features
    return making + spectra + projecting + vectors + 8 * 8 * covered
