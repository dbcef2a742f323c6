"""Figure: the waveform of each component in each channel."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memwave.features.overlap_add import windows_of
from memwave.features.spec import FeatureSpec
from memwave.pca.model import Model
from memwave.results.figures.sizes import COMPONENTS
from memwave.results.figures.style import FAINT, LINE, hide_inner, new_figure, shortened
from memwave.results.figures.timeline import BINS, Timeline

# Most channels in the figure.
CHANNELS = 8

# Inches of a channel, from one to the next.
PANEL = 0.95


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
    channels = strongest(shapes)
    figure = new_figure(0.8 + PANEL * len(channels))
    panels = figure.subplots(len(channels), shown, squeeze=False, sharex=True, sharey="row")
    for row, channel in zip(panels, channels, strict=True):
        for axes, shape in zip(row, shapes, strict=True):
            _draw_wave(axes, shape[:, channel], rate)
        name = spec.channels[channel]
        short = shortened(name, PANEL)
        row[0].set_ylabel(f"{short}\n({units[name]})" if name in units else short)
        row[0].yaxis.set_major_locator(MaxNLocator(3))
    hide_inner(panels)
    for i, axes in enumerate(panels[0]):
        axes.set_title(f"component {i + 1} ({model.explained_variance_ratio[i]:.1%})")
    unit = "time in the window (s)" if rate else "row of the window"
    if len(channels) < spec.n_channels:
        unit += f"; the {len(channels)} of {spec.n_channels} channels with the largest waves"
    figure.supxlabel(unit, fontsize="medium")
    return figure


def strongest(shapes: np.ndarray) -> list[int]:
    """Return the channels to draw: all, or those with the largest amplitudes, in their order.

    Parameters
    ----------
    shapes : ndarray, shape (components, window, n_channels)
    """
    sizes = np.abs(shapes).max(axis=(0, 1))
    return sorted(np.argsort(-sizes, kind="stable")[:CHANNELS].tolist())


def _draw_wave(axes: Axes, wave: np.ndarray, rate: float | None) -> None:
    axes.axhline(0.0, color=FAINT, linewidth=0.5)
    if len(wave) <= BINS:
        axes.plot(np.arange(len(wave)) / (rate or 1.0), wave, color=LINE, linewidth=0.9)
    else:
        line = Timeline(len(wave), 1, 1)
        line.add(np.arange(len(wave)), wave[:, None], np.zeros(len(wave), dtype=int))
        times = line.edges[:-1] / (rate or 1.0)
        axes.fill_between(times, line.low[:, 0], line.high[:, 0], color=LINE, linewidth=0.7)
    axes.margins(x=0)
