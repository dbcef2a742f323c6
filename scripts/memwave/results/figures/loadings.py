"""Figure: the components of a matrix, as loadings over its columns."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memwave.features.columns import MatrixSpec
from memwave.pca.diagnostics.uncertainty import loading_errors
from memwave.pca.model import Model
from memwave.results.figures.curves import BAND, draw_curve
from memwave.results.figures.sizes import COMPONENTS
from memwave.results.figures.style import FAINT, INK, LINE, new_figure

# Columns that are drawn with their names; of more, the largest loadings are named.
NAMED, LARGEST = 24, 3

# Letters of a name that are drawn.
LETTERS = 16


def draw_loadings(model: Model, spec: MatrixSpec) -> Figure:
    """Draw the leading components, a panel each, with the sampling errors of their loadings.

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
    errors = loading_errors(model, shown)
    for i, axes in enumerate(panels):
        loadings = model.components[i]
        _draw(axes, loadings, np.zeros_like(loadings) if errors is None else errors[i])
        axes.set_ylabel(f"component {i + 1}\n({model.explained_variance_ratio[i]:.1%})")
        if len(names) > NAMED:
            _name_largest(axes, loadings, names)
    if names and len(names) <= NAMED:
        panels[-1].set_xticks(range(len(names)), names, rotation=60, ha="right")
    figure.supxlabel("column" if errors is None else f"column; {BAND}", fontsize="medium")
    return figure


def _draw(axes: Axes, loadings: np.ndarray, errors: np.ndarray) -> None:
    axes.axhline(0.0, color=FAINT, linewidth=0.5)
    columns = np.arange(len(loadings))
    if len(loadings) <= NAMED:
        axes.bar(columns, loadings, color=LINE, width=0.7)
        axes.vlines(columns, loadings - errors, loadings + errors, color=INK, linewidth=0.9)
    else:
        draw_curve(axes, columns, loadings, errors)
    axes.margins(x=0.01)


def _name_largest(axes: Axes, loadings: np.ndarray, names: list[str]) -> None:
    for column in np.argsort(-np.abs(loadings), kind="stable")[:LARGEST]:
        place = (float(column), float(loadings[column]))
        axes.annotate(names[column], place, fontsize="x-small", ha="center", va="center")
    axes.margins(y=0.2)
