"""Components brought back from wavelet coefficients to the channels of a window."""

import numpy as np
import pywt

from memwave.wavelets import FeatureSpec

# Components that are drawn.
COMPONENTS = 4


def waves(spec: FeatureSpec, component: np.ndarray) -> np.ndarray:
    """Inverse wavelet transform of a vector of features.

    Parameters
    ----------
    spec : FeatureSpec
    component : ndarray, shape (d,)
        Coefficients; those of bands that are no features count as zero.

    Returns
    -------
    ndarray, shape (window, n_channels)
        The signal, in the units of the channels.
    """
    levels = range(spec.level, 0, -1)
    names = [f"a{spec.level}", *(f"d{level}" for level in levels)]
    lengths = {level: _length(spec, level) for level in levels}
    signals = [[np.zeros(lengths[int(name[1:])]) for name in names] for _ in range(spec.n_signals)]
    for signal, band, columns in spec.columns():
        signals[signal][names.index(band.name)] = component[columns]
    waves = [pywt.waverec(parts, spec.wavelet, mode=spec.mode) for parts in signals]
    return np.stack([wave[: spec.n_samples] for wave in waves], axis=1).reshape(
        spec.window, spec.n_channels
    )


def _length(spec: FeatureSpec, level: int) -> int:
    """Coefficients of a band of a level."""
    length = spec.n_samples
    for _ in range(level):
        length = pywt.dwt_coeff_len(length, spec.filter_length, spec.mode)
    return length


def waves_bytes(spec: FeatureSpec) -> int:
    """Memory of the waves of the components that are drawn, and of computing one."""
    return 8 * (3 * COMPONENTS + 8) * spec.window * spec.n_channels + 8 * spec.n_features
