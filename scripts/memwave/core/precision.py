"""Blocks of stored features brought to the type that is computed in, shifted, and its range."""

from collections.abc import Callable

import numpy as np

from memwave.core.errors import MemwaveError

# Brings stored rows to the type of a block, shifted; see `load_shifted`.
Load = Callable[[np.ndarray, np.ndarray, np.ndarray], None]

# Values converted at once: the scratch and both ends stay in the second-level cache.
CHUNK = 65_536

_SIGN_AND_DIGITS = np.int32(-0x70002000)  # 0x8fffe000: sign, and ten bits of fraction with exponent
_REBIAS = np.float32(2.0**112)  # the exponents of halves and singles start 112 apart


def compute_dtype(setting: str, stored: str) -> str:
    """Resolve ``auto``: the smaller of float32 and float64 that holds all stored values.

    float16 and integers of up to 16 bits fit float32. Of integers of 64 bits, float64 keeps the
    leading 53.
    """
    if setting != "auto":
        return setting
    kind = np.dtype(stored)
    fits = kind.itemsize <= (4 if kind.kind == "f" else 2)
    return "float32" if fits else "float64"


def needed_shift(mean: np.ndarray, variance: float) -> np.ndarray:
    """What is to be subtracted from rows so that their products keep their digits, shape (d,).

    Products of rows with a mean far longer than their spread lose it; where the mean is no longer
    than the spread, they lose less than a bit, and the rows can be used as they are stored.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    variance : float
        Mean squared distance of the rows from it.

    Returns
    -------
    ndarray, shape (d,)
        The mean, or zeros.
    """
    return mean if float(mean @ mean) > variance else np.zeros_like(mean)


def require_no_overflow(*squares: float | np.ndarray) -> None:
    """Raise MemwaveError unless sums of squares or products of features are finite."""
    if not all(np.isfinite(values).all() for values in squares):
        raise MemwaveError(
            "the squares of the features are too large to be summed up. Set scale in the feature "
            "set, divide the columns of a matrix by a constant, or set compute_dtype: float64."
        )


def require_digits(variance: float, dtype: str, what: str) -> None:
    """Raise MemwaveError if squares of features are too small to keep all digits in a type.

    Parameters
    ----------
    variance : float
        Mean variance of a feature.
    dtype : {"float32", "float64"}
        What squares are computed in.
    what : str
        Whose features they are, for the message.
    """
    limits = np.finfo(dtype)
    smallest = float(limits.smallest_normal) / float(limits.eps)
    if 0.0 < variance < smallest:
        other = ", or compute_dtype: float64 in the model" * (dtype != "float64")
        raise MemwaveError(
            f"{what}: the features have a variance of {variance:.1e} on average, and {dtype} loses "
            f"digits of squares below {smallest:.1e}. Set scale in the feature set, multiply the "
            f"columns of a matrix by a constant{other}."
        )


def load_shifted(stored: np.ndarray, shift: np.ndarray, out: np.ndarray) -> None:
    """Compute ``stored - shift`` in the dtype of `out`, in one pass through the cache.

    Parameters
    ----------
    stored : ndarray, shape (n, d), floats or integers
        Finite values.
    shift : ndarray, shape (d,), dtype of `out`
        Subtracted from every row.
    out : ndarray, shape (n, d), float32 or float64
        Filled.

    Notes
    -----
    float16 to float32 is exact, and done with integer operations that the processor's vector
    units know: NumPy's own conversion handles one value at a time where the wheel was not built
    for F16C. Scratch memory is 4 bytes for each of `CHUNK` values.
    """
    if not (stored.dtype == np.float16 and out.dtype == np.float32):
        np.subtract(stored, shift, out=out, dtype=out.dtype, casting="same_kind")
        return
    rows, shifted = max(1, CHUNK // stored.shape[1]), shift.any()
    for start in range(0, len(stored), rows):
        piece = out[start : start + rows]
        halves_to_singles(stored[start : start + rows], piece)
        if shifted:
            piece -= shift


def halves_to_singles(halves: np.ndarray, out: np.ndarray) -> None:
    """Convert finite float16 values to float32, exactly.

    A half's exponent and fraction, moved to where a single has them, are the same number times
    2**-112, subnormals included.
    """
    bits = out.view(np.int32)
    np.copyto(bits, halves.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_DIGITS, out=bits)
    np.multiply(out, _REBIAS, out=out)
