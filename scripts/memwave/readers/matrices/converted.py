"""Matrices in files that are read from end to end, converted to rows that are read in any order."""

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np

from memwave.core.errors import InvalidMatrix, MemwaveError
from memwave.readers import DEFAULTS, Options, StreamSource, file_of, load_libraries, open_source
from memwave.readers.matrices.checks import (
    require_different,
    require_matrix,
    require_numbers,
)
from memwave.storage.npy import MappedRows, temporary_matrix
from memwave.storage.shards import Shard


class ConvertedPart:
    """A part of a matrix that `convert_recordings` wrote: its rows are compared with checksums."""

    grain = 1

    def __init__(self, path: str, n_features: int):
        self._shard = Shard(path, n_features=n_features)
        self.path, self.shape, self.dtype = path, self._shard.shape, self._shard.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Map rows; raises DamagedFile."""
        return self._shard.rows(start, stop)

    def read_columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Map columns of rows; raises DamagedFile."""
        return self.read(start, stop)[:, low:high]

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask the system to fetch rows."""
        self._shard.read_ahead(start, stop)

    def column_names(self) -> list[str] | None:
        """Return None: the plan has the names."""
        return None

    def close(self) -> None:
        """Close the file."""
        self._shard.close()


class TemporaryPart:
    """A file that is read from end to end, as rows in a temporary file of the system.

    Parameters
    ----------
    path : str
        A table or an archive, such as Parquet, Arrow, CSV, ``x.npz::member``.
    dtype, columns : str, int, optional
        See `open_stream`.

    Raises
    ------
    MemwaveError
        If it cannot be read, or the disk of temporary files has too little space.
    """

    grain = 1

    def __init__(self, path: str, dtype: str | None = None, columns: int | None = None):
        load_libraries([path])
        self.path, self.file = path, file_of(path)
        with ExitStack() as opened, open_stream(path, dtype, columns) as source:
            self._names = source.channel_names
            shape = source.shape[0], source.shape[1]
            made = opened.enter_context(temporary_matrix(shape, str(source.dtype)))
            fill(source, made)
            self._rows = made.read_only()
            self._opened = opened.pop_all()
        self.shape, self.dtype = self._rows.shape, self._rows.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Map rows; the map goes when the array goes."""
        return self._rows.rows(start, stop)

    def read_columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Map columns of rows."""
        return self.read(start, stop)[:, low:high]

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask the system to fetch rows."""
        self._rows.read_ahead(start, stop)

    def column_names(self) -> list[str] | None:
        """Return the names of the columns, where the file has them."""
        return self._names

    def close(self) -> None:
        """Delete the temporary file."""
        self._opened.close()


def open_stream(
    path: str,
    dtype: str | None = None,
    columns: int | None = None,
    options: Options = DEFAULTS,
) -> StreamSource:
    """Open a matrix that is read from end to end, with all of its columns.

    Raises
    ------
    InvalidMatrix
        If it holds no matrix, or one of another width than `columns` says.
    """
    if dtype is not None:
        raise InvalidMatrix(
            f"{path}: dtype is for raw files. Leave it out: the file tells its own."
        )
    try:
        source = open_source(path, options=options)
    except MemwaveError as error:
        raise InvalidMatrix(str(error)) from error
    assert isinstance(source, StreamSource)
    try:
        require_matrix(path, source.shape)
        require_numbers(path, source.dtype)
        _require_names(path, source.channel_names)
        _require_values(source)
        if columns not in (None, source.shape[1]):
            raise InvalidMatrix(
                f"{path}: has {source.shape[1]} columns, expected {columns} as columns says. Leave "
                "columns out: the file tells its own."
            )
    except InvalidMatrix:
        source.close()
        raise
    return source


def _require_names(path: str, names: Sequence[str] | None) -> None:
    """Require that no column of a table is without a name, as the index of its rows is.

    Nor may two have one name: formats of tables select columns by their names.
    """
    for i, name in enumerate(names or ()):
        if not name.strip():
            raise InvalidMatrix(
                f"{path}: column {i} has no name. If it is the index of the rows, leave it out "
                "(pandas: to_csv(path, index=False); R: row.names = FALSE); if not, name it."
            )
    require_different(path, names or ())


def _require_values(source: StreamSource) -> None:
    """Require that no column of a table begins with texts, before the table is copied."""
    try:
        source.require_numbers()
    except MemwaveError as error:
        raise InvalidMatrix(
            f"{error} Remove columns that are not numbers from the file."
        ) from error


def fill(source: StreamSource, target: MappedRows) -> None:
    """Write all values of a source into a matrix of its shape."""
    filled, n_rows = 0, target.shape[0]
    for rows, columns, values in source.blocks():
        if rows.stop > n_rows:
            break
        target.rows(rows.start, rows.stop)[:, columns] = values
        filled += values.size
    if filled != n_rows * target.shape[1]:
        raise InvalidMatrix(
            f"{source.path}: has other rows than it announces ({n_rows}). It changed while it was "
            "read, or is damaged; copy or save it again."
        )
