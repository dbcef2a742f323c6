"""Figure: accuracy of the models against time and memory of their fits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from memwave.results.figures.classes import COLOURS
from memwave.results.figures.style import FAINT, add_legend_above, new_figure, set_log

MARKERS = "osD^vP*X"

# Ratio of largest to smallest value from which an axis is logarithmic.
WIDE = 5

# Largest error that is drawn as zero.
NO_ERROR = 1e-25

# Most feature sets in the figure.
MOST_GROUPS = 6

# Size of a pixel (100 per inch) in points (72 per inch).
POINT = 0.72

# In points: width of a letter of a label, height of a line, distance of a label from its marker.
LETTER, LINE_HEIGHT, GAP = 4.4, 8.0, 5.0


@dataclass(frozen=True)
class Point:
    """A model: its name, its error, and time and memory of its fit."""

    name: str
    error: float
    seconds: float
    megabytes: float


def draw_comparison(groups: dict[str, list[Point]]) -> Figure:
    """Draw accuracy against time and memory.

    Parameters
    ----------
    groups : dict of str to list of Point
        Models of the same features, by the name of the features. Groups of one model are left out;
        of the others, the first `MOST_GROUPS` are drawn.
    """
    compared = {title: points for title, points in groups.items() if len(points) > 1}
    shown = list(compared.items())[:MOST_GROUPS]
    if not shown:
        figure = new_figure(0.5)
        alone = "No features have more than one model, so there is nothing to compare."
        figure.text(0.02, 0.5, alone, va="center")
        return figure
    figure = new_figure(0.7 + 2.8 * len(shown))
    panels = figure.subplots(len(shown), 2, squeeze=False, sharey="row")
    families = families_of([point.name for _, points in shown for point in points])
    for row, (title, points) in zip(panels, shown, strict=True):
        row[0].set_title(title)
        row[0].set_ylabel("1 - mean squared cosine")
        for axes, quantity in zip(row, ("seconds", "megabytes"), strict=True):
            _draw(axes, points, quantity, families)
    panels[-1, 0].set_xlabel("time of the fit, summed over its jobs (s)")
    panels[-1, 1].set_xlabel("peak of anonymous memory (MB)")
    handles = {
        text: handle
        for axes in panels.flat
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    add_legend_above(figure, list(handles.values()), list(handles))
    figure.draw_without_rendering()  # computes the layout, which labels need
    for row, (_, points) in zip(panels, shown, strict=True):
        for axes, quantity in zip(row, ("seconds", "megabytes"), strict=True):
            _name(axes, _places(points, quantity), families)
    return figure


def families_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return family and label of every model; models of one grid are labelled by their values.

    Parameters
    ----------
    names : sequence of str
        ``<family>-<key>-<value>-...`` for a point of a grid.

    Returns
    -------
    dict of str to (str, str)
    """
    found = {}
    for name in names:
        family, *rest = name.split("-")
        keys, values = rest[::2], rest[1::2]
        alike = [other for other in names if other.split("-")[1::2] == keys != []]
        if len(keys) == len(values) and len({*alike}) > 1:
            found[name] = f"{family} ({', '.join(keys)})", ", ".join(values)
        else:
            found[name] = name, name
    return found


def _places(points: list[Point], quantity: str) -> dict[str, tuple[float, float]]:
    """Return the position of each model. An error of zero is drawn at `_least`."""
    least = _least(points)
    return {point.name: (getattr(point, quantity), max(point.error, least)) for point in points}


def _least(points: list[Point]) -> float:
    """Position of an error of zero on the logarithmic axis: below all others."""
    positive = [point.error for point in points if point.error > NO_ERROR]
    return 10.0 ** (math.floor(math.log10(min(positive, default=1.0))) - 1)


def _draw(
    axes: Axes, points: list[Point], quantity: str, families: dict[str, tuple[str, str]]
) -> None:
    places = _places(points, quantity)
    all_families = list(dict.fromkeys(family for family, _ in families.values()))
    for i, family in enumerate(all_families):
        own = [place for name, place in places.items() if families[name][0] == family]
        if own:
            marker, colour = MARKERS[i % len(MARKERS)], COLOURS[i % len(COLOURS)]
            axes.plot(*zip(*own, strict=True), marker, color=colour, markersize=4.5, label=family)
    set_log(axes, "y")
    least = _least(points)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        lambda value, _: "0" if value <= 1.01 * least else f"1e{round(math.log10(value))}"
    )
    values = [getattr(point, quantity) for point in points]
    if max(values) > WIDE * min(values):
        set_log(axes, "x")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(_few_minor_labels)
    axes.margins(0.25, 0.12)
    axes.set_ylim(bottom=least / 3)
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.5)


def _few_minor_labels(value: float, _: object) -> str:
    leading = round(value / 10 ** math.floor(math.log10(value)))
    return f"{value:g}" if leading in (2, 5) else ""


def _name(
    axes: Axes, places: dict[str, tuple[float, float]], families: dict[str, tuple[str, str]]
) -> None:
    """Write a label to the right or left of each point if there is room."""
    centers = {name: axes.transData.transform(place) * POINT for name, place in places.items()}
    taken = [(x - GAP, x + GAP, y - GAP, y + GAP) for x, y in centers.values()]
    for name in sorted(places, key=lambda name: places[name][1]):
        (x, y), label = centers[name], families[name][1]
        width = LETTER * len(label)
        for side, left in (("left", x + GAP), ("right", x - GAP - width)):
            box = (left, left + width, y - LINE_HEIGHT / 2, y + LINE_HEIGHT / 2)
            if not any(_overlap(box, other) for other in taken):
                taken.append(box)
                offset = (GAP if side == "left" else -GAP, 0)
                text = axes.annotate(label, places[name], offset, textcoords="offset points")
                text.set(ha=side, va="center", fontsize="small")
                break


def _overlap(one: tuple, other: tuple) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
