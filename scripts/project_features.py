"""Project one shard of features onto a model, and sum up what measures the model."""

from memwave.results.model_file import load_model
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.projection import Projection
from memwave.workflow.requests.scores.shard_scores import (
    load_projecting,
    open_scores,
    write_partial,
)


def project_features(
    request: Projection,
    *,
    model: str,
    partial: str,
    shard: str | None = None,
    valid: str | None = None,
) -> None:
    """Project a shard.

    Parameters
    ----------
    request : Projection
    shard : path, optional
        Features, .npy, if they are not the rows of a matrix.
    model : path
        The fitted model.
    partial : path
        The HDF5 file to write: scores, reconstruction errors, and sums that measure the model.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.

    Raises
    ------
    MemwaveError
        If the shard has other features than the model.
    """
    label = f"project_features {partial}"
    with open_scores(request, load_model(model), label, shard=shard, valid=valid) as scores:
        write_partial(partial, request, scores)


if "snakemake" in globals():
    run_script(snakemake, project_features, load=load_projecting)
