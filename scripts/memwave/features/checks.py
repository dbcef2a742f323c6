"""Checks of computed features: overflow of the stored type, and loss of digits of small values."""

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.features.sliding import FeatureBlocks
from memwave.features.spec import FeatureSpec
from memwave.recordings.segments import PlannedRecording

# Coefficients smaller than this share of the signal are rounding errors: the chosen bands contain
# no signal.
ROUNDING = 1e-13

WIDER = {"float16": "float32", "float32": "float64"}


def check_features(
    block: np.ndarray, first: int, recording: PlannedRecording, spec: FeatureSpec
) -> None:
    """Require that all features of a block fit the stored type.

    Parameters
    ----------
    block : ndarray, shape (n, d)
        Stored features; an overflow is an infinite value.
    first : int
        Index in the recording of the first window of the block.
    recording : PlannedRecording
    spec : FeatureSpec

    Raises
    ------
    MemwaveError
        Names recording, row and channels of the first feature that overflows.
    """
    if np.isfinite(block).all():
        return
    window, feature = first_set(~np.isfinite(block))
    wider = WIDER.get(spec.dtype)
    remedy = f"Use dtype: {wider}, or scale the recording down" if wider else "Scale it down"
    raise MemwaveError(
        f"{recording}: the window that starts at row {(first + window) * spec.step} has a feature "
        f"({spec.describe(feature)}) larger than {spec.dtype} can hold "
        f"({np.finfo(spec.dtype).max:g}). {remedy}."
    )


def check_digits(computed: FeatureBlocks, recording: PlannedRecording) -> None:
    """Raise MemwaveError if the features of a recording are too small for the stored type.

    Below the smallest normal number of a type, smaller values have fewer digits, and the smallest
    have none. Example: a signal in volts whose values are some ten microvolts.

    Parameters
    ----------
    computed : FeatureBlocks
        Has computed all features of the recording.
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
    """Return row and column of the first set flag; `flags` is boolean and 2-d."""
    row, column = np.unravel_index(np.argmax(flags), flags.shape)
    return int(row), int(column)
