"""Draw the variance that the components of a model explain, with its error bound."""

from memwave.results.figures.spectrum import draw_spectrum
from memwave.results.figures.style import save_figure
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection
from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script


def plot_spectrum(_: None, *, model: str, projection: str, figure: str) -> None:
    """Draw a figure.

    Parameters
    ----------
    model, projection : path
        A model, and the projection with its certificate.
    figure : path
        The SVG file to write.
    """
    with hdf5.reading(projection), open_projection(projection) as file:
        residual = file["residual"][()]
    save_figure(draw_spectrum(load_model(model), residual), figure)


if "snakemake" in globals():
    run_script(snakemake, plot_spectrum)
