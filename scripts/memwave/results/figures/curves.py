"""Curves with bands: loadings over columns, and waves over time."""

import numpy as np
from matplotlib.axes import Axes

from memwave.results.figures.style import LINE
from memwave.results.figures.timeline import BINS, Timeline

# What a figure says of its bands.
BAND = "band: standard error"


def draw_curve(axes: Axes, places: np.ndarray, values: np.ndarray, errors: np.ndarray) -> None:
    """Draw values and a band around them; of many values, their range in each of `BINS` bins.

    Parameters
    ----------
    axes : Axes
    places, values : ndarray, shape (n,)
    errors : ndarray, shape (n,)
        Half-widths of the band; none is drawn where all are 0.
    """
    n = len(values)
    if n <= BINS:
        axes.plot(places, values, color=LINE, linewidth=0.9)
        lower, upper = values - errors, values + errors
    else:
        line = Timeline(n, 3, 1)
        each = np.column_stack([values, values - errors, values + errors])
        line.add(np.arange(n), each, np.zeros(n, dtype=int))
        places = places[line.edges[:-1]]
        low, high = line.low[:, 0], line.high[:, 0]
        axes.fill_between(places, low, high, color=LINE, linewidth=0.7)
        lower, upper = line.low[:, 1], line.high[:, 2]
    if errors.any():
        axes.fill_between(places, lower, upper, color=LINE, alpha=0.25, linewidth=0)
