"""Whether a model that was fitted before can be applied to the features of a dataset."""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import shown
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling, is_model
from memwave.results.model_file import load_extraction, load_model, load_scaling

# What decides which feature is which; windows may stand as far apart as one likes.
DECISIVE = ("channels", "window", "wavelet", "level", "bands", "layout", "mode")


def applied_options(path: str) -> dict:
    """Options of a model that is applied, as those of a fitted one: its solver and components.

    Raises
    ------
    MemwaveError
        If the file is no model.
    """
    model = load_model(path)
    return {
        "apply": path,
        "solver": model.solver,
        "n_components": model.n_components,
        "compute_dtype": "auto",
        "standardize": False,
    }


def applied_findings(name: str, path: str, features: str, spec: FeatureSpec) -> Iterator[str]:
    """Differences between the features a model was fitted to and those it is to be applied to.

    Parameters
    ----------
    name, path : str
        Name of the model in the configuration, and its file.
    features, spec : str, FeatureSpec
        Name of the feature set, and what it is on the dataset.

    Yields
    ------
    str
        Where, what was found, what was expected and what to do.
    """
    place = f"models.{name}.apply"
    try:
        fitted, scaling = load_extraction(path)
        ours = load_scaling(spec.scale, spec.scale if is_model(spec.scale) else None)
    except MemwaveError as error:
        yield f"{place}: {error}"
        return
    for key in DECISIVE:
        theirs, mine = getattr(fitted, key), getattr(spec, key)
        if theirs != mine:
            yield (
                f"{place}: {path} was fitted with {key} {_shown(theirs)}, and features.{features} "
                f"has {_shown(mine)}. Apply it to features as those it was fitted to."
            )
    if scaling is None and spec.scale != "none":
        yield (
            f"{place}: {path} was fitted to channels that were not scaled, expected "
            f"features.{features}.scale: none."
        )
    if scaling is not None and not _same(scaling, ours):
        yield (
            f"{place}: {path} was fitted to channels scaled by figures of its own, expected "
            f"features.{features}.scale: {path}, which takes them."
        )


def _shown(value: object) -> str:
    return shown(list(value) if isinstance(value, tuple) else value)


def _same(one: Scaling, other: Scaling | None) -> bool:
    return (
        other is not None
        and np.array_equal(one.center, other.center)
        and np.array_equal(one.scale, other.scale)
    )
