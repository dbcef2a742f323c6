"""Checks that a fitted model can be applied to the features, or the columns, of a dataset."""

from collections.abc import Container, Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import shown
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling, is_model
from memwave.results.extraction import load_extraction, load_scaling
from memwave.results.model_file import MODEL, is_of_recordings, load_column_names, load_given
from memwave.storage import hdf5

# Keys that determine the meaning of each feature. The step of the windows may differ.
DECISIVE = ("channels", "window", "wavelet", "level", "bands", "layout", "mode")


def applied_options(path: str) -> dict:
    """Return the options of an applied model in the form of those of a fitted model.

    Raises
    ------
    MemwaveError
        If the file is not a model.
    """
    model = load_given(path)
    return {
        "apply": path,
        "solver": model.solver,
        "n_components": model.n_components,
        "compute_dtype": "auto",
        "standardize": False,
    }


def applied_findings(name: str, path: str, features: str, spec: FeatureSpec) -> Iterator[str]:
    """Compare the features of a model's fit with the features to which it is applied.

    Parameters
    ----------
    name, path : str
        Name of the model in the configuration, and its file.
    features, spec : str, FeatureSpec
        Name of the feature set, and its specification for the dataset.

    Yields
    ------
    str
        A finding: the place, what was found, what was expected and what to do.
    """
    place = f"models.{name}.apply"
    try:
        with hdf5.given(path, MODEL):
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
                f"has {_shown(mine)}. Apply it to the same kind of features as in its fit."
            )
    if scaling is None and spec.scale != "none":
        yield (
            f"{place}: {path} was fitted to channels that were not scaled, expected "
            f"features.{features}.scale: none."
        )
    if scaling is not None and not _same(scaling, ours):
        yield (
            f"{place}: {path} was fitted to channels with another scaling, expected "
            f"features.{features}.scale: {path}, which uses the scaling of the model."
        )


def applied_matrix_findings(name: str, path: str, spec: MatrixSpec) -> Iterator[str]:
    """Differences between the columns of a model's fit and those to which it is applied."""
    place = f"models.{name}.apply"
    try:
        width = load_given(path).n_features
        names = None if is_of_recordings(path) else load_column_names(path)
    except MemwaveError as error:
        yield f"{place}: {error}"
        return
    if width != spec.n_features:
        yield (
            f"{place}: {path} was fitted to {width} columns, and the matrix has "
            f"{spec.n_features}. Apply it to matrices of the columns it was fitted to."
        )
    elif names and spec.names and tuple(names) != spec.names:
        at = next(
            i for i, pair in enumerate(zip(names, spec.names, strict=True)) if pair[0] != pair[1]
        )
        yield (
            f"{place}: column {at} of the matrix is called {shown(spec.names[at])}, expected "
            f"{shown(names[at])} as {path} was fitted to. Put the columns in the same order."
        )


def scale_findings(features: str, spec: FeatureSpec, made: Container[str]) -> Iterator[str]:
    """Check that the model whose scaling a feature set uses has one, of the same channels.

    Parameters
    ----------
    features, spec : str, FeatureSpec
        Name of the feature set, and its specification for the dataset.
    made : container of str
        Models that the run itself makes. They may not exist yet.

    Yields
    ------
    str
        A finding: the place, what was found, what was expected and what to do.
    """
    if not is_model(spec.scale) or spec.scale in made:
        return
    try:
        with hdf5.given(spec.scale, MODEL):
            load_scaling(spec.scale, spec.scale, spec.channels)
    except MemwaveError as error:
        yield f"features.{features}.scale: {error}"


def _shown(value: object) -> str:
    return shown(list(value) if isinstance(value, tuple) else value)


def _same(one: Scaling, other: Scaling | None) -> bool:
    return (
        other is not None
        and np.array_equal(one.center, other.center)
        and np.array_equal(one.scale, other.scale)
    )
