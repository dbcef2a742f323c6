"""Project the windows of one shard from the recordings, if features are not stored."""

from memwave.results.model_file import load_model
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.projection import Projection
from memwave.workflow.requests.scores.shard_scores import (
    load_projecting,
    open_scores,
    write_partial,
)


def project_recordings(
    request: Projection,
    *,
    model: str,
    partial: str,
    channels: str | None = None,
    valid: str | None = None,
) -> None:
    """Project a shard.

    Parameters
    ----------
    request : Projection
    model : path
        The fitted model.
    partial : path
        The HDF5 file to write, with the same content as that of `project_features`.
    channels : path, optional
        Output of `measure_channels`, or a model, if the channels are scaled.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.

    Raises
    ------
    MemwaveError
        If a recording differs from the plan or has a value that is not finite, or if a feature
        overflows the dtype. The message names recording, row and channel.
    """
    label = f"project_recordings {partial}"
    with open_scores(request, load_model(model), label, channels=channels, valid=valid) as scores:
        write_partial(partial, request, scores)


if "snakemake" in globals():
    run_script(snakemake, project_recordings, load=load_projecting)
