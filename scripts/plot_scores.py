"""Draw the scores of a projection: components against each other, and along the recordings."""

from memwave.results.figures.in_time import Clock, draw_in_time
from memwave.results.figures.rows import RECORDINGS, blocks, count_windows, survey
from memwave.results.figures.scores import draw_scores, make_densities
from memwave.results.figures.style import save_figure
from memwave.results.figures.timeline import Timeline
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection
from memwave.storage import hdf5
from memwave.workflow import stage
from memwave.workflow.stage import Progress


def plot_scores(
    *,
    model_path: str,
    projection: str,
    rate: float | None,
    label_names: dict[int, str],
    against_each_other: str,
    in_time: str,
) -> None:
    """Draw two figures.

    Parameters
    ----------
    model_path, projection : path
    rate : float or None
        Rows a second.
    label_names : dict of int to str
    against_each_other, in_time : path
        The SVG files to write.
    """
    shares = load_model(model_path).explained_variance_ratio
    with hdf5.reading(projection), open_projection(projection) as file:
        found = survey(file, label_names)
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
        clock = Clock(int(file.attrs["window"]), int(file.attrs["step"]), rate)
    save_figure(draw_scores(densities, found.classes, shares), against_each_other)
    series = [f"component {i + 1}" for i in range(found.shown)]
    save_figure(draw_in_time(timelines, series, found.classes, clock), in_time)


if "snakemake" in globals():
    with stage.stage(
        "plot_scores",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        plot_scores(
            model_path=snakemake.input.model,
            projection=snakemake.input.projection,
            rate=snakemake.params.dataset["sampling_rate"],
            label_names=snakemake.params.dataset["label_names"],
            against_each_other=snakemake.output.against_each_other,
            in_time=snakemake.output.in_time,
        )
