"""Figure: what the accuracy of the models costs in time and memory."""

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memwave.figures.classes import COLOURS
from memwave.figures.style import FAINT, new_figure

MARKERS = "osD^vP*X"

# Less than that is rounding, and drawn there.
LEAST = 1e-16

# Values that are so many times apart get a logarithmic axis.
WIDE = 5


@dataclass(frozen=True)
class Point:
    """A model: its name and solver, its error, and what its fit took."""

    name: str
    solver: str
    error: float
    seconds: float
    megabytes: float


def draw_comparison(groups: dict[str, list[Point]]) -> Figure:
    """Draw accuracy against time and memory.

    Parameters
    ----------
    groups : dict of str to list of Point
        Models of the same features, by the name of those.
    """
    figure = new_figure(0.7 + 2.6 * len(groups))
    panels = figure.subplots(len(groups), 2, squeeze=False, sharey="row")
    solvers = sorted({point.solver for points in groups.values() for point in points})
    for row, (title, points) in zip(panels, groups.items(), strict=True):
        row[0].set_title(title)
        row[0].set_ylabel("1 - mean squared cosine")
        _draw(row[0], points, "seconds", solvers)
        _draw(row[1], points, "megabytes", solvers)
    panels[-1, 0].set_xlabel("time of the fit, summed over its jobs (s)")
    panels[-1, 1].set_xlabel("peak of anonymous memory (MB)")
    handles = {
        text: handle
        for axes in panels.flat
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside upper left", ncols=len(handles))
    return figure


def _draw(axes: Axes, points: list[Point], quantity: str, solvers: list[str]) -> None:
    for i, solver in enumerate(solvers):
        of_solver = [point for point in points if point.solver == solver]
        if of_solver:
            axes.plot(
                [getattr(point, quantity) for point in of_solver],
                [max(point.error, LEAST) for point in of_solver],
                MARKERS[i % len(MARKERS)],
                color=COLOURS[i % len(COLOURS)],
                markersize=4.5,
                label=solver,
            )
    axes.set_yscale("log")
    values = [getattr(point, quantity) for point in points]
    if max(values) > WIDE * min(values):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(_few_minor_labels)
    axes.margins(0.12, 0.12)
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.5)
    _name(axes, points, quantity)


def _few_minor_labels(value: float, _: object) -> str:
    leading = round(value / 10 ** math.floor(math.log10(value)))
    return f"{value:g}" if leading in (2, 5) else ""


def _name(axes: Axes, points: list[Point], quantity: str) -> None:
    """Write the names of points where there is room; the table has them all."""
    taken: list[tuple[float, float]] = []
    to_pixels = axes.transData.transform
    for point in sorted(points, key=lambda point: point.error):
        place = (getattr(point, quantity), max(point.error, LEAST))
        x, y = to_pixels(place)
        if all(abs(y - other_y) > 9 or abs(x - other_x) > 90 for other_x, other_y in taken):
            taken.append((x, y))
            axes.annotate(point.name, place, (4, 3), textcoords="offset points", fontsize="small")
