"""Figure: the waveform of each component in each channel, with its sampling error."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memwave.features.overlap_add import windows_of
from memwave.features.spec import FeatureSpec
from memwave.pca.diagnostics.uncertainty import turning
from memwave.pca.model import Model
from memwave.results.figures.curves import BAND, draw_curve
from memwave.results.figures.sizes import COMPONENTS
from memwave.results.figures.style import FAINT, add_titles, new_figure, shortened

# Most channels in the figure.
CHANNELS = 8

# Inches of a channel, from one to the next.
PANEL = 0.95

# Space between components, as a share of their length; most numbers below each.
GAP, TICKS = 0.08, 3


def draw_components(
    model: Model,
    spec: FeatureSpec,
    *,
    rate: float | None,
    units: Mapping[str, str],
    channel_scale: np.ndarray | float = 1.0,
) -> Figure:
    """Draw the leading components as signals, scaled to one standard deviation of their scores.

    Parameters
    ----------
    rate : float or None
        Rows per second, in Hz.
    units : mapping of str to str
        Units of the channels, by name.
    channel_scale : ndarray, shape (n_channels,)
        Values by which the channels were divided before the transform.
    """
    shown = min(COMPONENTS, model.n_components)
    std = np.sqrt(model.explained_variance[:shown, None])
    scale = 1.0 if model.scale is None else model.scale
    loadings = std * model.components[:shown] * scale
    shapes = windows_of(spec, loadings) * channel_scale
    errors = wave_errors(model, spec, shown)
    bands = np.zeros_like(shapes)
    if errors is not None:
        bands = errors * std[:, :, None] * channel_scale
    channels = strongest(shapes)
    times = np.arange(spec.window) / (rate or 1.0)
    figure = new_figure(0.8 + PANEL * len(channels))
    # A panel has all components side by side: Matplotlib spends most of its time on axes.
    panels = figure.subplots(len(channels), 1, squeeze=False)[:, 0]
    end = float(times[-1]) or 1.0
    begins = (1.0 + GAP) * end * np.arange(shown)
    for axes, channel in zip(panels, channels, strict=True):
        axes.hlines(np.zeros(shown), begins, begins + end, color=FAINT, linewidth=0.5)
        for begin, shape, band in zip(begins, shapes, bands, strict=True):
            draw_curve(axes, begin + times, shape[:, channel], band[:, channel])
        for begin in begins[1:]:
            axes.axvline(begin, color=FAINT, linewidth=0.6)
        axes.set_xlim(0.0, begins[-1] + end)
        axes.spines["bottom"].set_visible(False)
        name = spec.channels[channel]
        short = shortened(name, PANEL)
        axes.set_ylabel(f"{short}\n({units[name]})" if name in units else short)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_visible(axes is panels[-1])
    ticks = [tick for tick in MaxNLocator(TICKS).tick_values(0.0, end) if 0.0 <= tick <= end]
    places = [begin + tick for begin in begins for tick in ticks]
    panels[-1].set_xticks(places, [f"{tick:g}" for _ in begins for tick in ticks])
    shares = model.explained_variance_ratio[:shown]
    titles = [f"component {i} ({share:.1%})" for i, share in enumerate(shares, 1)]
    add_titles(panels[0], titles, begins.tolist())
    unit = "time in the window (s)" if rate else "row of the window"
    if len(channels) < spec.n_channels:
        unit += f"; the {len(channels)} of {spec.n_channels} channels with the largest waves"
    figure.supxlabel(unit if errors is None else f"{unit}; {BAND}", fontsize="medium")
    return figure


def wave_errors(model: Model, spec: FeatureSpec, shown: int) -> np.ndarray | None:
    """Standard errors of components as signals, shape (shown, window, n_channels).

    None if the number of independent rows is unknown. Directions beyond the components have the
    same share of each row of a channel, as those of an orthogonal wavelet.
    """
    found = turning(model, shown)
    if found is None:
        return None
    scale = np.ones(model.n_features) if model.scale is None else model.scale
    squares, within = np.zeros((shown, spec.window, spec.n_channels)), 0.0
    for shares, component in zip(found.known.T, model.components, strict=False):
        square = windows_of(spec, (component * scale)[None])[0] ** 2
        squares += shares[:, None, None] * square
        within = within + square
    powers = np.zeros(spec.n_signals)
    for signal, _, columns in spec.columns():
        powers[signal] += (scale[columns] ** 2).sum() / spec.n_samples
    outside = np.maximum(powers - within, 0.0)
    return np.sqrt(squares + found.rest[:, None, None] * outside)


def strongest(shapes: np.ndarray) -> list[int]:
    """Return the channels to draw: all, or those with the largest amplitudes, in their order.

    Parameters
    ----------
    shapes : ndarray, shape (components, window, n_channels)
    """
    sizes = np.abs(shapes).max(axis=(0, 1))
    return sorted(np.argsort(-sizes, kind="stable")[:CHANNELS].tolist())
