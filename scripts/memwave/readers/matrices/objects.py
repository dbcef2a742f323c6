"""Matrices from Python objects: NumPy arrays and maps, h5py datasets, Zarr arrays, tables."""

import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from memwave.core.errors import InvalidMatrix, MemwaveError
from memwave.core.messages import listed
from memwave.readers import is_converted
from memwave.readers.formats.h5ad.sparse import dense_rows
from memwave.readers.formats.hdf5.virtual import missing_sources
from memwave.readers.matrices.checks import NotNumbers, require_matrix, require_numbers
from memwave.readers.matrices.converted import TemporaryPart
from memwave.readers.matrices.files import open_file
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.stack import Part
from memwave.readers.matrices.tables import array_of, is_table, names_of
from memwave.readers.shared.exact import rounded_integer
from memwave.readers.shared.flat import FlatSource
from memwave.readers.sources import ArraySource


def as_matrix(X: Any, dtype: str | None = None, columns: int | None = None) -> Matrix:
    """Open `X` as a matrix.

    Parameters
    ----------
    X : path, array or sequence of these
        See `memwave.PCA.fit`. A file is opened; close the matrix to close it.
    dtype, columns : str, int, optional
        Of raw files.

    Raises
    ------
    InvalidMatrix
        If it is no matrix of real numbers.
    """
    items = list(X) if _is_list_of_parts(X) else [X]
    parts: list[Part] = []
    try:
        for i, item in enumerate(items):
            name = "X" if len(items) == 1 else f"X[{i}]"
            parts.append(_part(item, dtype, columns, name))
        return Matrix(parts)
    except BaseException:
        for part in parts:
            part.close()
        raise


def _is_list_of_parts(X: Any) -> bool:
    """Whether `X` is a list of paths or matrices, rather than of rows."""
    if not isinstance(X, (list, tuple)) or not X:
        return False
    first = X[0]
    return isinstance(first, (str, os.PathLike)) or len(getattr(first, "shape", ())) == 2


def _part(X: Any, dtype: str | None, columns: int | None, name: str) -> Part:
    if isinstance(X, (str, os.PathLike)):
        return _file(os.fspath(X), dtype, columns)
    if dtype is not None or columns is not None:
        raise InvalidMatrix(
            f"{name}: dtype and columns are for files, expected neither of an array."
        )
    if isinstance(X, np.memmap):
        return map_part(X, name)
    if is_table(X):  # first: its columns may be called as any attribute
        return ArrayPart(array_of(X, name), name, names_of(X, name))
    _require_rows(X, name)
    return ArrayPart(X if _is_array(X) else _array(X, name), name)


def _require_rows(X: Any, name: str) -> None:
    """Refuse objects whose rows cannot be read by slices, with what to pass instead."""
    if hasattr(X, "tocsr") or hasattr(X, "tocoo"):
        raise InvalidMatrix(
            f"{name}: sparse data was passed, expected a dense matrix. Use X.toarray() if it fits "
            "the memory, or give blocks of it: pca.fit(X[i:i+1000].toarray() for i in ...)."
        )
    if getattr(X, "format", None) == "csc":  # of a backed AnnData
        raise InvalidMatrix(
            f"{name}: is a sparse matrix that is stored column by column, expected rows: each "
            "block of rows would read the whole file. Store it as a dense matrix, or as "
            "csr_matrix."
        )
    if all(hasattr(X, attribute) for attribute in ("obs", "var_names", "X")):
        raise InvalidMatrix(
            f"{name}: is an AnnData object, expected its matrix. Pass adata.X or a layer, or the "
            "path of the file."
        )
    if isinstance(X, Mapping):
        raise NotNumbers(
            f"{name}: holds arrays by name, expected one of them: X[{next(iter(X), 'name')!r}]."
        )
    is_of_dask = hasattr(X, "npartitions") and hasattr(X, "columns")
    if is_of_dask or (hasattr(X, "collect_schema") and not hasattr(X, "to_numpy")):
        raise InvalidMatrix(
            f"{name}: is a lazy table, expected its values. Pass "
            f"{'X.compute()' if is_of_dask else 'X.collect()'}, or the path of the file."
        )
    if isinstance(X, Iterator):
        raise InvalidMatrix(
            f"{name}: is an iterator, which can be read once, expected what can be read again. "
            "Call this method with its blocks one by one."
        )


