"""Draw the reconstruction error of the windows along the recordings."""

from memwave.results.figures.in_time import Clock, draw_in_time
from memwave.results.figures.rows import RECORDINGS, blocks, count_windows, survey
from memwave.results.figures.style import save_figure
from memwave.results.figures.timeline import Timeline
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import FigureFacts


def plot_reconstruction(request: FigureFacts, *, model: str, projection: str, figure: str) -> None:
    """Draw a figure.

    Parameters
    ----------
    request : FigureFacts
    model, projection : path
    figure : path
        The SVG file to write.
    """
    total = load_model(model).total_variance or 1.0
    with open_projection(projection) as file:
        found = survey(file, request.label_names)
        timelines = {}
        for name, start, stop in found.recordings[:RECORDINGS]:
            timeline = Timeline(count_windows(file, stop), 1, len(found.classes.names))
            for windows, errors, classes in blocks(
                file, "reconstruction_error", found.classes, start, stop
            ):
                timeline.add(windows, errors[:, None] / total, classes)
            timelines[name] = timeline
        clock = Clock(int(file.attrs["window"]), int(file.attrs["step"]), request.sampling_rate)
    series = ["squared error\n(1: total variance)"]
    save_figure(
        draw_in_time(timelines, series, found.classes, clock, len(found.recordings)), figure
    )


if "snakemake" in globals():
    run_script(snakemake, plot_reconstruction)
