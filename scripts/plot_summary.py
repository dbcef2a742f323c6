"""Draw the figures of all experiments: accuracy against cost, and memory of every stage."""

import csv

from memwave.results.figures.comparison import Point, draw_comparison
from memwave.results.figures.memory import draw_memory
from memwave.results.figures.style import save_figure
from memwave.workflow import paths
from memwave.workflow.process.stage import run_script

MEASURED, PREDICTED = "_peak_mb", "_predicted_mb"


def plot_summary(limit_mb: float, *, summary: str, comparison: str, memory: str) -> None:
    """Draw the figures.

    Parameters
    ----------
    limit_mb : float
        Memory limit of all stages, in MB.
    summary : path
        The table of all experiments.
    comparison, memory : path
        The SVG files to write.
    """
    with open(summary, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    save_figure(draw_comparison(points_of(rows)), comparison)
    save_figure(draw_memory(memory_of(rows), limit_mb), memory)


def points_of(rows: list[dict[str, str]]) -> dict[str, list[Point]]:
    """Accuracy and cost of every model, by the title of its features."""
    groups: dict[str, list[Point]] = {}
    for row in rows:
        title = f"{row['dataset']}/{row['features']}, against {row['reference']}"
        point = Point(
            name=row["model"],
            error=float(row["lost_cosine"]),
            seconds=float(row["fit_seconds"]),
            megabytes=float(row["fit_peak_mb"]),
        )
        groups.setdefault(title, []).append(point)
    return groups


def memory_of(rows: list[dict[str, str]]) -> dict[str, dict[str, tuple[float, float]]]:
    """Measured and predicted memory, in MB, by stage and by what its jobs are of."""
    names = [column.removesuffix(PREDICTED) for column in rows[0] if column.endswith(PREDICTED)]
    stages: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in names}
    for row in rows:
        for name in (name for name in names if row[name + MEASURED]):
            used = float(row[name + MEASURED]), float(row[name + PREDICTED])
            stages[name][jobs_of(name, row)] = used
    return stages


def jobs_of(stage: str, row: dict[str, str]) -> str:
    """What the jobs of a stage in a row of the table are of: ``<dataset>/<features>``."""
    folder, _ = paths.SCOPES[stage]
    return folder.removeprefix("results/").format_map(row)


if "snakemake" in globals():
    run_script(snakemake, plot_summary)
