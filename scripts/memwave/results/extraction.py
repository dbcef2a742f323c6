"""What model.h5 contains about the features: their specification, and the scaling of channels.

Jobs that compute features import this module and not `memwave.results.model_file`, so an edit of
the code of models repeats none of them.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed
from memwave.features.columns import BAND as MATRIX_BAND
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling, is_model, load_channels
from memwave.storage import hdf5

ENCODING = "memwave-model"

# For each dataset of the scaling: the attribute of `Scaling`, and the description in the file.
SCALING = {
    "channel_centre": ("center", "Subtracted from each channel before the features are computed."),
    "channel_spread": ("scale", "What each channel is divided by then."),
}


def load_extraction(path: str | Path) -> tuple[FeatureSpec, Scaling | None]:
    """Read the specification of the features of a model, and the scaling of the channels.

    Raises
    ------
    MemwaveError
        If the file is not a model, or does not contain the specification.
    """
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        if "extraction" not in file.attrs and is_of_matrix(file["features"]):
            raise MemwaveError(
                f"{path}: was fitted to the columns of a matrix, not to recordings. Project "
                "matrices onto it, by memwave transform or memwave.load_model."
            )
        if "extraction" not in file.attrs:
            raise MemwaveError(
                f"{path}: does not contain the specification of its features. Models of older "
                "versions of memwave lack it. Fit the model again."
            )
        chosen = json.loads(file.attrs["extraction"])
        spec = FeatureSpec(**{name: as_tuple(value) for name, value in chosen.items()})
        return spec, _scaling_in(file)


def load_channel_scaling(path: str | Path) -> Scaling | None:
    """Read the scaling of the channels that a model was fitted to; None if there is none."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        return _scaling_in(file)


def _scaling_in(file: h5py.File) -> Scaling | None:
    if "channel_centre" not in file:
        return None
    return Scaling(**{a: file[name][()] for name, (a, _) in SCALING.items()})


def is_of_matrix(features: h5py.Dataset) -> bool:
    """Whether a table of features is of the columns of a matrix."""
    return features[0]["band"].decode() == MATRIX_BAND


def load_scaling(
    scale: str, path: str | Path | None, channels: Sequence[str] | None = None
) -> Scaling | None:
    """Return the scaling of a feature set; None for ``none``.

    Parameters
    ----------
    scale : str
        As in the configuration.
    path : path or None
        The table of the channels, or the model whose scaling is used.
    channels : sequence of str, optional
        Names of the channels to scale; the table or the model must have these.

    Raises
    ------
    MemwaveError
        If the table cannot be read, a channel cannot be scaled, or the model has no scaling.
    """
    if scale == "none" or path is None:
        return None
    if is_model(scale):
        fitted, scaling = load_extraction(path)
        if scaling is None:
            raise MemwaveError(
                f"{path}: was fitted to channels that were not scaled. Expected a model with "
                "scaled channels, or scale: none."
            )
        if channels is not None and fitted.channels != tuple(channels):
            raise MemwaveError(
                f"{path}: scales the channels {listed(fitted.channels)}, expected "
                f"{listed(channels)}. Use a model of the same channels, or scale: zscore."
            )
        return scaling
    try:
        table = load_channels(path)
        names = [row.channel for row in table]
        if channels is not None and names != list(channels):
            raise ValueError(f"is of the channels {names}, expected {list(channels)}")
        return Scaling.of(scale, table)
    except ValueError as error:
        raise MemwaveError(f"{path}: {error}.") from error


def as_tuple(value: Any) -> Any:
    """Convert a list, which JSON makes of a tuple, back to a tuple."""
    return tuple(value) if isinstance(value, list) else value
