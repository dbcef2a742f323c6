"""Figure: the windows of highest T2 and SPE, and what makes them high."""

from dataclasses import dataclass

import h5py
import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from memwave.features.columns import MatrixSpec
from memwave.features.overlap_add import windows_of
from memwave.features.spec import FeatureSpec
from memwave.pca.model import Model, t2_weights
from memwave.pca.projection import features_of
from memwave.recordings.channels import Scaling
from memwave.results.figures.style import (
    INK,
    LINE,
    add_legend_above,
    new_figure,
    shortened,
)

# Statistic, its rank in the file, its contributions there, its name.
STATISTICS = (
    ("hotelling_t2", "rank_t2", "t2_contribution", "Hotelling's T2"),
    ("spe", "rank_spe", "spe_contribution", "SPE"),
)

# Channels of a window that are drawn, bins of its time, and columns of a matrix that are named.
LANES, BINS, NAMED = 6, 128, 8

# Points of a line.
POINTS = 1000

# Inches of a panel, and of a name of a channel.
PANEL, NAME = 2.3, 1.1

# Of a signal, how much of its lane it takes.
ROOM = 0.8

SHADES = "Oranges"


@dataclass(frozen=True)
class HighWindow:
    """The window of a projection that is highest in a statistic.

    Attributes
    ----------
    statistic : str
        Its name in the figure.
    title : str
    features, parts : ndarray, shape (d,), float64
        Features, and contributions to the statistic.
    """

    statistic: str
    title: str
    features: np.ndarray
    parts: np.ndarray


def high_windows(
    file: h5py.File, spec: FeatureSpec | MatrixSpec, rate: float | None
) -> list[HighWindow]:
    """Read the window that is highest in each statistic.

    Parameters
    ----------
    file : h5py.File
        An open file of contributions.
    rate : float or None
        Rows a second.
    """
    names = [name.decode() for name in file["recording_names"][()]]
    found = []
    for statistic, rank, contribution, name in STATISTICS:
        values = np.where(file[rank][()] == 1, file[statistic][()], -np.inf)
        i = int(np.argmax(values))
        recording, start = names[int(file["recording"][i])], int(file["start_row"][i])
        unit, scale = ("s", rate) if rate else ("", 1.0)
        place = f"row {start}"
        if not isinstance(spec, MatrixSpec):
            first, last = start / scale, (start + spec.window) / scale
            place = f"{first:g} to {last:g} {unit}" if rate else f"rows {start} to {last - 1:g}"
        title = f"{name} {float(values[i]):.3g}: {shortened(recording, 2.0)}, {place}"
        features, parts = (file[key][i].astype(np.float64) for key in ("features", contribution))
        found.append(HighWindow(statistic, title, features, parts))
    return found


def draw_highest(
    windows: list[HighWindow],
    model: Model,
    spec: FeatureSpec | MatrixSpec,
    scaling: Scaling | None,
    rate: float | None,
) -> Figure:
    """Draw each window with its reconstruction, and its contributions.

    Parameters
    ----------
    windows : list of HighWindow
        See `high_windows`.
    model : Model
    spec : FeatureSpec or MatrixSpec
    scaling : Scaling or None
        Of the channels.
    rate : float or None
        Rows a second.
    """
    figure = new_figure(0.8 + PANEL * len(windows))
    panels = figure.subplots(len(windows), 2, squeeze=False, width_ratios=[3, 1])
    for (left, right), window in zip(panels, windows, strict=True):
        left.set_title(window.title)
        if isinstance(spec, MatrixSpec):
            _draw_row(left, window, model)
            _draw_columns(right, window, spec)
        else:
            channels = _draw_signals(left, window, model, spec, scaling, rate)
            _draw_bands(right, window, spec, channels)
    is_matrix = isinstance(spec, MatrixSpec)
    panels[0, 1].set_title("contributions" if is_matrix else "share of each band")
    unit = "time in the window (s)" if rate else "row of the window"
    panels[-1, 0].set_xlabel("column" if is_matrix else unit)
    # Matplotlib spends most of its time on axes: those that say the same are hidden.
    panels[0, 0].xaxis.set_visible(False)
    panels[0, 1].xaxis.set_visible(is_matrix)
    handles: list[Artist] = [Line2D([], [], color=c, linewidth=0.9) for c in (INK, LINE)]
    names = ["row" if is_matrix else "window", "its reconstruction"]
    if not is_matrix:
        handles.append(Patch(color=colormaps[SHADES](0.5)))
        names.append("contribution")
    add_legend_above(figure, handles, names)
    return figure


