"""The partial projection of one shard: scores, errors, and sums that measure the model."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.pca.projection import Projector
from memwave.results.projection_file import STATISTICS
from memwave.storage import hdf5
from memwave.storage.hdf5_chunks import CHUNK_BYTES, FILTERS, ChunkWriter, chunk_rows

ENCODING, VERSION = "memwave-projection-part", "3"


def require_visible(projector: Projector, n_rows: int, dtype: str) -> None:
    """Raise MemwaveError if squared distances are so small that their type has no digits for them.

    Parameters
    ----------
    projector : Projector
        That has projected `n_rows` rows.
    dtype : {"float32", "float64"}
        Type that reconstruction errors are stored in.
    """
    limits = np.finfo(dtype)
    smallest = float(limits.smallest_normal) / float(limits.eps)
    distance = float(projector.error_sums[:, 0].sum()) / max(n_rows, 1)
    if 0.0 < distance < smallest:
        raise MemwaveError(
            f"the features are {distance:.1e} from their mean on average, squared, and {dtype} has "
            f"too few digits for squares below {smallest:.1e}. Set scale in the feature set, or "
            "score_dtype: float64."
        )


def open_partial(path: str | Path) -> AbstractContextManager[h5py.File]:
    """Open the partial projection of one shard; see `memwave.storage.hdf5.open_read_only`."""
    return hdf5.open_read_only(path, ENCODING, VERSION)


class PartialWriter:
    """Writes the partial projection of one shard.

    The scores have the chunks and the encoding of the projection file, so that encoded chunks can
    be copied. The shard may start and end inside a chunk; the other rows of that chunk are zeros.

    Parameters
    ----------
    file : h5py.File
        New and empty.
    first_row, n_rows, n_windows : int
        First row of the shard among all windows; number of rows of the shard; number of all
        windows.
    k : int
        Number of components.
    dtype : {"float32", "float64"}
        Type of the scores.
    """

    def __init__(
        self, file: h5py.File, first_row: int, n_rows: int, n_windows: int, k: int, dtype: str
    ):
        self._file, self._n_rows, self._dtype = file, n_rows, dtype
        hdf5.mark(file, ENCODING, VERSION)
        size = chunk_rows(n_windows, k * np.dtype(dtype).itemsize)
        lead = first_row % size
        length = -(-(lead + n_rows) // size) * size
        scores = _column(file, "scores", (length, k), dtype, size)
        scores.attrs["first_row"] = lead
        self._scores = ChunkWriter(scores)
        self._scores.append(np.zeros((lead, k), dtype))
        rows = chunk_rows(n_rows, np.dtype(dtype).itemsize)
        self._columns = [
            ChunkWriter(_column(file, name, (n_rows,), dtype, rows)) for name in STATISTICS
        ]

    def append(self, scores: np.ndarray, *statistics: np.ndarray) -> None:
        """Add scores, shape (n, k), and `STATISTICS`, shape (n,) each, of the next rows."""
        self._scores.append(scores)
        for column, values in zip(self._columns, statistics, strict=True):
            column.append(values)

    def finish(self, projector: Projector) -> None:
        """Store the sums over all rows that measure the model."""
        self._scores.finish()
        for column in self._columns:
            column.finish()
        require_visible(projector, self._n_rows, self._dtype)
        arrays = {"losses": projector.error_sums, "moments": projector.moments}
        if projector.train is not None:
            projector.train.finish()
            arrays |= {f"train/{name}": a for name, a in projector.train.arrays().items()}
        for name, array in arrays.items():
            self._file.create_dataset(name, data=array, track_times=False)


def _column(
    file: h5py.File, name: str, shape: tuple[int, ...], dtype: str, rows: int
) -> h5py.Dataset:
    """Create a dataset of values for each row; a shard may have none."""
    chunks = (rows, *shape[1:])
    # Only a dataset that may grow can be smaller than a chunk.
    most = None if shape[0] else (None, *shape[1:])
    return file.create_dataset(
        name, shape, dtype, chunks=chunks, maxshape=most, track_times=False, **FILTERS
    )


@contextmanager
def create_partial(
    path: str, projector: Projector, n_rows: int, first_row: int, n_windows: int, dtype: str
) -> Iterator[PartialWriter]:
    """Create the partial projection of a shard; see `PartialWriter`.

    Parameters
    ----------
    path : path
        The file appears under this name when it is complete.
    projector : Projector
        Projects the rows; its sums are stored at the end.
    n_rows, first_row, n_windows, dtype
        See `PartialWriter`.
    """
    k, d = projector.n_components, projector.n_features
    scores = n_rows * (k + len(STATISTICS)) * np.dtype(dtype).itemsize + 3 * CHUNK_BYTES
    products = 8 * (d + 1) * (k + 2) * 2
    with hdf5.create(path, scores + products) as file:
        writer = PartialWriter(file, first_row, n_rows, n_windows, k, dtype)
        yield writer
        writer.finish(projector)
