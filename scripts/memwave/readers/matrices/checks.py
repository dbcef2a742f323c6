"""What a matrix has to be: rows and columns of numbers, all of them finite."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.messages import shown
from memwave.core.ranges import spans

# Values that are looked at together: they stay in the second-level cache.
CHECKED = 65_536

# Bits of a float16 that are all set in what is not finite.
HALF_EXPONENT = 0x7C00


class NotNumbers(InvalidMatrix, TypeError):
    """Values that are no numbers. It is a TypeError as well, as programs expect."""


def type_of(path: object, dtype: str) -> np.dtype:
    """Return the type that a name means, if it is one of numbers that can be read."""
    try:
        kind = np.dtype(dtype)
    except TypeError as error:
        raise InvalidMatrix(
            f"{path}: dtype {shown(dtype)} is unknown, expected float16, float32, float64 or "
            "int8 to uint64."
        ) from error
    require_numbers(path, kind)
    return kind


def require_numbers(path: object, dtype: np.dtype) -> None:
    """Require real numbers of at most 64 bits."""
    if dtype.kind in "iuf" and dtype.itemsize <= 8:
        return
    if dtype.names:
        what = f"records with the fields {', '.join(dtype.names)}"
        do = "Store the fields as columns of one type"
    elif dtype.kind == "c":
        what, do = (
            f"complex numbers ({dtype})",
            "Complex data not supported; take its real part, imaginary part or magnitude",
        )
    elif dtype.hasobject:
        what, do = "Python objects", "Convert them, for example with array.astype('float64')"
    elif dtype.kind in "SUT":
        what, do = f"text ({dtype})", "Leave such columns out, or convert them to numbers"
    else:
        what, do = (
            f"values of type {dtype}",
            "Convert them, for example with array.astype('float32')",
        )
    raise InvalidMatrix(
        f"{path}: holds {what}, expected floats of 16, 32 or 64 bits or integers of 8 to 64. {do}."
    )


def require_matrix(path: object, shape: tuple[int, ...]) -> None:
    """Require two dimensions, and something in them."""
    if not shape:
        raise InvalidMatrix(
            f"{path}: is a single value (0 dimensions), expected a path, an array, or a list of "
            "rows."
        )
    if len(shape) == 1:
        raise InvalidMatrix(
            f"{path}: has 1 dimension (shape {shape}), expected 2: rows x columns. Reshape your "
            "data, for example with array.reshape(-1, columns)."
        )
    if len(shape) != 2:
        raise InvalidMatrix(
            f"{path}: has {len(shape)} dimensions (shape {shape}), expected 2: rows x columns. "
            "Reshape your data, for example with array.reshape(len(array), -1)."
        )
    if shape[0] < 1:
        raise InvalidMatrix(
            f"{path}: has 0 rows: found array with 0 sample(s) (shape={shape}) while a minimum of "
            "1 is required."
        )
    if shape[1] < 1:
        raise InvalidMatrix(
            f"{path}: has 0 columns: found array with 0 feature(s) (shape={shape}) while a minimum "
            "of 1 is required."
        )


def require_finite(
    values: np.ndarray,
    path: object,
    first_row: int,
    names: Sequence[str] | None = None,
    first_column: int = 0,
) -> None:
    """Require finite values; the error names row and column, counted from 0.

    Parameters
    ----------
    values : ndarray, shape (n, d)
    path : object
        What is read, for the message.
    first_row : int
        Number of the first row.
    names : sequence of str, optional
        Names of all columns.
    first_column : int
        Number of the first column.
    """
    if values.dtype.kind != "f":
        return
    for start, stop in spans(0, len(values), max(1, CHECKED // values.shape[1])):
        if _finite(values[start:stop]):
            continue
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values[start:stop]))[0])
        what = (
            str(float(values[start + row, column])).replace("nan", "NaN").replace("inf", "infinity")
        )
        column += first_column
        name = f" ({shown(names[column])})" if names else ""
        raise InvalidMatrix(
            f"{path}: row {first_row + start + row}, column {column}{name} is {what}, expected "
            "finite values. Fill it in, or leave out rows with NaN by missing: drop."
        )


def missing_rows(values: np.ndarray) -> np.ndarray:
    """Flag the rows, shape (n, d), with a missing value (NaN): boolean, shape (n,)."""
    missing = np.zeros(len(values), bool)
    if values.dtype.kind == "f":
        for start, stop in spans(0, len(values), max(1, CHECKED // values.shape[1])):
            if not _finite(values[start:stop]):
                missing[start:stop] = np.isnan(values[start:stop]).any(axis=1)
    return missing


def require_different(path: object, names: Sequence[str]) -> None:
    """Require that no two columns have one name."""
    if len(set(names)) == len(names):
        return
    name = next(name for name, count in Counter(names).items() if count > 1)
    raise InvalidMatrix(
        f"{path}: has {names.count(name)} columns called {shown(name)}, expected names that "
        "differ. Rename them."
    )


def require_same_names(
    path: object, names: Sequence[str] | None, first: object, known: Sequence[str] | None
) -> None:
    """Require that two parts name as many columns alike, where both name theirs."""
    for i, (name, expected) in enumerate(zip(names or (), known or (), strict=False)):
        if name != expected:
            raise InvalidMatrix(
                f"{path}: its column {i} is called {shown(name)}, expected {shown(expected)} as in "
                f"{first}. Put the columns in the same order."
            )


def _finite(values: np.ndarray) -> bool:
    if values.dtype == np.float16 and values.flags.c_contiguous:
        exponents = values.view(np.uint16) & HALF_EXPONENT
        return int(exponents.max()) < HALF_EXPONENT
    return bool(np.isfinite(values).all())
