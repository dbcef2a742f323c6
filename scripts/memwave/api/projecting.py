"""Scores of the rows of a matrix and back, block by block, into an array or a file."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from memwave.api.fitting import MakeProgress
from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import spans
from memwave.pca.model import Model
from memwave.pca.projection import Projector, features_of
from memwave.pca.streaming import blocks
from memwave.readers.matrix import Matrix
from memwave.storage.npy import create_matrix

# Where rows go: start, stop, values.
Store = Callable[[int, int, np.ndarray], None]


def project(
    model: Model, matrix: Matrix, dtype: str, block_rows: int, bar: MakeProgress
) -> Generator[tuple[int, int, np.ndarray, np.ndarray], None, None]:
    """Project all rows in order: start, stop, scores and reconstruction errors of each block."""
    projector = Projector(model, dtype)
    (rows,) = matrix.ranges(1)
    progress = bar(matrix.shape[0], "transform")
    done = 0
    try:
        whole = iter([(0, rows.shape[0])])
        for block in blocks(rows, whole, projector.shift, dtype, block_rows, projector.load):
            scores, errors = projector.project(block, is_train=False)
            yield done, done + len(block), scores, errors
            done += len(block)
            progress.add(len(block))
    finally:
        progress.close()


def reconstruct(
    model: Model, scores: Matrix, block_rows: int, bar: MakeProgress
) -> Generator[tuple[int, int, np.ndarray], None, None]:
    """Go back from scores to rows: start, stop and rows of each block."""
    (rows,) = scores.ranges(1)
    progress = bar(scores.shape[0], "inverse_transform")
    try:
        for start, stop in spans(0, rows.shape[0], block_rows):
            yield start, stop, features_of(model, rows.rows(start, stop))
            progress.add(stop - start)
    finally:
        progress.close()


@contextmanager
def target(out: Any, shape: tuple[int, int], dtype: str, in_memory: list) -> Iterator[Store]:
    """Open what rows are written to.

    Parameters
    ----------
    out : path, array or None
        A ``.npy`` file, which appears when it is complete; an array of that shape; or nothing.
    shape, dtype
        Of all rows.
    in_memory : list
        Gets a new array, where `out` is None.

    Raises
    ------
    InvalidMatrix
        If `out` is neither, or has another shape.
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
        yield array_store(out)


def array_store(array: Any) -> Store:
    """Return what writes rows into an array."""

    def store(start: int, stop: int, values: np.ndarray) -> None:
        array[start:stop] = values

    return store
