"""Take over a model that was fitted before, so that results are complete with the model in them."""

import shutil

from memwave.results.model_file import load_model
from memwave.storage.atomic import replacing
from memwave.workflow import stage


def adopt_model(*, fitted: str, model_path: str) -> None:
    """Copy a model, byte by byte.

    Parameters
    ----------
    fitted : path
        A model.h5.
    model_path : path
        The copy to write.

    Raises
    ------
    MemwaveError
        If the file is no model, or damaged.
    """
    load_model(fitted)
    with replacing(model_path) as temporary:
        shutil.copyfile(fitted, temporary)
    load_model(model_path)


if "snakemake" in globals():
    with stage.stage(
        "adopt_model",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        adopt_model(fitted=snakemake.input.fitted, model_path=snakemake.output.model)
