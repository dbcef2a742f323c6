"""Warnings on channels of different units that are mixed, if the configuration has units."""

from collections.abc import Iterable, Iterator

from memwave.core.messages import listed
from memwave.features.spec import FeatureSpec


def unit_warnings(
    dataset: str, features: str, spec: FeatureSpec, units: dict[str, str], models: Iterable[dict]
) -> Iterator[str]:
    """Say where one unit is compared with another, or added to it.

    Parameters
    ----------
    dataset, features : str
        Names of the dataset and of the feature set.
    spec : FeatureSpec
        What the feature set is on the dataset.
    units : dict of str to str
        Units of the channels, by name; those of channels that are not in it are unknown.
    models : iterable of dict
        Complete options of the models that are fitted or applied to these features.
    """
    known = [units[channel] for channel in spec.channels if channel in units]
    different = list(dict.fromkeys(known))
    if len(different) < 2 or spec.scale != "none":
        return
    place = f"features.{features} on datasets.{dataset}"
    pair = _mixed_pair(spec, units)
    if pair:
        first, second = (f"{channel} ({units[channel]})" for channel in pair)
        yield (
            f"{place}: layout interleaved takes differences of neighbouring channels, and "
            f"{first} and {second} have different units. Use layout: per-channel, or set scale: "
            "zscore or robust."
        )
    elif not all(model["standardize"] or "apply" in model for model in models):
        yield (
            f"{place}: the channels have different units ({listed(different)}) and are not scaled, "
            "so that those with the largest numbers make the components. Set scale: zscore or "
            "robust in the feature set."
        )


def _mixed_pair(spec: FeatureSpec, units: dict[str, str]) -> tuple[str, str] | None:
    """Two channels of known, different units, next to each other in the ravelled window."""
    if not spec.interleaved:
        return None
    channels = spec.channels
    neighbours = list(zip(channels, (*channels[1:], channels[0]), strict=True))
    if spec.wavelet == "haar" and spec.bands == ("d1",) and len(channels) % 2 == 0:
        neighbours = neighbours[::2]  # each value is in one difference
    for one, other in neighbours:
        if one in units and other in units and units[one] != units[other]:
            return one, other
    return None