def _file(path: str, dtype: str | None, columns: int | None) -> Part:
    try:
        from_end_to_end = is_converted(path)
    except MemwaveError as error:
        raise InvalidMatrix(str(error)) from error
    return (
        TemporaryPart(path, dtype, columns) if from_end_to_end else open_file(path, dtype, columns)
    )


def _is_array(X: Any) -> bool:
    """Whether rows of `X` can be read by slices, without a conversion."""
    if not all(has(X, wanted) for wanted in ("shape", "dtype", "__getitem__")):
        return False
    try:
        return np.dtype(X.dtype) != object
    except TypeError:  # the types of a tensor are not those of NumPy
        return False
    except (ValueError, RuntimeError):  # `ArrayPart` raises it again
        return True


def has(X: Any, name: str) -> bool:
    """Whether `X` has an attribute, even if it fails, as that of a dataset of a closed file."""
    try:
        return hasattr(X, name)
    except (ValueError, RuntimeError):
        return True


def _array(X: Any, name: str) -> np.ndarray:
    """Convert a list of rows, or objects that are numbers, to an array."""
    try:
        is_masked = isinstance(X, (list, tuple)) and any(map(np.ma.isMaskedArray, X))
        array = np.ma.array(X) if is_masked else np.asarray(X)
        return array.astype(np.float64) if array.dtype == object else array
    except TypeError as error:
        raise NotNumbers(
            f"{name}: holds what is no number ({error}). Expected a path, an array, a table, or "
            "a list of rows."
        ) from error
    except ValueError as error:
        raise InvalidMatrix(
            f"{name}: is no matrix of numbers ({error}). Expected rows of one length."
        ) from error


