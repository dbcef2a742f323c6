"""Put the parts of a projection together: scores of all windows, and where each is from."""

import h5py
import numpy as np

from memwave import hdf5, process
from memwave.errors import MemwaveError
from memwave.gap_file import windows_left
from memwave.inputs import unchanged
from memwave.model import Model
from memwave.model_file import load_model
from memwave.plan import spans
from memwave.products import Products
from memwave.projection import captured_variance, residuals
from memwave.projection_file import PART_ENCODING, SPLITS, ProjectionWriter, projection_size
from memwave.provenance import write_provenance
from memwave.readers import open_array

# Labels read at once.
LABEL_ROWS = 65_536


def write_projection(
    *,
    parts: list[str],
    model_path: str,
    projection: str,
    windows: list[dict],
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
        Recording after recording: name, path of the labels or None, split, count of windows.
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
    labelled = all(recording["labels"] for recording in windows)
    names = [recording["recording"] for recording in windows]
    size = projection_size(n_rows, model.n_components, score_dtype)
    with hdf5.create(projection, size) as file:
        writer = ProjectionWriter(
            file, n_rows, model.n_components, score_dtype, names, labelled=labelled
        )
        row = 0
        for i, recording in enumerate(windows):
            for first, stop in runs[i]:
                split = recording["split"]
                writer.fill_recording(
                    row, stop - first, first=first, recording=i, step=step, split=split
                )
                if labelled:
                    fill_labels(writer, row, recording["labels"], (first, stop), window, step)
                row += stop - first
        require_rows(parts, n_rows)
        fitted = any(recording["split"] == "train" for recording in windows)
        losses = copy_parts(writer, parts, model, fitted=fitted)
        attributes = {"solver": model.solver, "window": window, "step": step}
        writer.describe({**attributes, **lost_shares(losses)}, provenance)


def fill_labels(
    writer: ProjectionWriter, row: int, path: str, run: tuple[int, int], window: int, step: int
) -> None:
    """Give each window of a run of a recording the label of its last row."""
    needed = (run[1] - 1) * step + window
    with open_array(path) as labels:
        if len(labels.shape) != 1 or labels.shape[0] < needed or labels.dtype.kind not in "iu":
            raise MemwaveError(
                f"{path} holds {labels.dtype} {labels.shape} now, and had at least {needed} whole "
                "numbers when the run was planned. Start again."
            )
        for low, high in spans(*run, max(1, LABEL_ROWS // step)):
            first_row, last_row = low * step + window - 1, (high - 1) * step + window - 1
            writer.fill_labels(row + low - run[0], labels.read(first_row, last_row + 1)[::step])


def require_rows(parts: list[str], n_rows: int) -> None:
    """Require that the parts have a row for each window."""
    found = 0
    for part in parts:
        with hdf5.open_read_only(part, PART_ENCODING) as file:
            found += len(file["reconstruction_error"])
    if found != n_rows:
        raise MemwaveError(
            f"the parts of the projection ({parts[0]} ...) have {found} rows, expected {n_rows}. "
            "A feature shard is not what was planned: delete the shards and run again to remake "
            "them."
        )


def copy_parts(
    writer: ProjectionWriter, parts: list[str], model: Model, *, fitted: bool
) -> list[list[float]]:
    """Copy the scores of every part, and store what all of them together tell of the model.

    They tell nothing of a model that was not fitted to any of them.

    Returns
    -------
    list of (total, lost)
        The sum of the parts' `Projector.losses`.
    """
    total: Products | None = None
    losses, moments = np.zeros((2, 2)), np.zeros((2, model.n_components))
    row = 0
    for part in parts:
        with hdf5.reading(part), hdf5.open_read_only(part, PART_ENCODING) as file:
            writer.copy_part(row, file)
            row += len(file["reconstruction_error"])
            losses += file["losses"][()]
            moments += file["moments"][()]
            if model.residual is None:
                total = merged(total, file["train"])
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
        process.stage(
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
