"""Draw the predicted and the measured memory of every stage."""

import csv

from memwave.results.figures.memory import draw_memory
from memwave.results.figures.style import save_figure
from memwave.workflow.process.stage import run_script

MEASURED, PREDICTED = "_peak_mb", "_predicted_mb"


def plot_memory(limit_mb: float, *, summary: str, figure: str) -> None:
    """Draw a figure.

    Parameters
    ----------
    limit_mb : float
        Memory limit of all stages, in MB.
    summary : path
        The table of all experiments.
    figure : path
        The SVG file to write.
    """
    with open(summary, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    names = [column.removesuffix(PREDICTED) for column in rows[0] if column.endswith(PREDICTED)]
    stages = {
        name: [
            (float(row[name + MEASURED]), float(row[name + PREDICTED]))
            for row in rows
            if row[name + MEASURED]
        ]
        for name in names
    }
    save_figure(draw_memory(stages, limit_mb), figure)


if "snakemake" in globals():
    run_script(snakemake, plot_memory)
