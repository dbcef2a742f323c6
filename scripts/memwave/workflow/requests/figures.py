"""Requests of the jobs that draw."""

from dataclasses import dataclass

from memwave.features.columns import RowSources
from memwave.features.spec import FeatureSpec


@dataclass(frozen=True)
class FigureFacts:
    """Facts on a dataset for a figure that are not in its result files.

    Attributes
    ----------
    spec : FeatureSpec
    sampling_rate : float or None
        Rows a second.
    units : dict of str to str
        Units of the channels, by name.
    label_names : dict of int to str
    """

    spec: FeatureSpec
    sampling_rate: float | None
    units: dict[str, str]
    label_names: dict[int, str]


@dataclass(frozen=True)
class Exploration:
    """Of `plot_explore`: facts as for figures, and where the features of windows are read from."""

    facts: FigureFacts
    sources: RowSources
