"""The features of a window as a linear map.

All extension modes of PyWavelets fill the samples outside a window with fixed linear combinations
of the samples inside. So features are a linear function of the window, without a constant term. The
same map applies to windows, to sums of windows, and to rows of matrices of sample products.
"""

import numpy as np
import pywt

from memwave.features.spec import FeatureSpec, band_names


def transform_windows(spec: FeatureSpec, windows: np.ndarray) -> np.ndarray:
    """Compute the features of windows by PyWavelets.

    Parameters
    ----------
    spec : FeatureSpec
    windows : ndarray, shape (m, window * n_channels), float64
        Each row is a window, ravelled row by row.

    Returns
    -------
    ndarray, shape (m, n_features), float64
        Not rounded to the dtype of stored features.

    Notes
    -----
    Memory: five copies of `windows` or of the features, whichever are larger.
    """
    m = len(windows)
    if spec.interleaved:
        signals = windows[:, None, :]
    else:
        rows = windows.reshape(m, spec.window, spec.n_channels)
        signals = np.ascontiguousarray(rows.transpose(0, 2, 1))
    parts = pywt.wavedec(signals, spec.wavelet, mode=spec.mode, level=spec.level, axis=-1)
    names = band_names(spec.level)
    named = dict(zip(names, parts, strict=True))
    chosen = [named[band] for band in spec.bands]
    joined = chosen[0] if len(chosen) == 1 else np.concatenate(chosen, axis=-1)
    return joined.reshape(m, spec.n_features)
