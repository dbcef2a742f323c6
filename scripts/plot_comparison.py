"""Draw the accuracy of the models against time and memory of their fits."""

import csv

from memwave.results.figures.comparison import Point, draw_comparison
from memwave.results.figures.style import save_figure
from memwave.workflow.process.stage import run_script


def plot_comparison(_: None, *, summary: str, figure: str) -> None:
    """Draw a figure.

    Parameters
    ----------
    summary : path
        The table of all experiments.
    figure : path
        The SVG file to write.
    """
    groups: dict[str, list[Point]] = {}
    with open(summary, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            title = f"{row['dataset']}/{row['features']}, against {row['reference']}"
            point = Point(
                name=row["model"],
                error=float(row["lost_cosine"]),
                seconds=float(row["fit_seconds"]),
                megabytes=float(row["fit_peak_mb"]),
            )
            groups.setdefault(title, []).append(point)
    save_figure(draw_comparison(groups), figure)


if "snakemake" in globals():
    run_script(snakemake, plot_comparison)
