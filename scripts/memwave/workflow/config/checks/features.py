"""Checks that a wavelet decomposition is possible for the windows of a feature set."""

from collections.abc import Iterator, Sequence

import pywt

from memwave.core.messages import did_you_mean, listed, shown
from memwave.features.spec import band_names


def feature_findings(name: str, settings: dict, channels: Sequence[str]) -> Iterator[str]:
    """Check wavelet, level and bands, which the schema cannot check.

    Parameters
    ----------
    name : str
        Name of the feature set.
    settings : dict
        Its complete entry of the configuration.
    channels : sequence of str
        Channels of the dataset.

    Yields
    ------
    str
        A finding: the place, what was found, what was expected. Without findings, a
        `memwave.features.spec.FeatureSpec` can be created.
    """
    place = f"features.{name}"
    wavelet = settings["wavelet"]
    if wavelet not in pywt.wavelist(kind="discrete"):
        yield f"{place}.wavelet: {_wavelet_finding(wavelet)}"
        return
    deepest = deepest_level(settings, len(channels))
    wanted = 1 if settings["level"] == "max" else settings["level"]
    if wanted > deepest:
        yield f"{place}.level: {_level_finding(settings, len(channels), wanted, deepest)}"
        return
    if settings["window"] == 1 and len(channels) % 2:
        yield (
            f"{place}.window: a row of {len(channels)} channels, an odd number, has to be extended "
            "by a value before it is transformed, which makes one feature too many. Expected "
            "windows of several rows. To analyse rows as they are, name their file as the matrix "
            "of a dataset."
        )
        return
    level = deepest if settings["level"] == "max" else settings["level"]
    valid = band_names(level)
    for i, band in enumerate(settings["bands"] or ()):
        if band not in valid:
            yield (
                f"{place}.bands[{i}]: {shown(band)} is not a band of a decomposition of level "
                f"{level}. Expected any of {listed(valid)}."
            )


def deepest_level(settings: dict, n_channels: int) -> int:
    """Return the deepest level that the window allows for a valid wavelet, 0 if none."""
    samples = settings["window"] * _samples_per_row(settings, n_channels)
    return int(pywt.dwt_max_level(samples, pywt.Wavelet(settings["wavelet"]).dec_len))


def _samples_per_row(settings: dict, n_channels: int) -> int:
    return n_channels if settings["layout"] == "interleaved" else 1


def _level_finding(settings: dict, n_channels: int, wanted: int, deepest: int) -> str:
    window, per_row = settings["window"], _samples_per_row(settings, n_channels)
    taps = pywt.Wavelet(settings["wavelet"]).dec_len
    # PyWavelets allows level j if a window has at least (taps - 1) 2^j samples.
    rows = -(-(taps - 1) * 2**wanted // per_row)
    return (
        f"level {wanted} of {settings['wavelet']} ({taps} taps) is too deep for a window of "
        f"{window * per_row} samples ({window} rows, {settings['layout']}). Use a window of at "
        f"least {rows} rows, or {f'level {deepest}' if deepest else 'a shorter wavelet'}."
    )


def _wavelet_finding(wavelet: str) -> str:
    if wavelet in pywt.wavelist(kind="continuous"):
        return (
            f"{shown(wavelet)} is a continuous wavelet, expected a discrete one, such as haar, "
            "db4 or sym5."
        )
    known = pywt.wavelist(kind="discrete")
    hint = did_you_mean(wavelet, known) or " Valid names are haar, db4, sym5, coif1, bior2.2, ..."
    return f"{shown(wavelet)} is not a wavelet of PyWavelets.{hint}"
