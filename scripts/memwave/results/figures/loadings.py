"""Figure: the components of a matrix, as loadings over its columns."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memwave.features.columns import MatrixSpec
from memwave.pca.model import Model
from memwave.results.figures.sizes import COMPONENTS
from memwave.results.figures.style import FAINT, LINE, new_figure
from memwave.results.figures.timeline import BINS, Timeline

# Columns that are drawn with their names; of more, the largest loadings are named.
NAMED, LARGEST = 24, 3

# Letters of a name that are drawn.
LETTERS = 16


def draw_loadings(model: Model, spec: MatrixSpec) -> Figure:
    """Draw the leading components, a panel each.

    Parameters
    ----------
    model : Model
    spec : MatrixSpec
        The columns.
    """
    shown = min(COMPONENTS, model.n_components)
    figure = new_figure(0.8 + 1.1 * shown)
    panels = figure.subplots(shown, 1, squeeze=False, sharex=True)[:, 0]
    names = [name[:LETTERS] for name in spec.names or ()]
    for i, axes in enumerate(panels):
        loadings = model.components[i]
        _draw(axes, loadings)
        axes.set_ylabel(f"component {i + 1}\n({model.explained_variance_ratio[i]:.1%})")
        if len(names) > NAMED:
            _name_largest(axes, loadings, names)
    if names and len(names) <= NAMED:
        panels[-1].set_xticks(range(len(names)), names, rotation=60, ha="right")
    figure.supxlabel("column", fontsize="medium")
    return figure


def _draw(axes: Axes, loadings: np.ndarray) -> None:
    axes.axhline(0.0, color=FAINT, linewidth=0.5)
    columns = np.arange(len(loadings))
    if len(loadings) <= NAMED:
        axes.bar(columns, loadings, color=LINE, width=0.7)
    elif len(loadings) <= BINS:
        axes.plot(columns, loadings, color=LINE, linewidth=0.9)
    else:  # the range of the loadings in each bin
        line = Timeline(len(loadings), 1, 1)
        line.add(columns, loadings[:, None], np.zeros(len(loadings), dtype=int))
        low, high = line.low[:, 0], line.high[:, 0]
        axes.fill_between(line.edges[:-1], low, high, color=LINE, linewidth=0.7)
    axes.margins(x=0.01)


def _name_largest(axes: Axes, loadings: np.ndarray, names: list[str]) -> None:
    for column in np.argsort(-np.abs(loadings), kind="stable")[:LARGEST]:
        place = (float(column), float(loadings[column]))
        axes.annotate(names[column], place, fontsize="x-small", ha="center", va="center")
    axes.margins(y=0.2)
