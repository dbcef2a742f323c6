"""Figure: predicted and measured memory of the stages."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from memwave.results.figures.style import (
    FAINT,
    INK,
    LINE,
    add_legend_above,
    new_figure,
    set_log,
    shortened,
)

# Lines of a stage that have names; more are drawn in the room of `ROOMS`, without names.
MOST_NAMED, ROOMS = 12, 4

# Inches of a line, between stages, and of a name.
LINE_HEIGHT, GAP, NAME = 0.17, 0.15, 2.5


def draw_memory(stages: dict[str, dict[str, tuple[float, float]]], limit: float) -> Figure:
    """Draw a line for each set of jobs of a stage, from measured to predicted memory.

    Parameters
    ----------
    stages : dict of str to dict of str to (measured, predicted)
        Memory in MB, by the name of the stage and the name of the set of jobs.
    limit : float
        Memory limit of all stages, in MB.
    """
    lines = [max(1, len(each)) if len(each) <= MOST_NAMED else ROOMS for each in stages.values()]
    tops = [sum(lines[:i]) for i in range(len(lines))]
    figure = new_figure(1.0 + LINE_HEIGHT * sum(lines) + GAP * len(lines))
    axes = figure.subplots()
    centres = []
    for i, each in enumerate(stages.values()):
        top, room = LINE_HEIGHT * tops[i] + GAP * i, LINE_HEIGHT * lines[i]
        centres.append(top + room / 2)
        _draw_stage(axes, each, _spread(top, room, len(each)))
    axes.axvline(limit, color=FAINT, linestyle="--", linewidth=0.8)
    set_log(axes, "x")
    axes.set_xlabel("anonymous memory of a job (MB)")
    axes.set_yticks(centres, list(stages))
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
    add_legend_above(figure, handles, names)
    return figure


def _draw_stage(axes: Axes, each: dict[str, tuple[float, float]], heights: Sequence[float]) -> None:
    for y, (name, (measured, predicted)) in zip(heights, each.items(), strict=True):
        axes.plot([measured, predicted], [y, y], color=FAINT, linewidth=0.5, zorder=1)
        axes.plot(measured, y, "o", color=LINE, markersize=3.5)
        axes.plot(predicted, y, "|", color=INK, markersize=6)
        if len(each) <= MOST_NAMED:
            place = (max(measured, predicted), y)
            text = axes.annotate(shortened(name, NAME), place, (5, 0), textcoords="offset points")
            text.set(va="center", fontsize="x-small")


def _spread(top: float, room: float, count: int) -> Sequence[float]:
    """Heights of the lines of a stage."""
    return [top + room * (i + 0.5) / count for i in range(count)]
