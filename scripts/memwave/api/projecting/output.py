"""The output of results of rows: an array, or a file that appears when it is complete."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import located, spans
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.stack import Part
from memwave.storage.atomic import is_same_file
from memwave.storage.npy import create_matrix

# Writes rows: start, stop, values.
Store = Callable[[int, int, np.ndarray], None]


@contextmanager
def target(
    out: Any, shape: tuple[int, int], dtype: str, in_memory: list, source: Matrix
) -> Iterator[Store]:
    """Open the output for rows.

    Parameters
    ----------
    out : path, array or None
        A ``.npy`` file, which appears when it is complete; an array of that shape; or nothing.
    shape, dtype
        Of all rows.
    in_memory : list
        Gets a new array, where `out` is None.
    source : Matrix
        What is read meanwhile.

    Raises
    ------
    InvalidMatrix
        If `out` is neither, has another shape or integers, or is what is read.
    """
    if out is None:
        array = np.empty(shape, dtype)
        in_memory.append(array)
        yield array_store(array)
    elif isinstance(out, (str, os.PathLike)):
        if Path(out).suffix != ".npy":
            raise InvalidMatrix(
                f"{os.fspath(out)}: cannot be written, expected a name that ends in .npy, or an "
                "array of that shape."
            )
        require_other_file(out, source)
        with create_matrix(Path(out), shape, dtype) as mapped:
            yield lambda start, stop, values: np.copyto(
                mapped.rows(start, stop), values, casting="same_kind"
            )
    else:
        found = tuple(getattr(out, "shape", ()))
        if found != shape or not hasattr(out, "__setitem__"):
            raise InvalidMatrix(
                f"out has shape {found}, expected {shape}: rows x components, or rows x columns of "
                "what is transformed back."
            )
        _require_fit_to_fill(out, dtype, source)
        yield array_store(out)


def require_other_file(path: str | os.PathLike, source: Matrix) -> None:
    """Require that an output is no file that is read for it."""
    files = (_file_of(source.part(i)) for i in range(len(source.parts())))
    if any(is_same_file(path, file) for file in files if file):
        raise InvalidMatrix(f"{os.fspath(path)}: is the input, expected another file to write to.")


def _file_of(part: Part) -> str | None:
    """The file that a part is read from, also by a dataset of h5py, a map or a view of one."""
    array = getattr(part, "array", None)
    if isinstance(array, h5py.Dataset):
        return array.file.filename
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return getattr(part, "file", None) or getattr(array, "filename", None)


def _require_fit_to_fill(out: Any, dtype: str, source: Matrix) -> None:
    """Require an array of floats that can be written to, and that is not what is read."""
    if not np.can_cast(dtype, getattr(out, "dtype", dtype), "same_kind"):
        raise InvalidMatrix(f"out has type {out.dtype}, expected floats, such as {dtype}.")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise InvalidMatrix("out is read-only, expected an array that can be written to.")
    if getattr(out, "filename", None) is not None:
        require_other_file(out.filename, source)
    arrays = [getattr(source.part(i), "array", None) for i in range(len(source.parts()))]
    if any(_is_shared(out, array) for array in arrays if array is not None):
        raise InvalidMatrix("out shares memory with X, expected another array.")


def _is_shared(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.shares_memory(one, other)
    if isinstance(one, h5py.Dataset) and isinstance(other, h5py.Dataset):
        return bool(one == other)  # of the places in the file; with an array it is of the values
    return one is other


def array_store(array: Any) -> Store:
    """Return a function that writes rows into an array; InvalidMatrix for what it cannot hold."""
    kind = np.dtype(getattr(array, "dtype", np.float64))

    def store(start: int, stop: int, values: np.ndarray) -> None:
        if not np.can_cast(values.dtype, kind):
            with np.errstate(over="ignore"):
                stored = values.astype(kind)
            if not np.array_equal(np.isfinite(stored), np.isfinite(values)):
                raise InvalidMatrix(
                    f"out has type {kind}, which cannot hold a value of rows {start} to "
                    f"{stop - 1}, expected {values.dtype}."
                )
            values = stored
        array[start:stop] = values

    return store


def result(out: Any) -> Any:
    """Return what a method returns that wrote to `out`: the array, or a map of the file."""
    return np.load(out, mmap_mode="r") if isinstance(out, (str, os.PathLike)) else out


def spreading(store: Store, matrix: Matrix, n_columns: int, block_rows: int) -> Store:
    """Return what stores results of the rows that are left where these are; others become NaN."""
    complete, done = list(matrix.complete or ()), 0
    for low, high in [*complete, (matrix.shape[0], matrix.shape[0])]:
        for start, stop in spans(done, low, block_rows):
            store(start, stop, np.full((stop - start, n_columns), np.nan, "float32"))
        done = high

    def store_spread(start: int, stop: int, values: np.ndarray) -> None:
        row = 0
        for low, high in located((start, stop), complete):
            store(low, high, values[row : row + high - low])
            row += high - low

    return store_spread


def spread(values: np.ndarray, matrix: Matrix) -> np.ndarray:
    """Put results of the rows that are left where these are; others become NaN."""
    if matrix.complete is None:
        return values
    found = np.full((matrix.shape[0], values.shape[1]), np.nan)
    found[matrix.flags()] = values
    return found
