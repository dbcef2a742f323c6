"""Sparse matrices of AnnData files, row by row (CSR), as dense rows of those that are asked for."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from memwave.core.ranges import Range, spans

# Values that are unpacked at once, with their places.
STRETCH_VALUES = 1 << 18

KIND = "csr_matrix"


class SparseRows:
    """A group that holds a sparse matrix, read by slices as a dataset of h5py is.

    Parameters
    ----------
    group : h5py.Group
        With the datasets ``data``, ``indices`` and ``indptr``, and the attribute ``shape``.

    Raises
    ------
    ValueError
        If they do not make up a matrix.
    """

    chunks = None

    def __init__(self, group: Any):
        self.parent = group.parent
        self.attrs: dict[str, Any] = {}  # nothing scales or marks the values
        self.arrays = [group[name] for name in ("data", "indices", "indptr")]
        self._data, self._columns, self._ends = self.arrays
        self.shape = tuple(int(length) for length in group.attrs["shape"])
        self.dtype = self._data.dtype
        n_values = self._data.shape[0]
        if self._ends.shape != (self.shape[0] + 1,) or self._columns.shape != (n_values,):
            raise ValueError(
                f"indptr has {self._ends.shape[0]} entries for {self.shape[0]} rows, and there are "
                f"{self._columns.shape[0]} indices of {n_values} values"
            )
        if self._ends[0] != 0 or self._ends[-1] != n_values:
            raise ValueError(f"indptr does not go from 0 to the {n_values} values")

    def __getitem__(self, place: Any) -> np.ndarray:
        """Return rows, or columns of rows, with zeros where nothing is stored."""
        rows, columns = place if isinstance(place, tuple) else (place, slice(None))
        start, stop, _ = rows.indices(self.shape[0])
        dense = np.zeros((stop - start, self.shape[1]), self.dtype)
        if start < stop:
            ends = self._ends[start : stop + 1].astype(np.int64)
            if (np.diff(ends) < 0).any():
                raise ValueError(f"indptr decreases within the rows {start} to {stop - 1}")
            for low, high in _stretches(ends):
                self._unpack(ends[low : high + 1], dense[low:high])
        return dense[:, columns]

    def _unpack(self, ends: np.ndarray, dense: np.ndarray) -> None:
        """Put the values of some rows in their places."""
        values = slice(int(ends[0]), int(ends[-1]))
        columns = self._columns[values].astype(np.int64)
        if columns.size and not 0 <= columns.min() <= columns.max() < self.shape[1]:
            raise ValueError(f"an index of a column is not from 0 to {self.shape[1] - 1}")
        places = np.repeat(np.arange(len(dense)) * self.shape[1], np.diff(ends)) + columns
        if (np.diff(places) > 0).all():
            dense.reshape(-1)[places] = self._data[values]
        else:  # unsorted, or several values of one place, which add up
            np.add.at(dense.reshape(-1), places, self._data[values])


def dense_rows(array: Any, start: int, stop: int) -> np.ndarray:
    """Rows of a sparse matrix in the file of a backed AnnData, whose slices are SciPy's matrices.

    A few rows are sliced at once, since a slice may need several times the memory of dense rows.
    """
    dense = np.empty((stop - start, array.shape[1]), array.dtype)
    for low, high in spans(start, stop, max(1, STRETCH_VALUES // array.shape[1])):
        dense[low - start : high - start] = array[low:high].toarray()
    return dense


def _stretches(ends: np.ndarray) -> Iterator[Range]:
    """Cut rows after some values: ranges of rows that have `STRETCH_VALUES`, or one row."""
    low, n_rows = 0, len(ends) - 1
    while low < n_rows:
        high = int(np.searchsorted(ends, ends[low] + STRETCH_VALUES, side="right")) - 1
        high = min(max(high, low + 1), n_rows)
        yield low, high
        low = high
