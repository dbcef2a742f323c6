"""Assemble a projection: the scores of all windows, and which window each row is."""

from collections.abc import Sequence

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.pca.linalg.covariance_products import CovarianceProducts
from memwave.pca.model import Model
from memwave.pca.projection import captured_variance, residuals
from memwave.recordings.labels.windows import WindowLabels
from memwave.recordings.valid_windows import valid_windows
from memwave.results import partial_projection
from memwave.results.model_file import load_model
from memwave.results.projection_file import SPLITS, ProjectionWriter, projection_size
from memwave.results.provenance import write_provenance
from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import Assembly


def write_projection(
    request: Assembly,
    *,
    partials: Sequence[str],
    model: str,
    projection: str,
    provenance: str,
    valid: Sequence[str] = (),
    checksums: Sequence[str] = (),
) -> None:
    """Write a projection.

    Parameters
    ----------
    request : Assembly
    partials : sequence of path
        Partial projections of all shards, in their order.
    model : path
        The model they were projected onto.
    projection : path
        The HDF5 file to write.
    provenance : path
        The JSON file to write: what made model and projection, and their checksums.
    valid : sequence of path
        What `find_gaps` wrote for all shards, where windows are left out.
    checksums : sequence of path
        Files of the checksums of all shards, where features are stored.
    """
    spec, fitted = request.spec, load_model(model)
    ranges = valid_windows([recording.n_windows for recording in request.recordings], valid)
    n_rows = sum(stop - start for found in ranges for start, stop in found)
    labels = WindowLabels(request.recordings, request.window_label, spec.windows)
    names = [recording.name for recording in request.recordings]
    size = projection_size(n_rows, fitted.n_components, request.score_dtype)
    with hdf5.create(projection, size) as file:
        writer = ProjectionWriter(
            file,
            n_rows,
            fitted.n_components,
            request.score_dtype,
            names,
            labels=labels.description,
        )
        for i, recording in enumerate(request.recordings):
            for first, stop in ranges[i]:
                writer.append_windows(
                    stop - first,
                    first=first,
                    recording=i,
                    step=spec.step,
                    split=recording.split,
                )
                if labels.description:
                    for _, numbers in labels.of(i, first, stop):
                        writer.append_labels(numbers)
        if labels.names:
            writer.name_labels(labels.names)
        is_fitted = any(recording.split == "train" for recording in request.recordings)
        errors = copy_partials(writer, partials, n_rows, fitted, is_fitted=is_fitted)
        attributes = {"solver": fitted.solver, "window": spec.window, "step": spec.step}
        writer.finish({**attributes, **error_shares(errors)}, request.provenance)
    written = [model, projection, *checksums]
    write_provenance(provenance, request.provenance, request.inputs, written)


def copy_partials(
    writer: ProjectionWriter,
    partials: Sequence[str],
    n_rows: int,
    model: Model,
    *,
    is_fitted: bool,
) -> np.ndarray:
    """Copy the scores of every shard, and store what all of them together tell of the model.

    They tell nothing of a model that was not fitted on any of them.

    Returns
    -------
    ndarray, shape (2, 2)
        The sum of the partial projections' `Projector.error_sums`.

    Raises
    ------
    MemwaveError
        If the partial projections do not have a row for each of `n_rows` windows.
    """
    total: CovarianceProducts | None = None
    error_sums, moments = np.zeros((2, 2)), np.zeros((2, model.n_components))
    row = 0
    for partial in partials:
        with hdf5.open_read_only(partial, partial_projection.ENCODING) as file:
            with hdf5.reading(partial):
                row += len(file["reconstruction_error"])
                error_sums += file["losses"][()]
                moments += file["moments"][()]
                if model.residual is None:
                    total = merged(total, file["train"])
            if row <= n_rows:  # more are an error
                writer.append_partial(file)
    if row != n_rows:
        raise MemwaveError(
            f"the partial projections ({partials[0]} ...) have {row} rows, expected {n_rows}. "
            "A feature shard is not what was planned: delete the shards and run again to remake "
            "them."
        )
    unknown = np.full(model.n_components, np.nan)
    variances, norms = unknown, unknown if model.residual is None else model.residual
    if is_fitted:
        variances = captured_variance(moments, model.n_samples)
        norms = norms if total is None else residuals(model, total)
    writer.certify(model, variances, norms)
    return error_sums


def merged(total: CovarianceProducts | None, stored: h5py.Group) -> CovarianceProducts:
    """Add the products of a partial projection to those of the ones before it."""
    train = CovarianceProducts.of_arrays({name: stored[name][()] for name in stored})
    if total is None:
        return train
    total.merge(train)
    return total


def error_shares(error_sums: np.ndarray) -> dict[str, float]:
    """Share of the variance about the train mean that the scores do not reproduce, by split."""
    return {
        f"reconstruction_error_{split}": float(error / total)
        for split, (total, error) in zip(SPLITS, error_sums.tolist(), strict=True)
        if total > 0
    }


if "snakemake" in globals():
    run_script(snakemake, write_projection)
