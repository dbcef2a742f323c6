"""Write a page that shows an experiment in a browser: zoom, selection and menus, offline."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from memwave.recordings.prepared import load_reading
from memwave.results.extraction import load_channel_scaling
from memwave.results.figures.explore.content import add_signals, content_of
from memwave.results.model_file import load_model
from memwave.results.monitoring.single_rows import Places, read_rows
from memwave.results.projection_file import open_projection
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.figures import Exploration
from memwave.workflow.requests.shards import load_matrix_readers


def plot_explore(
    request: Exploration,
    *,
    model: str,
    projection: str,
    page: str,
    shards: Sequence[str] = (),
    valid: Sequence[str] = (),
) -> None:
    """Write the page.

    Parameters
    ----------
    request : Exploration
    model, projection : path
    page : path
        The HTML file to write.
    shards : sequence of path
        All shards, in order, if features are stored.
    valid : sequence of path
        Outputs of `find_gaps` for all shards, if windows are dropped.
    """
    from memwave.results.figures.explore.page import write_page

    facts, scaling = request.facts, load_channel_scaling(model)

    def read(places: Places) -> Iterator[np.ndarray]:
        return read_rows(request.sources, places, shards, valid, scaling, rounded=False)

    with open_projection(projection) as file:
        content = content_of(file, facts.sampling_rate, facts.label_names)
        add_signals(content, file, load_model(model), facts.spec, scaling, read)
    write_page(page, content, "/".join(Path(page).parts[-4:-1]))


def load(request: Exploration) -> None:
    """Import Bokeh, and what features are read with, before memory is limited."""
    importlib.import_module("memwave.results.figures.explore.page")
    load_matrix_readers(request.sources.matrix)
    load_reading(request.sources.recordings)


if "snakemake" in globals():
    run_script(snakemake, plot_explore, load=load)
