"""Warnings on different units: of channels that are mixed, and of one channel in several files."""

from collections.abc import Iterable, Iterator, Mapping

from memwave.core.messages import listed, shown
from memwave.features.spec import FeatureSpec
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording

# Two letters for the prefix micro, and the one that replaces them; symbols of units in words.
MICRO = str.maketrans("\u00b5\u03bc", "uu")
SYMBOLS = {
    f"{prefix}volt{plural}": f"{short}V"
    for prefix, short in (("", ""), ("milli", "m"), ("micro", "u"), ("nano", "n"))
    for plural in ("", "s")
}


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


def file_units(
    dataset: str, units: Mapping[str, str], recordings: Iterable[CheckedRecording]
) -> Iterator[str]:
    """Say which channels have another unit in a file than in the configuration or a file before.

    Parameters
    ----------
    dataset : str
    units : mapping of str to str
        Units of the channels in the configuration, by name.
    recordings : iterable of CheckedRecording
    """
    first = {name: (unit, f"datasets.{dataset}.units") for name, unit in units.items()}
    said: set[str] = set()
    for recording in recordings:
        for channel, unit in recording.units:
            known, where = first.setdefault(channel, (unit, f"recording {shown(recording.name)}"))
            if channel not in said and _symbol(unit) != _symbol(known):
                said.add(channel)
                yield (
                    f"{dataset}: channel {shown(channel)} is in {known} in {where}, in {unit} in "
                    f"the file of recording {shown(recording.name)}. Values are not converted: "
                    "bring all recordings to one unit."
                )


def _symbol(unit: str) -> str:
    """One way to write a unit, such as uV for microvolts."""
    return SYMBOLS.get(unit.strip().lower(), unit.strip().translate(MICRO))


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