class ArrayPart:
    """An array in memory, or an object of another library that reads rows by slices.

    Masked values are missing ones (NaN), and truth values are 0 and 1.
    """

    def __init__(self, array: Any, name: str, names: Sequence[str] | None = None):
        self.path, self.array, self._names = name, array, names
        try:
            self.shape, stored = tuple(array.shape), np.dtype(array.dtype)
            chunks = None if isinstance(array, np.ndarray) else getattr(array, "chunks", None)
        except (ValueError, RuntimeError) as error:
            raise InvalidMatrix(
                f"{name}: cannot be read ({error}). Open its file, and leave it open meanwhile."
            ) from error
        if missing := missing_sources(array):
            raise InvalidMatrix(
                f"{name}: is a virtual dataset, and {listed(missing)} that it is made of is not "
                "there: its values would be fill values. Copy it to its place."
            )
        if any(size != size for size in self.shape):
            raise InvalidMatrix(
                f"{name}: does not know its number of rows or columns (shape {self.shape}). "
                "Compute it first, for example with array.compute_chunk_sizes()."
            )
        self._stored = stored
        self.dtype = np.dtype(np.uint8) if stored.kind == "b" else stored
        require_matrix(name, self.shape)
        require_numbers(name, self.dtype)
        grain = chunks[0] if chunks else 1
        self.grain = int(max(grain) if isinstance(grain, tuple) else grain)  # dask lists all chunks

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return rows; for an array in memory a view, not a copy."""
        rows = self._read(start, stop, (slice(start, stop),), self.shape[1])
        return self._exact(rows, start, 0)

    def read_columns(self, start: int, stop: int, low: int, high: int) -> np.ndarray:
        """Return columns of rows; an array that is cut into chunks need not read the others."""
        if hasattr(self.array, "chunks"):
            rows = self._read(start, stop, (slice(start, stop), slice(low, high)), high - low)
            return self._exact(rows, start, low)
        return self.read(start, stop)[:, low:high]

    def _exact(self, rows: np.ndarray, start: int, low: int) -> np.ndarray:
        """Return rows, unless float64 would round an integer in them."""
        names = (self._names or range(self.shape[1]))[low:]
        what = rounded_integer(rows, range(start, start + len(rows)), names)
        if what is not None:
            raise InvalidMatrix(f"{self.path}: {what}.")
        return rows

    def _read(self, start: int, stop: int, place: tuple, width: int) -> np.ndarray:
        where = f"{self.path}: rows {start} to {stop - 1}"
        try:
            if getattr(self.array, "format", None) == "csr":
                found = dense_rows(self.array, start, stop)
            else:
                found = self.array[place if len(place) > 1 else place[0]]
            rows = self._without_mask(found, start) if np.ma.isMaskedArray(found) else found
            rows = np.asarray(rows)
        except OSError as error:
            raise InvalidMatrix(
                f"{where} cannot be read ({error}). Copy the file again, or repair it."
            ) from error
        if rows.shape != (stop - start, width):
            raise InvalidMatrix(
                f"{where} have shape {rows.shape}, expected {(stop - start, width)}: it changed "
                "while it was read."
            )
        if rows.dtype != self._stored:
            raise InvalidMatrix(
                f"{where} are of type {rows.dtype}, expected {self._stored} as it says itself. "
                "Give the path of the file, or an array."
            )
        return rows.view(self.dtype) if self._stored.kind == "b" else rows

    def _without_mask(self, rows: np.ma.MaskedArray, first_row: int) -> np.ndarray:
        """Put NaN where values are masked."""
        if not np.ma.is_masked(rows):
            return rows.data
        if rows.dtype.kind != "f":
            row, column = (int(i) for i in np.argwhere(np.ma.getmaskarray(rows))[0])
            raise InvalidMatrix(
                f"{self.path}: row {first_row + row}, column {column} is masked, and {rows.dtype} "
                'has no missing values (NaN). Convert the array with astype("float64"), or fill '
                "it in."
            )
        return rows.filled(np.nan)

    def read_ahead(self, start: int, stop: int) -> None:
        """Do nothing."""

    def column_names(self) -> list[str] | None:
        """Return the names of the columns of a table."""
        return None if self._names is None else list(self._names)

    def close(self) -> None:
        """Do nothing: the caller owns the array."""


def map_part(array: np.memmap, name: str) -> Part:
    """Read a memory map through its file, so that its pages do not fill this process's memory.

    Raises
    ------
    InvalidMatrix
        If it is stored column by column: each block of rows would read the whole file.
    """
    require_matrix(name, array.shape)
    require_numbers(name, array.dtype)
    if min(array.shape) > 1 and abs(array.strides[0]) < abs(array.strides[1]):
        raise InvalidMatrix(
            f"{name}: the map of {array.filename} lies column by column (Fortran order): each "
            "block of rows would read the whole file. Store it row by row, for example block of "
            "columns by block of columns into numpy.lib.format.open_memmap."
        )
    offset = _place_in_file(array)
    if offset is None:
        return ArrayPart(array, name)
    return MapSource(array, offset, name)


def _place_in_file(array: np.memmap) -> int | None:
    """Offset of a map's rows in its file, in bytes; None if the file does not have these values.

    A slice of a map has the offset of the whole map, so the offset is computed from addresses.
    """
    row = array.shape[1] * array.itemsize
    pages = getattr(array, "_mmap", None)
    if array.strides != (row, array.itemsize) or pages is None or array.filename is None:
        return None
    if array.mode == "c":  # copy-on-write: changes are not in the file
        return None
    begin = np.frombuffer(pages, np.uint8).__array_interface__["data"][0]
    mapped = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    offset = mapped + array.__array_interface__["data"][0] - begin
    try:
        with open(array.filename, "rb") as file:
            for index in (0, len(array) - 1):
                file.seek(offset + index * row)
                if file.read(row) != array[index].tobytes():
                    return None
    except OSError:
        return None
    return offset


class MapSource(FlatSource, ArraySource):
    """The rows of a map, read from its file."""

    def __init__(self, array: np.memmap, offset: int, name: str):
        super().__init__(str(array.filename))
        self.path = f"{name} ({array.filename})"
        self._describe(array.shape, array.dtype)
        self._begin(offset)
