"""DataFrames as arrays: all columns are numbers, and a missing value is NaN."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.messages import shown
from memwave.readers.matrices.checks import require_different
from memwave.readers.shared.arrow_columns import without_index
from memwave.readers.shared.exact import MOST_INTEGER


def is_table(X: Any) -> bool:
    """Whether `X` is a DataFrame of pandas, polars or the like, or a table of pyarrow."""
    return hasattr(X, "columns") and (hasattr(X, "to_numpy") or _is_of_arrow(X))


def _is_of_arrow(X: Any) -> bool:
    return hasattr(X, "column_names") and hasattr(X, "schema")


def names_of(table: Any, name: str) -> list[str] | None:
    """Return the names of the columns if they are texts."""
    names = [label for label, _ in _columns(table)]
    if not all(isinstance(column, str) for column in names):
        return None
    require_different(name, names)
    return names


def array_of(table: Any, name: str) -> np.ndarray:
    """Convert a table to an array.

    Raises
    ------
    InvalidMatrix
        Names a column that has no numbers, or an integer that float64 would round.
    """
    if _is_of_arrow(table):
        columns = [_numbers(column, label, name) for label, column in _columns(table)]
        array = np.column_stack(columns) if columns else np.empty((table.num_rows, 0))
    else:
        array = np.asarray(_converted(table, name))
        if array.dtype != object and not hasattr(table, "iloc"):
            for label, column in _columns(table):  # polars makes numbers of dates
                _numbers(column, label, name)
    if array.dtype == object:
        array = np.empty(array.shape, np.float64)
        for i, (label, column) in enumerate(_columns(table)):
            array[:, i] = _numbers(column, label, name)
    if array.dtype == np.float64:
        for i, (label, column) in enumerate(_columns(table)):
            kind = column.type if _is_of_arrow(table) else column.dtype
            if str(kind).lower().startswith(("int64", "uint64")):
                _require_exact(array[:, i], label, name)
    return array


def _converted(table: Any, name: str) -> Any:
    """A table or a column of it as an array."""
    try:
        return table.to_numpy()
    except Exception as error:  # libraries raise nearly any, as for integers of 128 bits
        raise InvalidMatrix(
            f"{name}: cannot be converted to numbers ({error}). Convert it to float64, or leave it "
            "out."
        ) from error


def _columns(table: Any) -> Iterator[tuple[Any, Any]]:
    """Names and values of all columns; pandas may have two of one name."""
    if _is_of_arrow(table):
        left = without_index(table.schema)
        both = zip(table.column_names, table.columns, strict=True)
        yield from ((label, column) for label, column in both if label in left)
        return
    for i, label in enumerate(table.columns):
        yield label, table.iloc[:, i] if hasattr(table, "iloc") else table[label]


def _numbers(column: Any, label: Any, name: str) -> np.ndarray:
    # An array of Arrow converts what has missing values only if it is asked for an array so.
    where = f"{name}: column {shown(label)}"
    values = np.asarray(column if hasattr(column, "to_pylist") else _converted(column, where))
    if values.dtype.kind in "biuf" and values.ndim == 1:
        return values
    if values.dtype == object and not any(isinstance(value, (str, bytes)) for value in values):
        try:
            if hasattr(column, "iloc"):  # pandas, whose missing values are of several kinds
                return column.to_numpy(dtype="float64", na_value=np.nan)
            return values.astype(np.float64)
        except (TypeError, ValueError):
            pass
    held = values.dtype if values.ndim == 1 else f"lists of {values.dtype}"
    raise InvalidMatrix(
        f"{where} holds {held} values, expected numbers. Leave it out, or convert it to numbers."
    )


def _require_exact(values: np.ndarray, label: Any, name: str) -> None:
    too_large = np.abs(values) >= MOST_INTEGER
    if too_large.any():
        row = int(np.argmax(too_large))
        raise InvalidMatrix(
            f"{name}: row {row}, column {shown(label)} has an integer of {MOST_INTEGER:,} (2**53) "
            "or more, which float64 rounds. Subtract an offset from the column, or leave it out."
        )
