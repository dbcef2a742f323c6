"""Scores of a matrix as ``projection.h5``."""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from memwave.api.fitting import Certificate, MakeProgress, certificate_of
from memwave.api.projecting.blocks import projected
from memwave.api.projecting.output import require_other_file
from memwave.core.errors import InvalidMatrix
from memwave.pca.diagnostics.monitored import LEVELS
from memwave.pca.model import Model
from memwave.pca.projection import Projector, captured_variance
from memwave.readers.matrices.matrix import Matrix
from memwave.results.monitoring.highest import write_contributions
from memwave.results.monitoring.limits import QUANTILE
from memwave.results.monitoring.single_rows import Places
from memwave.results.partial_projection import require_visible
from memwave.results.projection_file import SPLITS, ProjectionWriter, projection_size
from memwave.storage import hdf5


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
    _require_different(path, contributions, matrix)
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


def _require_different(
    path: str | os.PathLike, contributions: str | os.PathLike | None, matrix: Matrix
) -> None:
    """Require that no output is a file that is read, or the other output."""
    require_other_file(path, matrix)
    if contributions is not None:
        require_other_file(contributions, matrix)
        if os.path.abspath(contributions) == os.path.abspath(path):
            raise InvalidMatrix(
                f"{os.fspath(path)}: is the projection, expected another file for contributions."
            )


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
