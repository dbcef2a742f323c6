"""Scores of the rows of a matrix and back, block by block."""

from collections.abc import Generator

import numpy as np

from memwave.api.fitting import MakeProgress
from memwave.core.ranges import spans
from memwave.pca.model import Model
from memwave.pca.projection import Projector, features_of
from memwave.pca.streaming import blocks
from memwave.readers.matrices.matrix import Matrix


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
