"""Figure: predicted and measured memory of the stages."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from memwave.results.figures.style import FAINT, INK, LINE, new_figure, set_log

# Share of the height of a stage on which its experiments are distributed.
SPREAD = 0.7


def draw_memory(stages: dict[str, list[tuple[float, float]]], limit: float) -> Figure:
    """Draw a line per experiment in each stage, from measured to predicted memory.

    Parameters
    ----------
    stages : dict of str to list of (measured, predicted)
        Memory of each experiment, in MB, by the name of the stage.
    limit : float
        Memory limit of all stages, in MB.
    """
    figure = new_figure(1.0 + 0.55 * len(stages))
    axes = figure.subplots()
    for row, pairs in enumerate(stages.values()):
        for y, (measured, predicted) in zip(_positions(row, len(pairs)), pairs, strict=True):
            axes.plot([measured, predicted], [y, y], color=FAINT, linewidth=0.5, zorder=1)
            axes.plot(measured, y, "o", color=LINE, markersize=3.5)
            axes.plot(predicted, y, "|", color=INK, markersize=6)
    axes.axvline(limit, color=FAINT, linestyle="--", linewidth=0.8)
    set_log(axes, "x")
    axes.set_xlabel("anonymous memory of a job (MB)")
    axes.set_yticks(range(len(stages)), list(stages))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter("")
    handles = [
        Line2D([], [], color=LINE, marker="o", markersize=3.5, linewidth=0),
        Line2D([], [], color=INK, marker="|", markersize=6, linewidth=0),
        Line2D([], [], color=FAINT, linestyle="--", linewidth=0.8),
    ]
    names = ["measured", "predicted (memory limit of the job)", "max_mem_mb"]
    figure.legend(handles, names, loc="outside upper left", ncols=3)
    return figure


def _positions(row: int, count: int) -> Sequence[float]:
    """Return the vertical positions of the experiments of a stage."""
    return [row + SPREAD * ((i + 0.5) / count - 0.5) for i in range(count)]
