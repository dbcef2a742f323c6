"""Draw the scores of a projection: components against each other, and along the recordings."""

from memwave.core.progress import Progress
from memwave.results.figures.in_time import Clock, draw_in_time
from memwave.results.figures.rows import RECORDINGS, blocks, count_windows, survey
from memwave.results.figures.scores import draw_scores, make_densities
from memwave.results.figures.style import save_figure
from memwave.results.figures.timeline import Timeline
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import FigureFacts


def plot_scores(
    request: FigureFacts, *, model: str, projection: str, against_each_other: str, in_time: str
) -> None:
    """Draw two figures.

    Parameters
    ----------
    request : FigureFacts
    model, projection : path
    against_each_other, in_time : path
        The SVG files to write.
    """
    shares = load_model(model).explained_variance_ratio
    with open_projection(projection) as file:
        found = survey(file, request.label_names)
        densities = make_densities(found)
        timelines: dict[str, Timeline] = {}
        progress = Progress(len(file["scores"]), f"plot_scores {projection}")
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
        clock = Clock(int(file.attrs["window"]), int(file.attrs["step"]), request.sampling_rate)
    save_figure(draw_scores(densities, found.classes, shares), against_each_other)
    series = [f"component {i + 1}" for i in range(found.shown)]
    save_figure(
        draw_in_time(timelines, series, found.classes, clock, len(found.recordings)), in_time
    )


if "snakemake" in globals():
    run_script(snakemake, plot_scores)
