"""Files that hold a matrix: opened read-only, and compared with what is known of them."""

import os
from numbers import Integral

from memwave.core.errors import InvalidMatrix, MemwaveError
from memwave.core.messages import shown
from memwave.readers import DEFAULTS, Options, file_of, open_source, reader_of
from memwave.readers.matrices.checks import require_matrix, require_numbers, type_of
from memwave.readers.sources import ArraySource


def open_file(
    path: str,
    dtype: str | None = None,
    columns: int | None = None,
    options: Options = DEFAULTS,
) -> ArraySource:
    """Open a file that holds a matrix.

    Parameters
    ----------
    path : str
        ``.npy``, raw, ``x.h5::/path``, Zarr, ``.h5ad``, or another format that is read by slices.
    dtype, columns : str, int, optional
        Type of the values and length of a row of a raw file; other files are compared with them.
    options : Options
        How the file is read otherwise.

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
        source = open_source(path, dtype if is_raw else None, names, options)
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
    if not isinstance(columns, Integral) or isinstance(columns, bool) or columns < 1:
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
