"""A matrix as a solver reads it: files and arrays stacked in order, rows by slices, values checked.

Files are opened read-only and read where they lie; nothing is copied on the disk, and no page of
them stays in this process.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np

from memwave.core.errors import InvalidMatrix, MemwaveError
from memwave.core.messages import shown
from memwave.core.ranges import shard_range, spans
from memwave.readers import file_of, open_source, reader_of
from memwave.readers.sources import ArraySource

# Values that are looked at together: they stay in the second-level cache.
CHECKED = 65_536

# Bits of a float16 that are all set in what is not finite.
HALF_EXPONENT = 0x7C00


class Part(Protocol):
    """What a matrix is made of: a file (`ArraySource`) or an array (`objects.ArrayPart`)."""

    path: str
    grain: int

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def read(self, start: int, stop: int) -> np.ndarray: ...

    def read_ahead(self, start: int, stop: int) -> None: ...

    def column_names(self) -> list[str] | None: ...

    def close(self) -> None: ...


def open_file(path: str, dtype: str | None = None, columns: int | None = None) -> ArraySource:
    """Open a file that holds a matrix.

    Parameters
    ----------
    path : str
        ``.npy``, raw, ``x.h5::/path``, Zarr, ``.h5ad``, or another format that is read by slices.
    dtype, columns : str, int, optional
        Type of the values and length of a row of a raw file; other files are compared with them.

    Raises
    ------
    InvalidMatrix
        If the file holds no matrix, or another one; says what to do.
    """
    try:
        is_raw = reader_of(path).NEEDS_DTYPE
        if is_raw:
            _require_raw(path, dtype, columns)
        names = [str(i) for i in range(columns or 0)] if is_raw else None
        source = open_source(path, dtype if is_raw else None, names)
    except InvalidMatrix:
        raise
    except MemwaveError as error:
        raise InvalidMatrix(str(error)) from error
    if not isinstance(source, ArraySource):
        source.close()
        raise InvalidMatrix(
            f"{path}: is read from its beginning to its end only, expected a format whose rows are "
            "read in any order, such as .npy, HDF5 or Zarr. Convert it first."
        )
    try:
        _require_expected(source, dtype, columns)
    except InvalidMatrix:
        source.close()
        raise
    return source


def _require_raw(path: str, dtype: str | None, columns: int | None) -> None:
    """Require that the size of a raw file goes with its dtype and columns."""
    if dtype is None or columns is None:
        missing = " and ".join(
            name for name, value in (("dtype", dtype), ("columns", columns)) if value is None
        )
        raise InvalidMatrix(
            f"{path}: a raw file does not state its shape. Give {missing}, for example "
            'dtype="float32", columns=100.'
        )
    if not isinstance(columns, int) or isinstance(columns, bool) or columns < 1:
        raise InvalidMatrix(f"{path}: columns is {shown(columns)}, expected a whole number from 1.")
    kind = type_of(path, dtype)
    file = file_of(path)
    if not os.path.isfile(file):
        return  # the reader says it
    size, row = os.path.getsize(file), columns * kind.itemsize
    if size == 0 or size % row:
        fitting = [
            n
            for n in range(max(1, columns - 3), columns + 4)
            if size and not size % (n * kind.itemsize)
        ]
        hint = f" {fitting} columns would fit." if fitting else ""
        raise InvalidMatrix(
            f"{path}: has {size:,} bytes, expected a multiple of {row:,}: {columns} columns of "
            f"{kind} a row.{hint} Check dtype and columns, or whether the file is whole."
        )


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


def _require_expected(source: ArraySource, dtype: str | None, columns: int | None) -> None:
    require_matrix(source.path, source.shape)
    require_numbers(source.path, source.dtype)
    if dtype is not None and type_of(source.path, dtype) != source.dtype:
        raise InvalidMatrix(
            f"{source.path}: holds {source.dtype}, expected {dtype} as dtype says. Leave dtype "
            "out: the file tells its own."
        )
    if columns is not None and columns != source.shape[1]:
        raise InvalidMatrix(
            f"{source.path}: has {source.shape[1]} columns, expected {columns} as columns says. "
            "Leave columns out: the file tells its own."
        )


class Matrix:
    """Parts stacked in order, all of one type and width.

    Parameters
    ----------
    parts : sequence of Part
        Open files and arrays; closed with the matrix.

    Attributes
    ----------
    shape : (int, int)
    dtype : numpy.dtype
    grain : int
        The largest of the parts; see `memwave.storage.rows.Rows`.
    names : list of str or None
        Names of the columns, where the first part has them.
    """

    def __init__(self, parts: Sequence[Part]):
        self._parts, first = list(parts), parts[0]
        for part in parts[1:]:
            if part.shape[1] != first.shape[1]:
                raise InvalidMatrix(
                    f"{part.path}: has {part.shape[1]} columns, expected {first.shape[1]} as "
                    f"{first.path} has. Parts are stacked one below the other."
                )
            if part.dtype != first.dtype:
                raise InvalidMatrix(
                    f"{part.path}: holds {part.dtype}, expected {first.dtype} as {first.path} "
                    "does. Convert one of them."
                )
        self.dtype = first.dtype
        self.shape = (sum(part.shape[0] for part in parts), first.shape[1])
        self.grain = max(part.grain for part in parts)
        self.names = _names_of(self._parts)
        self._locks = [Lock() for _ in parts]

    @property
    def path(self) -> str:
        """What the matrix is called in messages."""
        rest = len(self._parts) - 1
        return f"{self._parts[0].path}" + (f" and {rest} more" if rest else "")

    @property
    def band_bytes(self) -> int:
        """Memory of the rows that are stored together, where that is more than one row."""
        return self.grain * self.shape[1] * self.dtype.itemsize if self.grain > 1 else 0

    def pieces(self, start: int, stop: int) -> "list[Piece]":
        """Return which rows of which parts the rows ``start:stop`` are."""
        found, first = [], 0
        for number, part in enumerate(self._parts):
            low, high = max(start - first, 0), min(stop - first, part.shape[0])
            if low < high:
                found.append(Piece(number, low, high, first))
            first += part.shape[0]
        return found

    def parts(self) -> list[tuple[str, int]]:
        """Return path and number of rows of each part."""
        return [(str(part.path), part.shape[0]) for part in self._parts]

    def part(self, number: int) -> Part:
        """Return one of the parts."""
        return self._parts[number]

    def read(self, number: int, start: int, stop: int) -> np.ndarray:
        """Read rows of a part, unchecked; one thread at a time, as a file has one position."""
        with self._locks[number]:
            return self._parts[number].read(start, stop)

    def ranges(self, n_shards: int) -> "list[RowRange]":
        """Cut the rows into shards, between rows that are stored together if possible."""
        n_shards = min(n_shards, self.shape[0])
        cuts = (shard_range(self.shape[0], i, n_shards, self.grain) for i in range(n_shards))
        return [RowRange(self, start, stop) for start, stop in cuts]

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.close()

    def __enter__(self) -> "Matrix":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass(frozen=True)
class Piece:
    """Rows ``start:stop`` of part `number`, which begins with row `first` of the matrix."""

    number: int
    start: int
    stop: int
    first: int


class RowRange:
    """Rows of a matrix, as a shard: `memwave.storage.rows.Rows`.

    Rows that are stored together are read once, as long as they are asked for in order: those of
    the last chunk that was not wanted as a whole are kept.
    """

    def __init__(self, matrix: Matrix, start: int, stop: int):
        self.path = Path(matrix.path)
        self.shape, self.dtype, self.grain = (
            (stop - start, matrix.shape[1]),
            matrix.dtype,
            matrix.grain,
        )
        self._matrix, self._start = matrix, start
        self._kept: tuple[int, int, np.ndarray] | None = None  # part, first row, rows

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Read rows; raises InvalidMatrix that names row and column of what is not finite."""
        pieces = self._matrix.pieces(self._start + start, self._start + stop)
        read = [self._read(piece) for piece in pieces]
        return read[0] if len(read) == 1 else np.concatenate(read)

    def read_ahead(self, start: int, stop: int) -> None:
        """Ask the system to fetch rows, where it does that."""
        for piece in self._matrix.pieces(self._start + start, self._start + stop):
            self._matrix.part(piece.number).read_ahead(piece.start, piece.stop)

    def _read(self, piece: Piece) -> np.ndarray:
        part = self._matrix.part(piece.number)
        grain, n_rows = part.grain, part.shape[0]
        start, stop = piece.start, piece.stop
        low, high = -(-start // grain) * grain, stop - stop % grain
        if stop == n_rows:
            high = stop
        if low >= high:  # within one band, or across the border of two
            bands = range(start - start % grain, stop, grain)
            found = [self._band(piece.number, b)[max(start - b, 0) : stop - b] for b in bands]
            values = found[0] if len(found) == 1 else np.concatenate(found)
        elif low == start and high == stop:
            values = self._matrix.read(piece.number, start, stop)
        else:
            values = np.empty((stop - start, self.shape[1]), self.dtype)
            if start < low:
                values[: low - start] = self._band(piece.number, low - grain)[start - low :]
            values[low - start : high - start] = self._matrix.read(piece.number, low, high)
            if high < stop:
                values[high - start :] = self._band(piece.number, high)[: stop - high]
        require_finite(values, part.path, start, self._matrix.names)
        return values

    def _band(self, number: int, first: int) -> np.ndarray:
        """Read the rows that are stored together from row `first` of a part on, or return those."""
        if self._kept is None or self._kept[:2] != (number, first):
            self._kept = None
            part = self._matrix.part(number)
            rows = self._matrix.read(number, first, min(first + part.grain, part.shape[0]))
            self._kept = number, first, rows
        return self._kept[2]


def require_finite(
    values: np.ndarray, path: object, first_row: int, names: Sequence[str] | None = None
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
        Names of the columns.
    """
    if values.dtype.kind != "f":
        return
    for start, stop in spans(0, len(values), max(1, CHECKED // values.shape[1])):
        if _finite(values[start:stop]):
            continue
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values[start:stop]))[0])
        name = f" ({shown(names[column])})" if names else ""
        what = (
            str(float(values[start + row, column])).replace("nan", "NaN").replace("inf", "infinity")
        )
        raise InvalidMatrix(
            f"{path}: row {first_row + start + row}, column {column}{name} is {what}, expected "
            "finite values. Leave out such rows, or fill them in, for example with "
            "numpy.nan_to_num."
        )


def _finite(values: np.ndarray) -> bool:
    if values.dtype == np.float16 and values.flags.c_contiguous:
        exponents = values.view(np.uint16) & HALF_EXPONENT
        return int(exponents.max()) < HALF_EXPONENT
    return bool(np.isfinite(values).all())


def _names_of(parts: Sequence[Part]) -> list[str] | None:
    names = parts[0].column_names()
    for name in names or ():
        if names is not None and names.count(name) > 1:
            raise InvalidMatrix(
                f"{parts[0].path}: has {names.count(name)} columns called {shown(name)}, expected "
                "names that differ. Rename them."
            )
    for part in parts[1:]:
        others = part.column_names()
        if names and others and others != names:
            at = next(
                i for i, pair in enumerate(zip(names, others, strict=True)) if pair[0] != pair[1]
            )
            raise InvalidMatrix(
                f"{part.path}: its column {at} is called {shown(others[at])}, expected "
                f"{shown(names[at])} as in {parts[0].path}. Put the columns in the same order."
            )
    return names
