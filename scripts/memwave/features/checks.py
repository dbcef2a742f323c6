"""Checks of computed features: too large for the stored type, or too small for its digits."""

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.features.sliding import FeatureBlocks
from memwave.features.spec import FeatureSpec
from memwave.recordings.segments import PlannedRecording

# A signal without anything in the bands that are kept leaves rounding errors of this share there.
ROUNDING = 1e-13

WIDER = {"float16": "float32", "float32": "float64"}


def check_features(
    block: np.ndarray, first: int, recording: PlannedRecording, spec: FeatureSpec
) -> None:
    """Raise the error of a block with features that could not be stored, if it has any.

    Parameters
    ----------
    block : ndarray, shape (n, d)
        As stored; an overflow shows as an infinite value.
    first : int
        Window of the recording that they begin with.
    recording : PlannedRecording
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
        f"{recording}: the window from row {(first + window) * spec.step} on has a feature "
        f"({spec.describe(feature)}) larger than {spec.dtype} can hold "
        f"({np.finfo(spec.dtype).max:g}). {remedy}."
    )


def check_digits(computed: FeatureBlocks, recording: PlannedRecording) -> None:
    """Raise MemwaveError if the features of a recording are so small that storing spoiled them.

    Below its smallest normal number a type has the fewer digits the smaller a value is, and in the
    end none: a signal in volts, say, that would be in the tens in microvolts.

    Parameters
    ----------
    computed : FeatureBlocks
        What computed all of them.
    recording : PlannedRecording
    """
    spec, size = computed.spec, computed.coefficients.root
    smallest = float(np.finfo(spec.dtype).smallest_normal)
    if not ROUNDING * computed.samples.root < size < smallest:
        return
    wider = WIDER.get(spec.dtype)
    raise MemwaveError(
        f"{recording}: its features are of size {size:.1e} "
        f"(root mean square), and below {smallest:.1e} {spec.dtype} loses digits. "
        f"Use {f'dtype: {wider}, or ' * bool(wider)}scale: zscore or robust in the feature set."
    )


def first_set(flags: np.ndarray) -> tuple[int, int]:
    """Row and column of the first flag, boolean, that is set."""
    row, column = np.unravel_index(np.argmax(flags), flags.shape)
    return int(row), int(column)
