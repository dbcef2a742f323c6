"""Conversion of stored features to the type of the computation, and checks of its range."""

from collections.abc import Callable

import numpy as np

from memwave.core.errors import MemwaveError

# Converts stored rows to the type of a block and shifts them; see `load_shifted`.
Load = Callable[[np.ndarray, np.ndarray, np.ndarray], None]

# Values converted at once. Scratch memory, input and output fit in the second-level cache.
CHUNK = 65_536

_SIGN_AND_DIGITS = np.int32(-0x70002000)  # 0x8fffe000: sign, exponent and ten bits of fraction
_REBIAS = np.float32(2.0**112)  # the exponent biases of float16 and float32 differ by 112


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
    """Return the vector to subtract from rows so that their products keep their digits.

    If the mean is much longer than the standard deviation, products of the rows lose digits of the
    covariance. If the mean is not longer than the standard deviation, they lose less than one bit,
    and the rows need no shift.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    variance : float
        Mean squared distance of the rows from the mean.

    Returns
    -------
    ndarray, shape (d,)
        The mean, or zeros.
    """
    return mean if float(mean @ mean) > variance else np.zeros_like(mean)


def is_noise(variance: float, mean: np.ndarray) -> bool:
    """Whether a sum of variances is no larger than rounding of the mean makes it for constants."""
    unit = power_of_two(float(np.abs(mean).max(initial=0.0)))
    share = 8 * float(np.finfo(np.float64).eps) * float(np.linalg.norm(mean / unit))
    return variance <= 0.0 or float(np.sqrt(variance)) <= share * unit


def power_of_two(value: float) -> float:
    """The largest power of two that is not above a positive value; 1 for zero.

    A division by it is exact, unless the result is subnormal.
    """
    return float(np.ldexp(1.0, int(np.frexp(value)[1]) - 1)) if value else 1.0


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Euclidean norm of each column, even if squares leave the range of float64."""
    unit = power_of_two(float(np.abs(vectors).max(initial=0.0)))
    return np.linalg.norm(vectors / unit, axis=0) * unit


def require_no_overflow(*squares: float | np.ndarray) -> None:
    """Raise MemwaveError unless all sums of squares or products of features are finite."""
    if not all(np.isfinite(values).all() for values in squares):
        raise MemwaveError(
            "the squares of the features are too large to be summed up. Set scale in the feature "
            "set, divide the columns of a matrix by a constant, or set compute_dtype: float64."
        )


def require_digits(variance: float, dtype: str, what: str) -> None:
    """Raise MemwaveError if squares of features are too small to keep all digits of a type.

    Parameters
    ----------
    variance : float
        Mean variance of a feature.
    dtype : {"float32", "float64"}
        Type of the squares.
    what : str
        Owner of the features, for the message.
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
    """Compute ``stored - shift`` in the dtype of `out`, chunk by chunk in the cache.

    Parameters
    ----------
    stored : ndarray, shape (n, d), floats or integers
        Finite values.
    shift : ndarray, shape (d,), dtype of `out`
        Subtracted from every row.
    out : ndarray, shape (n, d), float32 or float64
        Output buffer.

    Notes
    -----
    Only the difference is rounded to the type of `out`. The conversion of float16 to float32 is
    exact. It uses integer operations that run on the processor's vector units; NumPy's own
    conversion handles one value at a time if the wheel was built without F16C. Scratch memory is
    8 bytes for each of `CHUNK` values.
    """
    if stored.dtype != np.float16:
        # In the wider of both types, so that a large offset costs no digits of the difference.
        wider = np.result_type(stored, out)
        np.subtract(stored, shift, out=out, dtype=wider, casting="same_kind")
        return
    rows, shifted = max(1, CHUNK // stored.shape[1]), shift.any()
    singles = out if out.dtype == np.float32 else np.empty((rows, stored.shape[1]), np.float32)
    for start in range(0, len(stored), rows):
        chunk = out[start : start + rows]
        loaded = chunk if singles is out else singles[: len(chunk)]
        halves_to_singles(stored[start : start + rows], loaded)
        if shifted:
            np.subtract(loaded, shift, out=chunk, dtype=out.dtype)
        elif loaded is not chunk:
            chunk[:] = loaded


def halves_to_singles(halves: np.ndarray, out: np.ndarray) -> None:
    """Convert finite float16 values to float32, exactly.

    The exponent and fraction bits of a float16 value, moved to their place in a float32 value,
    give the same number times 2**-112. This also holds for subnormal numbers.
    """
    bits = out.view(np.int32)
    np.copyto(bits, halves.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_DIGITS, out=bits)
    np.multiply(out, _REBIAS, out=out)
