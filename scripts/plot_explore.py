"""Write a page that shows an experiment in a browser: zoom, selection and menus, offline."""

import importlib
from pathlib import Path

from memwave.features.columns import MatrixSpec
from memwave.results.figures.explore.content import add_signals, content_of
from memwave.results.model_file import load_extraction, load_model
from memwave.results.projection_file import open_projection
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import FigureFacts


def plot_explore(request: FigureFacts, *, model: str, projection: str, page: str) -> None:
    """Write the page.

    Parameters
    ----------
    request : FigureFacts
    model, projection : path
    page : path
        The HTML file to write.
    """
    from memwave.results.figures.explore.page import write_page

    spec, scaling = request.spec, None
    if not isinstance(spec, MatrixSpec):
        _, scaling = load_extraction(model)
    with open_projection(projection) as file:
        content = content_of(file, request.sampling_rate, request.label_names)
        add_signals(content, file, load_model(model), spec, scaling)
    write_page(page, content, "/".join(Path(page).parts[-4:-1]))


def load(_: FigureFacts) -> None:
    """Import Bokeh before memory is limited."""
    importlib.import_module("memwave.results.figures.explore.page")


if "snakemake" in globals():
    run_script(snakemake, plot_explore, load=load)
