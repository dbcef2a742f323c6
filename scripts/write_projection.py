"""Assemble a projection: scores, recording, position, label and split of all windows.

Limits and alarms of their statistics follow, and contributions to those of the highest windows.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.progress import log
from memwave.features.spec import FeatureSpec
from memwave.pca.diagnostics.certificate import error_bounds, residuals, storage_error
from memwave.pca.lags.signal_scores import has_signal_scores
from memwave.pca.model import Model
from memwave.pca.projection import captured_variance
from memwave.recordings.labels.windows import WindowLabels
from memwave.recordings.prepared import load_reading
from memwave.recordings.valid_windows import valid_windows
from memwave.results.extraction import load_scaling
from memwave.results.model_file import load_model
from memwave.results.monitoring.highest import write_contributions
from memwave.results.monitoring.single_rows import Places, read_rows
from memwave.results.monitoring.tables import load_quantiles, write_alarms, write_limits
from memwave.results.projection_file import SPLITS, ProjectionWriter, projection_size
from memwave.results.provenance import write_provenance
from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.projection import Assembly
from memwave.workflow.requests.scores.all_scores import Measured, copy_partials, project_all
from memwave.workflow.requests.shards import load_matrix_readers
from memwave.workflow.sources.readings import checksums_of


def write_projection(
    request: Assembly,
    *,
    model: str,
    projection: str,
    provenance: str,
    limits: str,
    alarms: str,
    contributions: str,
    partials: Sequence[str] = (),
    valid: Sequence[str] = (),
    checksums: Sequence[str] = (),
    model_limits: str | None = None,
    shards: Sequence[str] = (),
    channels: str | None = None,
    read: Mapping[str, Any] | None = None,
) -> None:
    """Write a projection.

    Parameters
    ----------
    request : Assembly
    model : path
        The model of the projection.
    projection : path
        The HDF5 file to write.
    provenance : path
        The JSON file to write: provenance of model and projection, and their checksums.
    limits, alarms : path
        The TSV files to write: limits of the statistics, and intervals above them.
    contributions : path
        The HDF5 file to write: what makes the statistics of the highest windows large.
    partials : sequence of path
        Partial projections of all shards, in order, if other jobs project them.
    valid : sequence of path
        Outputs of `find_gaps` for all shards, if windows are dropped.
    checksums : sequence of path
        Checksum files of all shards, if features are stored.
    model_limits : path, optional
        The limits of an applied model.
    shards : sequence of path
        All shards, in order, if features are stored.
    channels : path, optional
        Output of `measure_channels`, or a model, if the channels are scaled.
    read : mapping, optional
        What this job reads that no job makes, with checksums; see
        `memwave.workflow.sources.readings`.
    """
    spec, fitted = request.spec, load_model(model)
    counts = [recording.n_windows for recording in request.recordings]
    ranges = valid_windows(counts, valid, request.first_rows)
    n_rows = sum(stop - start for found in ranges for start, stop in found)
    require_windows(n_rows)
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
        if request.projections:
            measured = project_all(writer, request, n_rows, fitted, shards, valid, channels)
        else:
            measured = copy_partials(writer, partials, n_rows, fitted, is_fitted=is_fitted)
        certify(writer, fitted, measured, spec if is_fitted else None)
        shares = error_shares(measured.error_sums)
        del measured  # its products are as large as the model
        known = load_quantiles(model_limits, request.levels) if model_limits else None
        found = writer.monitor(fitted, request.levels, request.limit_method, known)
        log.info("limits by %s", found[0].method)
        attributes = {"solver": fitted.solver, "window": spec.window, "step": spec.step}
        writer.finish({**attributes, **shares}, request.provenance)
        write_limits(limits, file, found)
        write_alarms(alarms, file, found[0], request.rates)
        explain(request, file, fitted, contributions, shards, valid, channels)
    inputs = checksums_of(request.inputs, request.readers, read or {})
    written = [model, projection, *checksums]
    write_provenance(provenance, request.provenance, inputs, written)


def explain(
    request: Assembly,
    file: h5py.File,
    model: Model,
    path: str,
    shards: Sequence[str],
    valid: Sequence[str],
    channels: str | None,
) -> None:
    """Write the contributions to the statistics of the highest windows of each recording."""
    spec = request.spec
    # As they were projected; see `memwave.workflow.requests.scores.shard_scores`.
    is_exact = not spec.store and has_signal_scores(spec, model)
    scaling = None if spec.store else load_scaling(spec.scale, channels, spec.channels)
    short = spec.dtype in ("float16", "float32") and not is_exact

    def read(places: Places) -> Iterator[np.ndarray]:
        return read_rows(request.sources, places, shards, valid, scaling, rounded=not is_exact)

    write_contributions(
        path,
        file,
        model,
        read,
        dtype=request.score_dtype,
        feature_dtype="float32" if short else "float64",
    )


def require_windows(n_rows: int) -> None:
    """Require a window to project; a model that is applied needs no valid train window."""
    if not n_rows:
        raise MemwaveError(
            "all windows of all recordings contain a missing value. Use a shorter window, "
            "missing: interpolate, or other recordings."
        )


def certify(
    writer: ProjectionWriter, model: Model, measured: Measured, fitted_to: FeatureSpec | None
) -> None:
    """Store the certificate of the model.

    It is NaN if the model was not fitted on any of the windows; `fitted_to` is None then, and else
    the feature set.
    """
    unknown = np.full(model.n_components, np.nan)
    variances, norms = unknown, unknown if model.residual is None else model.residual
    bounds = unknown
    if fitted_to is not None:
        variances, bounds = captured_variance(measured.moments, model.n_samples), model.error_bound
        if measured.train is not None:
            norms, bounds = residuals(model, measured.train), error_bounds(model, measured.train)
        elif fitted_to.store:
            bounds = bounds + storage_error(model, fitted_to.dtype)
    writer.certify(model, variances, norms, bounds)


def error_shares(error_sums: np.ndarray) -> dict[str, float]:
    """Return the reconstruction error as a share of the variance about the train mean, by split."""
    return {
        f"reconstruction_error_{split}": float(error / total)
        for split, (total, error) in zip(SPLITS, error_sums.tolist(), strict=True)
        if total > 0
    }


def load(request: Assembly) -> None:
    """Import what the limits are computed with, and what features are read with."""
    importlib.import_module("memwave.pca.diagnostics.monitoring")
    load_matrix_readers(request.sources.matrix)
    load_reading(request.sources.recordings)


if "snakemake" in globals():
    run_script(snakemake, write_projection, load=load)
