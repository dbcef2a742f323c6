"""What features must be: PyWavelets on every single window, in float64."""

import numpy as np
import pywt

from memwave.features.spec import FeatureSpec

LETTERS = "abcdefg"


def make_spec(**changes):
    """A feature set with its channels; what is not named is as simple as can be."""
    chosen = {
        "window": 16,
        "step": 1,
        "wavelet": "haar",
        "level": 1,
        "bands": ["d1"],
        "layout": "interleaved",
        "mode": "symmetric",
        "dtype": "float64",
        "channels": 2,
        "scale": "none",
    } | changes
    return FeatureSpec.from_settings(chosen, LETTERS[: chosen["channels"]])


def all_bands(level):
    return [f"a{level}", *(f"d{j}" for j in range(level, 0, -1))]


def signals_of(window, spec):
    """The signals of one window, as the layout defines them."""
    return [window.ravel()] if spec.interleaved else list(window.T)


def oracle(recording, spec, count):
    """Features of each window by itself, float64: PyWavelets, band by band."""
    rows = []
    for start in range(0, count * spec.step, spec.step):
        window = recording[start : start + spec.window].astype(np.float64)
        row = []
        for signal in signals_of(window, spec):
            parts = pywt.wavedec(signal, spec.wavelet, mode=spec.mode, level=spec.level)
            named = dict(zip(all_bands(spec.level), parts, strict=True))
            row += [named[band] for band in spec.bands]
        rows.append(np.concatenate(row))
    return np.array(rows)