def signal_contributions(
    window: HighWindow, model: Model, spec: FeatureSpec, centred: np.ndarray
) -> np.ndarray:
    """Contributions by row and channel of a window, shape (window, n_channels).

    The residual is taken back to the signal and squared; T2 is the product of the centred window
    and its weights, both taken back. For orthogonal wavelets, their sum is the statistic, but for
    the edges of the window.
    """
    scores = centred @ model.components.T
    if window.statistic == "spe":
        residual = windows_of(spec, (centred - scores @ model.components)[None])[0]
        return np.square(residual)
    weights = (scores * t2_weights(model)) @ model.components
    signal, weight = windows_of(spec, np.stack([centred, weights]))
    return signal * weight


def _draw_signals(
    axes: Axes,
    window: HighWindow,
    model: Model,
    spec: FeatureSpec,
    scaling: Scaling | None,
    rate: float | None,
) -> list[int]:
    """Draw the channels that contribute most, one above the other; return their numbers."""
    centred = window.features - model.mean
    if model.scale is not None:
        centred /= model.scale
    parts = signal_contributions(window, model, spec, centred)
    channels = sorted(np.argsort(-parts.sum(axis=0), kind="stable")[:LANES].tolist())
    rebuilt = features_of(model, (centred @ model.components.T)[None])[0]
    signals = windows_of(spec, np.stack([window.features, rebuilt]), scaling)[:, :, channels]
    end = spec.window / (rate or 1.0)
    low, high = signals.min(axis=(0, 1)), signals.max(axis=(0, 1))
    lanes = np.arange(len(channels))
    size = np.where(high > low, high - low, 1.0)
    drawn = lanes - ROOM * ((signals - low) / size - 0.5)
    shades = np.maximum(_binned(parts[:, channels]), 0.0).T
    extent = (0.0, end, len(channels) - 0.5, -0.5)
    axes.imshow(shades, aspect="auto", extent=extent, cmap=SHADES, vmin=0.0, alpha=0.8)
    for lane in lanes.tolist():
        _draw_line(axes, drawn[0, :, lane], INK, rate)
        _draw_line(axes, drawn[1, :, lane], LINE, rate)
    axes.set_yticks(lanes, [shortened(spec.channels[c], NAME) for c in channels])
    axes.set_xlim(0.0, end)
    return channels


def _binned(values: np.ndarray) -> np.ndarray:
    """Sums of consecutive rows in at most `BINS` bins."""
    starts = np.arange(min(BINS, len(values))) * len(values) // min(BINS, len(values))
    return np.add.reduceat(values, starts, axis=0)


def _draw_bands(axes: Axes, window: HighWindow, spec: FeatureSpec, channels: list[int]) -> None:
    """Draw the share of each band in each channel; of interleaved channels, in all together."""
    shares = np.zeros((spec.n_signals, len(spec.bands)))
    names = [band.name for band in spec.band_table]
    for signal, band, columns in spec.columns():
        shares[signal, names.index(band.name)] += window.parts[columns].sum()
    rows = [0] if spec.interleaved else channels
    shares = shares[rows] / (shares.sum() or 1.0)
    axes.imshow(np.maximum(shares, 0.0), aspect="auto", cmap=SHADES, vmin=0.0, alpha=0.8)
    for (i, j), share in np.ndenumerate(shares):
        if share >= 0.005 and len(names) <= LANES:
            text = axes.text(j, i, f"{share:.0%}", ha="center", va="center", fontsize="small")
            text.set_in_layout(False)
    axes.set_xticks(range(len(names)), names)
    axes.yaxis.set_visible(False)


def _draw_row(axes: Axes, window: HighWindow, model: Model) -> None:
    """Draw a row of a matrix and its reconstruction."""
    centred = window.features - model.mean
    if model.scale is not None:
        centred /= model.scale
    rebuilt = features_of(model, (centred @ model.components.T)[None])[0]
    _draw_line(axes, window.features, INK)
    _draw_line(axes, rebuilt, LINE)
    axes.margins(x=0.01)


def _draw_line(axes: Axes, values: np.ndarray, color: str, rate: float | None = None) -> None:
    """Draw a line; of many values, the smallest and the largest of each of some bins."""
    places = np.arange(len(values)) / (rate or 1.0)
    if len(values) > POINTS:
        starts = np.arange(POINTS // 2) * len(values) // (POINTS // 2)
        ends = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        places, values = np.repeat(places[starts], 2), np.column_stack(ends).ravel()
    axes.plot(places, values, color=color, linewidth=0.9)


def _draw_columns(axes: Axes, window: HighWindow, spec: MatrixSpec) -> None:
    """Draw the largest contributions of columns as bars."""
    largest = np.argsort(-window.parts, kind="stable")[:NAMED]
    places = np.arange(len(largest))
    axes.barh(places, window.parts[largest], color=LINE, height=0.7)
    known = spec.names or [f"column {i}" for i in range(spec.n_features)]
    axes.set_yticks(places, [shortened(known[i], NAME) for i in largest.tolist()])
    axes.invert_yaxis()
