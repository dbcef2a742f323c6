"""Figure: memory of the stages, predicted and measured."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from memwave.results.figures.style import FAINT, INK, LINE, new_figure, set_log

# Of the height of a stage, what its experiments take.
SPREAD = 0.7


def draw_memory(stages: dict[str, list[tuple[float, float]]], limit: float) -> Figure:
    """Draw a line an experiment in each stage, from what was measured to what was predicted.

    Parameters
    ----------
    stages : dict of str to list of (measured, predicted)
        MB of each experiment, by the name of the stage.
    limit : float
        MB that no stage may exceed.
    """
    figure = new_figure(1.0 + 0.55 * len(stages))
    axes = figure.subplots()
    for row, pairs in enumerate(stages.values()):
        for y, (measured, predicted) in zip(_spread(row, len(pairs)), pairs, strict=True):
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
    names = ["measured", "predicted, and the most that a job gets", "max_mem_mb"]
    figure.legend(handles, names, loc="outside upper left", ncols=3)
    return figure


def _spread(row: int, count: int) -> Sequence[float]:
    """Heights of the experiments of a stage."""
    return [row + SPREAD * ((i + 0.5) / count - 0.5) for i in range(count)]
