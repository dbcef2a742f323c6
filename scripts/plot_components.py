"""Draw the components of a model as signals: the inverse wavelet transform of their loadings."""

import h5py

from memwave.features.columns import MatrixSpec
from memwave.results.figures.components import draw_components
from memwave.results.figures.loadings import draw_loadings
from memwave.results.figures.style import save_figure
from memwave.results.model_file import load_model
from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import FigureFacts


def plot_components(request: FigureFacts, *, model: str, figure: str) -> None:
    """Draw a figure.

    Parameters
    ----------
    request : FigureFacts
    model : path
    figure : path
        The SVG file to write.
    """
    if isinstance(request.spec, MatrixSpec):
        save_figure(draw_loadings(load_model(model), request.spec), figure)
        return
    with hdf5.reading(model), h5py.File(model, "r", locking=False) as file:
        scale = file["channel_spread"][()] if "channel_spread" in file else 1.0
    save_figure(
        draw_components(
            load_model(model),
            request.spec,
            rate=request.sampling_rate,
            units=request.units,
            channel_scale=scale,
        ),
        figure,
    )


if "snakemake" in globals():
    run_script(snakemake, plot_components)
