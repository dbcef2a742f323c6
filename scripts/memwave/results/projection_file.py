"""projection.h5: the scores of all windows, and the recording and position of each window.

Datasets have HDF5 dimension scales, as in netCDF-4 files, so xarray can open them. All data are
written and copied in blocks.
"""

import json
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path

import h5py
import numpy as np

from memwave.core.ranges import spans
from memwave.pca.model import Model
from memwave.results.model_file import ERROR_BOUND, LIMITS, RESIDUAL
from memwave.results.monitoring.limits import ABOVE, Limits, choose, exceeded, found_limits
from memwave.storage import hdf5
from memwave.storage.hdf5_chunks import CHUNK_BYTES, FILTERS, ChunkWriter, chunk_rows

ENCODING, VERSION = "memwave-projection", "1"

SPLITS = ("train", "test")

# Rows that limits are of, in their order.
LIMIT_SPLITS = np.array(["train", "other"], dtype=h5py.string_dtype("utf-8"))

# Windows whose recording and position are written at once.
WINDOWS_AT_ONCE = 32_768

# Type, None for that of the scores, and description.
COLUMNS: dict[str, tuple[str | None, str]] = {
    "window": ("i8", "Row of the feature matrix."),
    "recording": ("i4", "Index of the window's recording in recording_names."),
    "start_row": ("i8", "First row of the window in its recording."),
    "split": ("u1", "Whether PCA was fitted on the window (train) or not (test)."),
    "reconstruction_error": (
        None,
        "Squared distance between the features and their reconstruction from the scores.",
    ),
    "hotelling_t2": (
        None,
        "Squared distance of the scores from their mean, in units of the explained variances.",
    ),
}

# Columns that say how unlike the others a row is, in the order in which they are appended.
STATISTICS = ("reconstruction_error", "hotelling_t2")

# Another name of a column, that of the field.
OTHER_NAMES = {"spe": "reconstruction_error"}


