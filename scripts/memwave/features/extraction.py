"""Refusing what cannot become features: values that are not finite, features too large or small."""

from collections.abc import Sequence

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.features.sliding import FeatureBlocks
from memwave.features.spec import FeatureSpec

# A signal without anything in the bands that are kept leaves rounding errors of this share there.
ROUNDING = 1e-13

WIDER = {"float16": "float32", "float32": "float64"}


def require_shape(shape: tuple[int, ...], piece: dict, n_channels: int) -> None:
    """Raise MemwaveError if a recording is not as long and wide as when the run was planned."""
    if shape != (piece["rows"], n_channels):
        raise MemwaveError(
            f"recording {piece['recording']!r}: {piece['path']} has shape {shape} now, and had "
            f"{piece['rows']} rows when the run was planned. Start again."
        )


def check_rows(
    rows: np.ndarray,
    start: int,
    piece: dict,
    channels: Sequence[str],
    *,
    may_miss: bool = False,
) -> None:
    """Require that all values of a stretch of a recording are finite.

    Parameters
    ----------
    rows : ndarray, shape (n, channels)
    start : int
        Row of the recording that they begin with.
    piece : dict
        Names the ``recording`` and its ``path``.
    channels : sequence of str
    may_miss : bool
        Whether values may be missing (NaN); infinite ones may not be there in any case.

    Raises
    ------
    MemwaveError
        Names recording, row and channel of the first value that is not.
    """
    if rows.dtype.kind != "f":
        return
    refused = np.isinf(rows) if may_miss else ~np.isfinite(rows)
    if not refused.any():
        return
    row, channel = first_set(refused)
    value = rows[row, channel]
    remedy = "Repair the recording."
    if np.isnan(value):
        remedy = "Repair the recording, or set missing: drop or interpolate for its dataset."
    if np.isnan(value) and piece.get("max_gap"):
        remedy = (
            f"It is in a gap longer than max_gap ({piece['max_gap']} rows), or at an end of the "
            "recording. Set a larger max_gap or missing: drop for its dataset."
        )
    raise MemwaveError(
        f"recording {piece['recording']!r} ({piece['path']}): row {start + row}, channel "
        f"{channels[channel]} is {value}; expected finite values. {remedy}"
    )


def check_features(block: np.ndarray, first: int, piece: dict, spec: FeatureSpec) -> None:
    """Raise the error of a block with features that could not be stored, if it has any.

    Parameters
    ----------
    block : ndarray, shape (n, d)
        As stored; an overflow shows as an infinite value.
    first : int
        Window of the recording that they begin with.
    piece : dict
        Names the ``recording`` and its ``path``.
    spec : FeatureSpec

    Raises
    ------
    MemwaveError
        Names recording, row and channels of the first feature that could not.
    """
    if np.isfinite(block).all():
        return
    window, feature = first_set(~np.isfinite(block))
    wider = WIDER.get(spec.dtype)
    remedy = f"Use dtype: {wider}, or scale the recording down" if wider else "Scale it down"
    raise MemwaveError(
        f"recording {piece['recording']!r} ({piece['path']}): the window from row "
        f"{(first + window) * spec.step} on has a feature ({spec.describe(feature)}) larger than "
        f"{spec.dtype} can hold ({np.finfo(spec.dtype).max:g}). {remedy}."
    )


def check_digits(computed: FeatureBlocks, piece: dict) -> None:
    """Raise MemwaveError if the features of a recording are so small that storing spoiled them.

    Below its smallest normal number a type has the fewer digits the smaller a value is, and in the
    end none: a signal in volts, say, that would be in the tens in microvolts.

    Parameters
    ----------
    computed : FeatureBlocks
        What computed all of them.
    piece : dict
        Names the ``recording`` and its ``path``.
    """
    spec, size = computed.spec, computed.coefficients.root
    smallest = float(np.finfo(spec.dtype).smallest_normal)
    if not ROUNDING * computed.samples.root < size < smallest:
        return
    wider = WIDER.get(spec.dtype)
    raise MemwaveError(
        f"recording {piece['recording']!r} ({piece['path']}): its features are of size {size:.1e} "
        f"(root mean square), and below {smallest:.1e} {spec.dtype} loses digits. "
        f"Use {f'dtype: {wider}, or ' * bool(wider)}scale: zscore or robust in the feature set."
    )


def first_set(flags: np.ndarray) -> tuple[int, int]:
    """Row and column of the first flag, boolean, that is set."""
    row, column = np.unravel_index(np.argmax(flags), flags.shape)
    return int(row), int(column)
