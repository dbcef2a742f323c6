"""Checks that a fitted model can be applied to the features, or the columns, of a dataset."""

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

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
    """Return the options of a model in a file in the form of those of a fitted model.

    Raises
    ------
    MemwaveError
        If the file is not a model.
    """
    model = load_given(path)
    return as_applied({"solver": model.solver, "n_components": model.n_components})


def as_applied(fitted: Mapping[str, Any]) -> dict:
    """Return the options of an applied model, given those of its fit."""
    kept = {key: fitted[key] for key in ("solver", "n_components", "select") if key in fitted}
    return kept | {"compute_dtype": "auto", "standardize": False}


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
    is_same = _same(scaling, ours) if scaling else spec.scale == "none"
    yield from _differences(place, path, fitted, features, spec)
    if not is_same:
        yield _other_scaling(place, path, features, is_scaled=scaling is not None)


def planned_findings(
    name: str,
    path: str,
    fitted: FeatureSpec | MatrixSpec,
    features: str,
    spec: FeatureSpec,
    *,
    same_scaling: bool,
) -> Iterator[str]:
    """Compare as `applied_findings` does, where the same run fits the model before.

    `fitted` are the features that it is fitted to, and `same_scaling` is whether the channels are
    scaled as there; the file may not exist yet, or be an older one.
    """
    place = f"models.{name}.apply"
    if isinstance(fitted, MatrixSpec):
        yield (
            f"{place}: {path} is fitted to a matrix, and features.{features} are of recordings. "
            "Apply it to matrices of the columns it is fitted to."
        )
        return
    yield from _differences(place, path, fitted, features, spec)
    if not same_scaling:
        yield _other_scaling(place, path, features, is_scaled=fitted.scale != "none")


def _differences(
    place: str, path: str, fitted: FeatureSpec, features: str, spec: FeatureSpec
) -> Iterator[str]:
    """Differences of the features of a fit from others, apart from their scaling."""
    for key in DECISIVE:
        theirs, mine = getattr(fitted, key), getattr(spec, key)
        if theirs != mine:
            yield (
                f"{place}: {path} was fitted with {key} {_shown(theirs)}, and features.{features} "
                f"has {_shown(mine)}. Apply it to the same kind of features as in its fit."
            )


def _other_scaling(place: str, path: str, features: str, *, is_scaled: bool) -> str:
    if not is_scaled:
        return (
            f"{place}: {path} was fitted to channels that were not scaled, expected "
            f"features.{features}.scale: none."
        )
    return (
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
    yield from _other_columns(place, path, width, names, spec)


def planned_matrix_findings(
    name: str, path: str, fitted: FeatureSpec | MatrixSpec, spec: MatrixSpec
) -> Iterator[str]:
    """Differences as of `applied_matrix_findings`, where the same run fits the model before."""
    names = fitted.names if isinstance(fitted, MatrixSpec) else None
    yield from _other_columns(f"models.{name}.apply", path, fitted.n_features, names, spec)


def _other_columns(
    place: str, path: str, width: int, names: Sequence[str] | None, spec: MatrixSpec
) -> Iterator[str]:
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
    if not is_model(spec.scale) or os.path.relpath(spec.scale) in made:
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
