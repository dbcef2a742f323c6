"""Copy the model that is applied into the results, so that they are complete."""

import shutil

from memwave.results.model_file import load_given, load_model
from memwave.storage.atomic import replacing
from memwave.workflow.process.stage import run_script


def adopt_model(_: None, *, fitted: str, model: str) -> None:
    """Copy a model; the copy has the same bytes.

    Parameters
    ----------
    fitted : path
        A model.h5.
    model : path
        The copy to write.

    Raises
    ------
    MemwaveError
        If the file is not a model, or is damaged.
    """
    load_given(fitted)
    with replacing(model) as temporary:
        shutil.copyfile(fitted, temporary)
    load_model(model)


if "snakemake" in globals():
    run_script(snakemake, adopt_model)
