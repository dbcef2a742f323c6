"""Figure: density of the windows in the planes of the first components."""

from collections.abc import Sequence
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from memwave.results.figures.classes import Classes
from memwave.results.figures.density import Density
from memwave.results.figures.rows import Survey
from memwave.results.figures.style import new_figure

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
    figure = new_figure(3.7)
    panels = figure.subplots(1, max(2, len(densities)), squeeze=False)[0]
    for axes in panels[len(densities) :]:
        axes.set_axis_off()
    for axes, ((i, j), density) in zip(panels, densities.items(), strict=False):
        image = density.image(classes.colours)
        axes.imshow(image, origin="lower", extent=density.extent, aspect="auto")
        _name_classes(axes, density, classes)
        axes.set_xlabel(f"component {i + 1} ({shares[i]:.1%})")
        axes.set_ylabel(f"component {j + 1} ({shares[j]:.1%})")
    add_legend(figure, classes)
    return figure


def add_legend(figure: Figure, classes: Classes) -> None:
    """Add a legend above the panels, with the colours and the marks of the classes."""
    names = [
        f"{mark}  {name}" if mark and mark not in name.split() else name
        for mark, name in zip(classes.marks, classes.names, strict=True)
    ]
    handles = [Patch(color=colour) for colour in classes.colours]
    figure.legend(
        handles, names, loc="outside upper left", ncols=4, handlelength=1.0, columnspacing=1.5
    )


def _name_classes(axes: Axes, density: Density, classes: Classes) -> None:
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for mark, place in zip(classes.marks, density.places(), strict=True):
        if place:
            axes.text(*place, mark, weight="bold", path_effects=halo, ha="center", va="center")
