"""Scores straight from the signal: correlations with the components carried back to samples.

A score is a product of features with a component, ``v' T y = (T' v)' y``: the correlation of the
signal with ``T' v``, the adjoint wavelet transform of the component. The correlations of all
windows with all components follow from fast Fourier transforms of overlapping chunks, at a cost
that does not depend on the number of features of a window.

The residual of a window needs its squared length. Away from the edges of a window its coefficients
are those of the undecimated transform of the chunk, so a running sum of their squares gives the
squared length.
"""

import numpy as np

from memwave.core.ranges import spans
from memwave.features.feature_map import FeatureMap, map_bytes
from memwave.features.sliding import FeatureBlocks, square_bytes
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import SignalWindows, windows_of
from memwave.pca.lags.signal.moments import overlaps_much
from memwave.pca.lags.signal.sizes import chunk_of, fourier_length
from memwave.pca.model import Model

# Components that are mapped to samples at once.
TOGETHER = 4


def has_signal_scores(spec: FeatureSpec, model: Model) -> bool:
    """Whether the signal gives the scores, and faster than features do.

    Windows must overlap so much that their edges are a small part. Features must not be divided by
    their standard deviations, and the model's residuals must be known without them.
    """
    return overlaps_much(spec) and model.scale is None and model.residual is not None


class SignalScores:
    """Scores and squared distances from the mean of all windows in a chunk.

    Parameters
    ----------
    spec : FeatureSpec
    model : Model
        Fitted to features that are not standardized.

    Notes
    -----
    First the mean of each channel in the chunk is subtracted, so that offsets cost no digits. The
    mean of the features less the features of that constant is one more vector that is mapped to
    samples, for each chunk.
    """

    def __init__(self, spec: FeatureSpec, model: Model):
        self._windows: SignalWindows = windows_of(spec)
        self._blocks, self._model, self._map = FeatureBlocks(spec), model, FeatureMap(spec)
        self._length = fourier_length(self._windows)
        shape = (self._length // 2 + 1, self._windows.width, model.n_components)
        self._spectra = np.empty(shape, np.complex128)
        for low, high in spans(0, model.n_components, TOGETHER):
            self._spectra[:, :, low:high] = self._spectra_of(model.components[low:high].T)

    @property
    def chunk(self) -> int:
        """Windows projected at once."""
        return chunk_of(self._windows)

    def _spectra_of(self, vectors: np.ndarray) -> np.ndarray:
        """Conjugate spectra of vectors of features, (d, l), mapped to samples: (bins, width, l)."""
        windows, kernels = self._windows, self._map.windows(vectors)
        padded = np.zeros((windows.depth * windows.width, kernels.shape[1]))
        padded[: len(kernels)] = kernels
        long = padded.reshape(windows.depth, windows.width, -1)
        return np.conj(np.fft.rfft(long, self._length, axis=0))

    def project(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project all windows in a chunk of a recording.

        Parameters
        ----------
        rows : ndarray, shape (m, n_channels)
            Rows that at most `chunk` windows cover.

        Returns
        -------
        scores : ndarray, shape (n, k)
        distances : ndarray, shape (n,)
            Squared distance of each window's features from the mean.
        """
        windows, model = self._windows, self._model
        shift = rows.mean(axis=0, dtype=np.float64)
        shifted = rows - shift
        signal = windows.long_rows(shifted)
        n = len(signal) - windows.depth + 1
        spectrum = np.fft.rfft(signal, self._length, axis=0)
        # Features are T y + T c, for the shift c. Subtract T c from their mean.
        constant = np.tile(shift, windows.window)
        rest = model.mean - self._map.features(constant[:, None])[:, 0]
        products = np.matmul(spectrum[:, None], self._spectra)[:, 0]
        scores = np.fft.irfft(products, self._length, axis=0)[:n] - model.components @ rest
        products = np.vecdot(np.conj(spectrum), self._spectra_of(rest[:, None])[:, :, 0])
        along = np.fft.irfft(products, self._length)[:n]
        lengths = self._blocks.squared_lengths(shifted, n)
        return scores, np.maximum(lengths - 2.0 * along + rest @ rest, 0.0)


def score_bytes(spec: FeatureSpec, k: int) -> int:
    """Memory of `SignalScores` and a chunk as it was read, without the model."""
    windows = windows_of(spec)
    length, width = fourier_length(windows), windows.width
    bins, covered = length // 2 + 1, windows.n_rows(chunk_of(windows))
    kernels = 16 * bins * width * k
    together = min(k, TOGETHER)
    making = map_bytes(spec, together, 8) + 16 * bins * width * 3 * together
    projecting = 16 * bins * (3 * k + 6 * width) + 8 * length * 2 * k
    projecting += square_bytes(spec, covered) + map_bytes(spec, 1, 8)
    vectors = 8 * 2 * (k + 1) * spec.n_features
    return kernels + vectors + max(making, projecting)
