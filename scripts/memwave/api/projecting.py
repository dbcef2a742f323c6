"""Scores of the rows of a matrix and back, block by block, into an array or a file."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from memwave.api.fitting import Certificate, MakeProgress, certificate_of
from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import located, spans
from memwave.pca.diagnostics.monitored import LEVELS
from memwave.pca.model import Model
from memwave.pca.projection import Projector, captured_variance, features_of
from memwave.pca.streaming import blocks
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.stack import Part
from memwave.results.monitoring.highest import write_contributions
from memwave.results.monitoring.limits import QUANTILE
from memwave.results.monitoring.single_rows import Places
from memwave.results.partial_projection import require_visible
from memwave.results.projection_file import SPLITS, ProjectionWriter, projection_size
from memwave.storage import hdf5
from memwave.storage.atomic import is_same_file
from memwave.storage.npy import create_matrix

# Writes rows: start, stop, values.
Store = Callable[[int, int, np.ndarray], None]


def projected(
    projector: Projector,
    matrix: Matrix,
    dtype: str,
    block_rows: int,
    bar: MakeProgress,
    *,
    is_train: bool = False,
) -> Generator[tuple[int, int, np.ndarray, np.ndarray], None, None]:
    """Project all rows in order: start, stop, scores and reconstruction errors of each block."""
    (rows,) = matrix.ranges(1)
    progress = bar(matrix.n_rows, "transform")
    done = 0
    try:
        whole = iter([(0, rows.shape[0])])
        for block in blocks(rows, whole, projector.shift, dtype, block_rows, projector.load):
            scores, errors = projector.project(block, is_train=is_train)
            yield done, done + len(block), scores, errors
            done += len(block)
            progress.add(len(block))
    finally:
        progress.close()


def reconstruct(
    model: Model, scores: Matrix, block_rows: int, bar: MakeProgress
) -> Generator[tuple[int, int, np.ndarray], None, None]:
    """Reconstruct rows from scores: start, stop and rows of each block."""
    (rows,) = scores.ranges(1)
    progress = bar(scores.n_rows, "inverse_transform")
    try:
        for start, stop in spans(0, rows.shape[0], block_rows):
            yield start, stop, features_of(model, rows.rows(start, stop))
            progress.add(stop - start)
    finally:
        progress.close()


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


def write_projection(
    path: str | os.PathLike,
    model: Model,
    matrix: Matrix,
    *,
    dtype: str,
    block_rows: int,
    is_train: bool,
    labels: np.ndarray | None,
    contributions: str | os.PathLike | None,
    provenance: dict,
    bar: MakeProgress,
) -> Certificate | None:
    """Write the scores of a matrix as ``projection.h5``: a row is a window, a part a recording.

    Parameters
    ----------
    path : path
        Appears when it is complete.
    model : Model
    matrix : Matrix
    dtype, block_rows
        What is computed in, and rows projected at once.
    is_train : bool
        Whether the model was fitted to these rows; then it is certified with them.
    labels : ndarray of int, shape (n,), optional
        Of the rows.
    contributions : path, optional
        Another file to write: what makes the statistics of the highest rows large.
    provenance : dict
        What made it; stored as JSON.
    bar : callable
        Makes progress bars.

    Returns
    -------
    Certificate or None
        What was measured, if `is_train`.
    """
    require_other_file(path, matrix)
    if contributions is not None:
        require_other_file(contributions, matrix)
        if os.path.abspath(contributions) == os.path.abspath(path):
            raise InvalidMatrix(
                f"{os.fspath(path)}: is the projection, expected another file for contributions."
            )
    parts, k, n_rows = matrix.parts(), model.n_components, matrix.n_rows
    projector = Projector(model, dtype)
    split = SPLITS[0] if is_train else SPLITS[1]
    with hdf5.create(Path(path), projection_size(n_rows, k, "float32")) as file:
        names = part_names(name for name, _ in parts)
        about = None if labels is None else "Labels of the rows."
        writer = ProjectionWriter(file, n_rows, k, "float32", names, labels=about)
        for part, start, stop in matrix.complete_parts():
            writer.append_windows(stop - start, first=start, recording=part, step=1, split=split)
        if labels is not None:
            writer.append_labels(labels if matrix.complete is None else labels[matrix.flags()])
        blocks_of = projected(projector, matrix, dtype, block_rows, bar, is_train=is_train)
        with closing(blocks_of):
            for _, _, scores, errors in blocks_of:
                writer.append_scores(scores, errors, projector.hotelling_t2(scores))
        require_visible(projector, n_rows, "float32")
        found = certificate_of(model, projector) if is_train else None
        if found is not None:
            variances = captured_variance(projector.moments, n_rows)
            writer.certify(model, variances, found.residual, found.bounds)
        writer.monitor(model, LEVELS, QUANTILE)
        total, error = projector.error_sums[0 if is_train else 1]
        facts = {"solver": model.solver, "window": 1, "step": 1}
        facts[f"reconstruction_error_{split}"] = float(error / total) if total > 0 else 0.0
        writer.finish(facts, provenance)
        if contributions is not None:
            _explain(contributions, file, model, matrix)
    return found


def _explain(path: str | os.PathLike, file: h5py.File, model: Model, matrix: Matrix) -> None:
    """Write the contributions to the statistics of the highest rows of a projection."""
    (rows,) = matrix.ranges(1)

    def read(places: Places) -> Iterator[np.ndarray]:
        for row in places.rows.tolist():
            yield rows.rows(row, row + 1)[0].astype(np.float64)

    is_short = matrix.dtype.newbyteorder("=").name in ("float16", "float32")
    feature_dtype = "float32" if is_short else "float64"
    write_contributions(Path(path), file, model, read, dtype="float32", feature_dtype=feature_dtype)


def part_names(paths: Iterable[str]) -> list[str]:
    """Short unique names of the parts of a matrix."""
    stems = [Path(path.split("::")[0]).stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [f"{s}-{i}" for i, s in enumerate(stems, 1)]


def row_labels(labels: Any, n_rows: int) -> np.ndarray | None:
    """Return labels of rows as whole numbers, shape (n_rows,).

    Raises
    ------
    InvalidMatrix
        If there is not one whole number a row.
    """
    if labels is None:
        return None
    found = np.asarray(labels)
    if found.shape != (n_rows,) or found.dtype.kind not in "biu":
        raise InvalidMatrix(
            f"labels are {found.dtype} of shape {found.shape}, expected whole numbers of shape "
            f"({n_rows},): one a row."
        )
    if found.dtype == np.uint64 and found.max() > np.iinfo(np.int64).max:
        raise InvalidMatrix(f"labels are up to {found.max()}, expected less than 2**63.")
    return found