class ProjectionWriter:
    """Creates the datasets of a projection and appends to them, from the first window on.

    Parameters
    ----------
    file : h5py.File
        New and empty.
    n_rows, k : int
        Number of windows and of components.
    dtype : {"float32", "float64"}
        Type of the scores.
    names : iterable of str
        Names of the recordings.
    labels : str or None
        Description of the labels; None if the windows have none.
    """

    def __init__(
        self,
        file: h5py.File,
        n_rows: int,
        k: int,
        dtype: str,
        names: Iterable[str],
        *,
        labels: str | None,
    ):
        self._file, self._n_rows, self._row = file, n_rows, 0
        self._writers: dict[str, ChunkWriter] = {}
        hdf5.mark(file, ENCODING, VERSION)
        component = hdf5.dataset(file, "component", np.arange(1, k + 1), "Components from 1 on.")
        component.make_scale("component")
        # Names of files that are not UTF-8 have their other bytes as escapes.
        written = [name.encode("utf-8", "backslashreplace").decode() for name in names]
        texts = np.array(written, dtype=h5py.string_dtype("utf-8"))
        hdf5.dataset(file, "recording_names", texts, "Recordings in the order of their sheet.")
        file["recording_names"].make_scale("recording_names")
        for name, (kind, description) in COLUMNS.items():
            self._add_column(name, kind or dtype, description)
        file["split"].attrs["flag_values"] = np.arange(len(SPLITS), dtype="u1")
        file["split"].attrs["flag_meanings"] = " ".join(SPLITS)
        for name, known in OTHER_NAMES.items():
            file[name] = file[known]
        if labels is not None:
            self._add_column("label", "i8", labels)
        self._add_column("scores", dtype, "Projection onto the components.", k)
        file["scores"].dims[1].attach_scale(component)

    def _add_column(self, name: str, dtype: str, description: str, *width: int) -> None:
        shape = (self._n_rows, *width)
        chunks = (chunk_rows(self._n_rows, np.dtype(dtype).itemsize * prod(width)), *width)
        column = self._file.create_dataset(
            name, shape, dtype, chunks=chunks, track_times=False, **FILTERS
        )
        column.attrs["description"] = description
        if name == "window":
            column.make_scale("window")
        else:
            column.dims[0].attach_scale(self._file["window"])
        self._writers[name] = ChunkWriter(column)

    def append_windows(
        self, count: int, *, recording: int, step: int, split: str, first: int = 0
    ) -> None:
        """Append the recording, position and split of the next `count` windows.

        They are consecutive windows of one recording; the first one has index `first` in it.
        """
        for start, stop in spans(0, count, WINDOWS_AT_ONCE):
            numbers = np.arange(start, stop)
            columns = {
                "window": self._row + numbers,
                "recording": np.full(len(numbers), recording),
                "start_row": (first + numbers) * step,
                "split": np.full(len(numbers), SPLITS.index(split)),
            }
            for name, values in columns.items():
                self._writers[name].append(values)
        self._row += count

    def append_labels(self, labels: np.ndarray) -> None:
        """Append the labels of the next windows."""
        self._writers["label"].append(labels)

    def append_scores(self, scores: np.ndarray, *statistics: np.ndarray) -> None:
        """Append scores, shape (n, k), and `STATISTICS`, shape (n,) each."""
        self._writers["scores"].append(scores)
        for name, values in zip(STATISTICS, statistics, strict=True):
            self._writers[name].append(values)

    def finish_scores(self) -> None:
        """Write the last scores and `STATISTICS` before other columns, as `append_partial` does."""
        for name in ("scores", *STATISTICS):
            self._writers[name].finish()

    def append_partial(self, partial: h5py.File) -> None:
        """Copy the scores and `STATISTICS` of one shard; its rows are the next windows."""
        scores, count = partial["scores"], len(partial[STATISTICS[0]])
        self._writers["scores"].copy(scores, scores.attrs["first_row"], count)
        for name in STATISTICS:
            self._writers[name].copy(partial[name], 0, count)

    def name_labels(self, names: Sequence[str]) -> None:
        """Store the texts of the labels; label -1 means no label."""
        texts = np.array(list(names), dtype=h5py.string_dtype("utf-8"))
        hdf5.dataset(self._file, "label_names", texts, "Text of each label from 0 on.")

    def certify(
        self, model: Model, variances: np.ndarray, norms: np.ndarray, bounds: np.ndarray
    ) -> None:
        """Store the certificate: accuracy of the model, measured on the rows of its fit."""
        measured = {
            "captured_variance": (variances, "Variance of the scores over the train windows."),
            "residual": (norms, RESIDUAL),
            "error_bound": (bounds, ERROR_BOUND),
        }
        for name, (values, description) in measured.items():
            written = hdf5.dataset(self._file, name, values, description)
            written.dims[0].attach_scale(self._file["component"])
        self._file.attrs["eigenvalue_error_bound"] = model.eigenvalue_error_bound

    def finish_windows(self) -> None:
        """Write the last windows; then all columns can be read."""
        for writer in self._writers.values():
            writer.finish()

    def monitor(
        self, model: Model, levels: Sequence[float], method: str, known: Limits | None = None
    ) -> list[Limits]:
        """Compare all rows with limits, and store both.

        Parameters
        ----------
        model, levels
            See `memwave.results.monitoring.limits.found_limits`.
        method, known
            See `memwave.results.monitoring.limits.choose`.

        Returns
        -------
        list of Limits
            Those that rows are compared with, then those of all methods.
        """
        self.finish_windows()
        limits = found_limits(self._file, model, levels)
        chosen = choose(limits, method, known)
        scales = [
            hdf5.dataset(self._file, "limit_split", LIMIT_SPLITS, "Which rows a limit is of.")
        ]
        scales.append(
            hdf5.dataset(self._file, "limit_level", np.array(levels), LIMITS["limit_level"])
        )
        for scale in scales:
            scale.make_scale(scale.name[1:])
        for name, values in (("t2_limit", chosen.t2), ("spe_limit", chosen.spe)):
            written = hdf5.dataset(self._file, name, values, LIMITS[name])
            for axis, scale in zip(written.dims, scales, strict=True):
                axis.attach_scale(scale)
        self._file.attrs["limit_method"] = chosen.method
        for name, source in ABOVE.items():
            self._add_column(name, "u1", f"Number of limits that {source} is above.")
        for counts in exceeded(self._file, chosen):
            for name, values in counts.items():
                self._writers[name].append(values)
        return [chosen, *limits]

    def finish(self, attributes: dict, provenance: dict) -> None:
        """Write the last windows and the attributes of the projection."""
        self.finish_windows()
        for name, value in attributes.items():
            self._file.attrs[name] = value
        self._file.attrs["provenance"] = json.dumps(provenance, sort_keys=True)


def projection_size(n_rows: int, k: int, dtype: str) -> int:
    """Return an upper bound of the size of a projection, in bytes."""
    return n_rows * ((k + 2) * np.dtype(dtype).itemsize + 31) + 11 * CHUNK_BYTES


def writer_bytes() -> int:
    """Memory, in bytes, of a `ProjectionWriter`: a chunk of each column, and one encoded."""
    return (len(COLUMNS) + 4) * CHUNK_BYTES


def open_projection(path: str | Path):
    """Open a finished projection for reading."""
    return hdf5.open_read_only(path, ENCODING)
