"""Figure: explained variance of the components, with error bounds."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from memwave.pca.model import Model
from memwave.results.figures.style import FAINT, LINE, new_figure, set_log

# Components that are numbered on an axis.
TICKS = 8

AT_LEAST = "\N{GREATER-THAN OR EQUAL TO}"


def draw_spectrum(
    model: Model, residual: np.ndarray, unit: str = "channel units, squared"
) -> Figure:
    """Draw explained variances and their cumulative share.

    Parameters
    ----------
    model : Model
    residual : ndarray, shape (k,)
        Distance within which the covariance has an eigenvalue of each explained variance; NaN
        where it was not measured.
    unit : str
        Of variances, if the model does not standardize.

    Notes
    -----
    The half-width of the band around a sum of explained variances is twice the sum of their
    residuals. Let R have the residual vectors as columns, and V the components. The covariance
    minus ``E = R V' + V R' (I - V V')`` has exactly these eigenpairs. The sum of the changes of the
    eigenvalues is at most the nuclear norm of E (Mirsky, Symmetric gauge functions and unitarily
    invariant norms, 1960), which is at most twice the sum of the norms of the columns of R.
    """
    figure = new_figure(3.2)
    each, together = figure.subplots(1, 2)
    component = np.arange(1, model.n_components + 1)
    variance, total = model.explained_variance, model.total_variance or 1.0
    least = _least(variance if model.spectrum is None else model.spectrum)
    _draw_uncertainty(each, model)
    _draw_line(each, component, variance, residual, least)
    set_log(each, "y")
    each.set_ylim(least / 1.5, max(each.get_ylim()[1], 1.5 * variance[0]))
    said = unit if model.scale is None else "of standardized features"
    each.set_ylabel(f"explained variance ({said})")
    _draw_line(together, component, variance.cumsum() / total, 2 * residual.cumsum() / total, 0.0)
    together.axhline(1.0, color=FAINT, linewidth=0.6)
    together.set_ylim(0.0, 1.04)
    together.set_ylabel("cumulative share of the variance")
    together.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def _draw_uncertainty(axes: Axes, model: Model) -> None:
    """Draw the eigenvalues that were not kept, sampling errors, and what the criteria say.

    The standard error of an eigenvalue l of n independent rows is ``l sqrt(2 / n)`` (North, Bell,
    Cahalan and Moeng, Monthly Weather Review 110 (1982), 699-706, equation 24).
    """
    suggested = model.selection.get("suggested")
    if model.spectrum is None or not suggested:
        return
    variance = model.spectrum
    number = np.arange(1, len(variance) + 1)
    share = np.sqrt(2 / model.selection["effective_rows"])
    low, high = variance * max(0.0, 1 - share), variance * (1 + share)
    axes.vlines(number, low, high, color=FAINT, linewidth=6, alpha=0.5, label="sampling error")
    if len(variance) > model.n_components:
        rest = slice(model.n_components, None)
        axes.plot(number[rest], variance[rest], ".", color=FAINT, label="not kept")
    # As many as were fitted may mean more.
    most = len(variance) if len(variance) < min(model.n_features, model.n_samples - 1) else None
    said = ", ".join(f"{name} {'' if k != most else AT_LEAST}{k}" for name, k in suggested.items())
    axes.set_title(f"criteria: {said}", fontsize="small")


def component_ticks(n_components: int) -> list[int]:
    """Components that are numbered on an axis: the first, the last, and some between them."""
    return np.unique(np.linspace(1, n_components, min(n_components, TICKS)).round()).tolist()


def _draw_line(
    axes: Axes, component: np.ndarray, value: np.ndarray, error: np.ndarray, least: float
) -> None:
    if np.isfinite(error).all():
        low, high = np.maximum(value - error, least), value + error
        widest = f"error bound: at most {float(np.max(error)):.1g}"
    else:
        low, high, widest = value, value, "error bound: not measured"
    axes.fill_between(component, low, high, label=widest, color=LINE, alpha=0.25, linewidth=0)
    axes.plot(component, value, color=LINE, marker="o", markersize=3)
    axes.set_xlabel("component")
    axes.set_xticks(component_ticks(len(component)))
    axes.legend(loc="best")


def _least(variance: np.ndarray) -> float:
    """Return the lower limit of a logarithmic axis of variances."""
    positive = variance[variance > 0]
    return float(positive.min()) / 2 if len(positive) else 1e-12
