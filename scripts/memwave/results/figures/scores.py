"""Figure: density of the windows in the planes of the first components."""

from collections.abc import Sequence
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from memwave.results.figures.classes import Classes
from memwave.results.figures.density import Density
from memwave.results.figures.rows import Survey
from memwave.results.figures.style import (
    LEGEND_NAME,
    add_legend_above,
    legend_height,
    new_figure,
    shortened,
)

Pair = tuple[int, int]


def pairs(shown: int) -> list[Pair]:
    """Return the pairs of components to draw, from 0 on; a single one is paired with itself."""
    return list(combinations(range(shown), 2)) or [(0, 0)]


def make_densities(survey: Survey) -> dict[Pair, Density]:
    """Return an empty density for every pair of components."""
    low, high = survey.low.tolist(), survey.high.tolist()
    n_classes = len(survey.classes.names)
    return {
        (i, j): Density((low[i], high[i], low[j], high[j]), n_classes)
        for i, j in pairs(survey.shown)
    }


def draw_scores(
    densities: dict[Pair, Density], classes: Classes, shares: Sequence[float]
) -> Figure:
    """Draw the densities side by side.

    Parameters
    ----------
    densities : dict of (int, int) to Density
    classes : Classes
    shares : sequence of float
        Share of the total variance that each component explains.
    """
    figure = new_figure(3.3 + classes_height(classes))
    panels = figure.subplots(1, max(2, len(densities)), squeeze=False)[0]
    for axes in panels[len(densities) :]:
        axes.set_axis_off()
    for axes, ((i, j), density) in zip(panels, densities.items(), strict=False):
        image = density.image(classes.colours)
        axes.imshow(image, origin="lower", extent=density.extent, aspect="auto")
        _name_classes(axes, density, classes)
        axes.set_xlabel(f"component {i + 1} ({shares[i]:.1%})")
        axes.set_ylabel(f"component {j + 1} ({shares[j]:.1%})")
        axes.xaxis.set_major_locator(MaxNLocator(4))
    add_legend(figure, classes)
    return figure


def add_legend(figure: Figure, classes: Classes) -> None:
    """Add a legend above the panels, with the colours and the marks of the classes."""
    handles = [Patch(color=colour) for colour in classes.colours]
    add_legend_above(figure, handles, _legend_names(classes))


def classes_height(classes: Classes) -> float:
    """Return the height of the legend of `add_legend`, in inches."""
    return legend_height([shortened(name, LEGEND_NAME) for name in _legend_names(classes)])


def _legend_names(classes: Classes) -> list[str]:
    return [
        f"{mark}  {name}" if mark and mark not in name.split() else name
        for mark, name in zip(classes.marks, classes.names, strict=True)
    ]


def _name_classes(axes: Axes, density: Density, classes: Classes) -> None:
    halo = [withStroke(linewidth=2.5, foreground="white")]
    style: dict = {"weight": "bold", "path_effects": halo, "ha": "center", "va": "center"}
    for mark, place in zip(classes.marks, density.places(), strict=True):
        if place:
            axes.text(*place, mark, **style, in_layout=False)
