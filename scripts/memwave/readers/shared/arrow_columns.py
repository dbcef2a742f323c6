"""Import of pyarrow, and conversion of its columns to NumPy arrays."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from memwave.readers.base import FileSource
from memwave.readers.shared.exact import require_exact
from memwave.readers.shared.libraries import library
from memwave.readers.sources import Texts


def arrow_module(name: str, path: str) -> Any:
    """Import a module of pyarrow, with the memory pool of the system.

    The other pools reserve much more memory than they use, and the limit of a stage counts that.
    """
    arrow = library("pyarrow", path)
    arrow.set_memory_pool(arrow.system_memory_pool())
    return library(f"pyarrow.{name}", path)


def without_index(schema: Any) -> list[str]:
    """Return the names of a table's columns, without those of the index of its rows.

    pandas writes an index as columns, and lists them in the metadata of the schema:
    https://pandas.pydata.org/docs/development/developer.html.
    """
    try:
        facts = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        index = {name for name in facts["index_columns"] if isinstance(name, str)}
    except (ValueError, KeyError, TypeError):
        return schema.names
    return [name for name in schema.names if name not in index]


class TypedColumns:
    """Chosen columns of a table whose schema states their types.

    Parameters
    ----------
    path : str
        The file, for errors.
    schema : pyarrow.Schema
    columns : sequence of int
        Indices of the columns.
    texts : bool
        Whether they are read as texts; then they may have any type.

    Attributes
    ----------
    names : list of str
    dtype : numpy.dtype
        The type that represents all numbers: a float, since any value may be missing.
    others : list of str
        Names of columns that have no numbers.
    """

    def __init__(self, path: str, schema: Any, columns: Sequence[int], *, texts: bool):
        types = library("pyarrow.types", path)
        fields = [_decoded(schema.field(column), types) for column in columns]
        self._texts = texts
        self.names = [field.name for field in fields]
        self._others = {
            field.name: field.type
            for field in fields
            if not (types.is_integer(field.type) or types.is_floating(field.type))
        }
        self.others = list(self._others)
        floats = (types.is_floating(f.type) and not types.is_float64(f.type) for f in fields)
        self.dtype = np.dtype("f4" if all(floats) else "f8")

    def require_numbers(self, source: FileSource) -> None:
        """Raise an error of the source that names a column without numbers."""
        for name, kind in self._others.items():
            if not self._texts:
                raise source.error(
                    f"the column {name!r} holds values of type {kind}, expected integers or "
                    "floats. Leave it out, or convert it"
                )


def _decoded(field: Any, types: Any) -> Any:
    """A field whose values are in a dictionary, with the type of these values."""
    return field.with_type(field.type.value_type) if types.is_dictionary(field.type) else field


def column_values(
    source: FileSource,
    columns: Sequence[Any],
    dtype: np.dtype,
    first_row: int,
    names: Sequence[str | int],
) -> np.ndarray:
    """Return Arrow arrays as the columns of one array; missing values are NaN.

    `names` are those of the columns, for messages.

    Raises
    ------
    MemwaveError
        Names row and column of an integer that float64 would round.
    """
    values = np.empty((len(columns[0]), len(columns)), dtype)
    for i, column in enumerate(columns):
        if hasattr(column, "dictionary_decode"):
            column = column.dictionary_decode()
        if str(column.type) in ("int64", "uint64"):
            integers = column.fill_null(0).to_numpy(zero_copy_only=False)
            rows = range(first_row, first_row + len(integers))
            require_exact(source, integers, rows, [names[i]])
        values[:, i] = column.to_numpy(zero_copy_only=False)
    return values


def texts_of(column: Any) -> Texts:
    """Return a column of Arrow strings as indices and texts."""
    encoded = column.dictionary_encode()
    return encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary.to_pylist()
