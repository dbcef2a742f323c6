"""Draw the figures of an experiment: spectrum, components, scores, reconstruction, monitoring.

One process draws them all: loading matplotlib takes longer than drawing a figure.
"""

import gc

import h5py
import numpy as np

from memwave.core.progress import Progress
from memwave.features.columns import MatrixSpec
from memwave.pca.model import Model
from memwave.results.extraction import load_channel_scaling
from memwave.results.figures.components import draw_components
from memwave.results.figures.highest import draw_highest, high_windows
from memwave.results.figures.in_time import Clock, draw_in_time
from memwave.results.figures.loadings import draw_loadings
from memwave.results.figures.rows import RECORDINGS, Survey, blocks, count_windows, survey
from memwave.results.figures.scores import draw_scores, make_densities
from memwave.results.figures.spectrum import draw_spectrum
from memwave.results.figures.style import save_figure
from memwave.results.figures.timeline import Timeline
from memwave.results.model_file import load_model
from memwave.results.monitoring.highest import open_contributions
from memwave.results.projection_file import open_projection
from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.figures import FigureFacts


def plot_experiment(
    request: FigureFacts,
    *,
    model: str,
    projection: str,
    contributions: str,
    spectrum: str,
    components: str,
    scores: str,
    scores_in_time: str,
    reconstruction: str,
    monitoring: str,
    highest: str,
) -> None:
    """Draw the figures.

    Parameters
    ----------
    request : FigureFacts
    model, projection, contributions : path
        A model, the projection with its certificate, and the contributions of its highest windows.
    spectrum, components, scores, scores_in_time, reconstruction, monitoring, highest : path
        The SVG files to write.
    """
    # Figures consist of many objects, through which the collector would search again and again.
    # None is freed before the last figure is drawn: this takes a few MB.
    gc.disable()
    fitted = load_model(model)
    plot_components(request, fitted, model, components)
    plot_highest(request, fitted, model, contributions, highest)
    with open_projection(projection) as file:
        with hdf5.reading(projection):
            residual = file["residual"][()]
        save_figure(draw_spectrum(fitted, residual, unit_of(request)), spectrum)
        found = survey(file, request.label_names)
        group = "part" if isinstance(request.spec, MatrixSpec) else "recording"
        window, step = int(file.attrs["window"]), int(file.attrs["step"])
        clock = Clock(window, step, request.sampling_rate, group)
        plot_scores(file, found, clock, fitted, scores, scores_in_time)
        plot_reconstruction(file, found, clock, fitted, reconstruction)
        plot_monitoring(file, found, clock, monitoring)


def unit_of(request: FigureFacts) -> str:
    """What variances of features are measured in, in words."""
    if isinstance(request.spec, MatrixSpec):
        return "column units, squared"
    return "channel units, squared" if request.spec.scale == "none" else "of scaled channels"


def plot_components(request: FigureFacts, fitted: Model, model: str, path: str) -> None:
    """Draw the components: as signals, or the loadings of the columns of a matrix."""
    if isinstance(request.spec, MatrixSpec):
        save_figure(draw_loadings(fitted, request.spec), path)
        return
    with hdf5.reading(model), h5py.File(model, "r", locking=False) as file:
        scale = file["channel_spread"][()] if "channel_spread" in file else 1.0
    figure = draw_components(
        fitted,
        request.spec,
        rate=request.sampling_rate,
        units=request.units,
        channel_scale=scale,
    )
    save_figure(figure, path)


def plot_scores(
    file: h5py.File, found: Survey, clock: Clock, fitted: Model, path: str, in_time: str
) -> None:
    """Draw the scores: components against each other, and along the first recordings."""
    densities = make_densities(found)
    timelines: dict[str, Timeline] = {}
    progress = Progress(len(file["scores"]), f"plot_experiment {file.filename}")
    for name, start, stop in found.recordings:
        timeline = Timeline(count_windows(file, stop), found.shown, len(found.classes.names))
        for windows, scores, classes in blocks(
            file, "scores", found.classes, start, stop, width=found.shown
        ):
            for (i, j), density in densities.items():
                density.add(scores[:, i], scores[:, j], classes)
            if len(timelines) < RECORDINGS:
                timeline.add(windows, scores, classes)
            progress.add(len(scores))
        if len(timelines) < RECORDINGS:
            timelines[name] = timeline
    progress.close()
    save_figure(draw_scores(densities, found.classes, fitted.explained_variance_ratio), path)
    series = [f"component {i + 1}" for i in range(found.shown)]
    n_recordings = len(found.recordings)
    save_figure(draw_in_time(timelines, series, found.classes, clock, n_recordings), in_time)


def plot_reconstruction(
    file: h5py.File, found: Survey, clock: Clock, fitted: Model, path: str
) -> None:
    """Draw the reconstruction error of the windows along the first recordings."""
    total = fitted.total_variance or 1.0
    timelines = {}
    for name, start, stop in found.recordings[:RECORDINGS]:
        timeline = Timeline(count_windows(file, stop), 1, len(found.classes.names))
        for windows, errors, classes in blocks(
            file, "reconstruction_error", found.classes, start, stop
        ):
            timeline.add(windows, errors[:, None] / total, classes)
        timelines[name] = timeline
    series = ["squared error\n(1: total variance)"]
    n_recordings = len(found.recordings)
    save_figure(draw_in_time(timelines, series, found.classes, clock, n_recordings), path)


def plot_monitoring(file: h5py.File, found: Survey, clock: Clock, path: str) -> None:
    """Draw T2 and SPE of the windows along the first recordings, with their limits."""
    columns = {"hotelling_t2": "t2_limit", "spe": "spe_limit"}
    timelines = {}
    for name, start, stop in found.recordings[:RECORDINGS]:
        timeline = Timeline(count_windows(file, stop), len(columns), len(found.classes.names))
        series = [blocks(file, column, found.classes, start, stop) for column in columns]
        for parts in zip(*series, strict=True):
            windows, _, classes = parts[0]
            timeline.add(windows, np.column_stack([values for _, values, _ in parts]), classes)
        timelines[name] = timeline
    with hdf5.reading(file.filename):
        limits = [file[limit][1].tolist() for limit in columns.values()]
        levels = file["limit_level"][()].tolist()
    names = ["Hotelling's T2", "SPE"]
    figure = draw_in_time(
        timelines, names, found.classes, clock, len(found.recordings), limits=limits, levels=levels
    )
    save_figure(figure, path)


def plot_highest(
    request: FigureFacts, fitted: Model, model: str, contributions: str, path: str
) -> None:
    """Draw the windows of highest T2 and SPE, and what makes them high."""
    spec, rate = request.spec, request.sampling_rate
    with open_contributions(contributions) as file, hdf5.reading(contributions):
        windows = high_windows(file, spec, rate)
    save_figure(draw_highest(windows, fitted, spec, load_channel_scaling(model), rate), path)


if "snakemake" in globals():
    run_script(snakemake, plot_experiment)
