"""Put the parts of a projection together: scores of all windows, and where each is from."""

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.pca.linalg.products import Products
from memwave.pca.model import Model
from memwave.pca.projection import captured_variance, residuals
from memwave.recordings.gap_file import windows_left
from memwave.recordings.labels.windows import WindowLabels
from memwave.results.model_file import load_model
from memwave.results.projection_file import PART_ENCODING, SPLITS, ProjectionWriter, projection_size
from memwave.results.provenance import write_provenance
from memwave.storage import hdf5
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged


def write_projection(
    *,
    parts: list[str],
    model_path: str,
    projection: str,
    windows: list[dict],
    window_label: str,
    features: dict,
    score_dtype: str,
    provenance: dict,
    kept: list[str] | None = None,
) -> None:
    """Write a projection.

    Parameters
    ----------
    parts : list of path
        Parts of all shards, in their order.
    model_path : path
        The model they were projected onto.
    projection : path
        The HDF5 file to write.
    windows : list of dict
        Recording after recording: name, labels (see `WindowLabels`), split, count of windows.
    window_label : {"last", "centre", "majority"}
        Which label a window has.
    features : dict
        The feature set.
    score_dtype : {"float32", "float64"}
        Type of the scores.
    provenance : dict
        Stored with the projection.
    kept : list of path, optional
        What `find_gaps` wrote for all shards, where windows are left out.
    """
    model = load_model(model_path)
    window, step = features["window"], features["step"]
    runs = windows_left([recording["count"] for recording in windows], kept)
    n_rows = sum(stop - start for left in runs for start, stop in left)
    labels = WindowLabels(windows, window_label, window, step)
    names = [recording["recording"] for recording in windows]
    size = projection_size(n_rows, model.n_components, score_dtype)
    with hdf5.create(projection, size) as file:
        writer = ProjectionWriter(
            file, n_rows, model.n_components, score_dtype, names, labels=labels.description
        )
        for i, recording in enumerate(windows):
            for first, stop in runs[i]:
                split = recording["split"]
                writer.append_windows(
                    stop - first, first=first, recording=i, step=step, split=split
                )
                if labels.description:
                    for _, numbers in labels.of(i, first, stop):
                        writer.append_labels(numbers)
        if labels.names:
            writer.name_labels(labels.names)
        fitted = any(recording["split"] == "train" for recording in windows)
        losses = copy_parts(writer, parts, n_rows, model, fitted=fitted)
        attributes = {"solver": model.solver, "window": window, "step": step}
        writer.finish({**attributes, **lost_shares(losses)}, provenance)


def copy_parts(
    writer: ProjectionWriter, parts: list[str], n_rows: int, model: Model, *, fitted: bool
) -> list[list[float]]:
    """Copy the scores of every part, and store what all of them together tell of the model.

    They tell nothing of a model that was not fitted to any of them.

    Returns
    -------
    list of (total, lost)
        The sum of the parts' `Projector.losses`.

    Raises
    ------
    MemwaveError
        If the parts do not have a row for each of `n_rows` windows.
    """
    total: Products | None = None
    losses, moments = np.zeros((2, 2)), np.zeros((2, model.n_components))
    row = 0
    for part in parts:
        with hdf5.reading(part), hdf5.open_read_only(part, PART_ENCODING) as file:
            row += len(file["reconstruction_error"])
            if row > n_rows:
                continue  # counted for the error
            writer.append_part(file)
            losses += file["losses"][()]
            moments += file["moments"][()]
            if model.residual is None:
                total = merged(total, file["train"])
    if row != n_rows:
        raise MemwaveError(
            f"the parts of the projection ({parts[0]} ...) have {row} rows, expected {n_rows}. "
            "A feature shard is not what was planned: delete the shards and run again to remake "
            "them."
        )
    unknown = np.full(model.n_components, np.nan)
    variances, norms = unknown, unknown if model.residual is None else model.residual
    if fitted:
        variances = captured_variance(moments, model.n_samples)
        norms = norms if total is None else residuals(model, total)
    writer.certify(model, variances, norms)
    return losses.tolist()


def merged(total: Products | None, stored: h5py.Group) -> Products:
    """Add the products that a part holds to those of the parts before it."""
    train = Products.of_arrays({name: stored[name][()] for name in stored})
    if total is None:
        return train
    total.merge(train)
    return total


def lost_shares(losses: list[list[float]]) -> dict[str, float]:
    """Share of the variance about the train mean that the scores do not reproduce, by split."""
    return {
        f"reconstruction_error_{split}": float(lost / total)
        for split, (total, lost) in zip(SPLITS, losses, strict=True)
        if total > 0
    }


if "snakemake" in globals():
    with (
        stage.stage(
            "write_projection",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        write_projection(
            parts=snakemake.input.parts,
            model_path=snakemake.input.model,
            projection=snakemake.output.projection,
            windows=snakemake.params.windows,
            window_label=snakemake.params.window_label,
            features=snakemake.params.features,
            score_dtype=snakemake.params.score_dtype,
            provenance=snakemake.params.provenance,
            kept=list(snakemake.input.kept),
        )
        write_provenance(
            snakemake.output.provenance,
            snakemake.params.provenance,
            snakemake.params.inputs,
            [snakemake.input.model, snakemake.output.projection, *snakemake.input.checksums],
        )
