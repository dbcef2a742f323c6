"""Figure: values along the recordings, and the classes of the windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memwave.results.figures.classes import Classes, runs
from memwave.results.figures.scores import add_legend, classes_height
from memwave.results.figures.style import INK, LINE, bare, hide_inner, new_figure, shortened
from memwave.results.figures.timeline import Timeline

# Inches of all panels side by side, and of a number below an axis.
PANELS, TICK = 7.6, 0.75

# Width of the panel of a short recording, as a share of that of the longest one.
NARROWEST = 0.25

# Share of the time axis from which a run of one class shows its mark.
ROOM = 0.03


@dataclass(frozen=True)
class Clock:
    """Converts windows to times: the time of a window is that of its last row.

    Attributes
    ----------
    window, step : int
        Rows of a window, and rows from the start of one to the start of the next.
    rate : float or None
        Rows per second, in Hz.
    group : str
        What windows are a part of.
    """

    window: int
    step: int
    rate: float | None
    group: str = "recording"

    def of(self, windows: np.ndarray) -> np.ndarray:
        """Return the times of windows, given by their index in the recording: seconds, or rows."""
        return (windows * self.step + self.window - 1) / (self.rate or 1.0)

    @property
    def unit(self) -> str:
        return f"time in the {self.group} (s)" if self.rate else f"row of the {self.group}"


def draw_in_time(
    timelines: dict[str, Timeline],
    names: list[str],
    classes: Classes,
    clock: Clock,
    n_recordings: int,
    *,
    limits: Sequence[Sequence[float]] = (),
    levels: Sequence[float] = (),
) -> Figure:
    """Draw one row of panels per series and one column per recording.

    Parameters
    ----------
    timelines : dict of str to Timeline
        By the name of the recording.
    names : list of str
        Name of each series, with its unit.
    n_recordings : int
        Number of all recordings, of which the first are drawn.
    limits : sequence of sequence of float
        Of each series; drawn as dashed lines.
    levels : sequence of float
        Of these limits.
    """
    lengths = [float(timeline.edges[-1]) for timeline in timelines.values()]
    longest = max(lengths)
    ratios = [max(length, NARROWEST * longest) for length in lengths]
    widths = [PANELS * ratio / sum(ratios) for ratio in ratios]
    height = 0.6 + 1.1 * len(names) + (0.6 if len(names) == 1 else 0.0)
    figure = new_figure(height + classes_height(classes))
    panels = figure.subplots(
        len(names) + 1,
        len(timelines),
        squeeze=False,
        sharex="col",
        sharey="row",
        width_ratios=ratios,
        height_ratios=[1.0] * len(names) + [0.18 if len(names) > 1 else 0.1],
    )
    for column, width, (recording, timeline) in zip(
        panels.T, widths, timelines.items(), strict=True
    ):
        times = clock.of(timeline.edges.astype(float))
        column[0].set_title(shortened(recording, width))
        for i, axes in enumerate(column[:-1]):
            _draw_range(axes, times, timeline.low[:, i], timeline.high[:, i])
            for limit in limits[i] if limits else ():
                if np.isfinite(limit):
                    axes.axhline(limit, color=INK, linewidth=0.8, linestyle="--")
        _draw_classes(column[-1], times, timeline.classes, classes)
        column[-1].xaxis.set_major_locator(MaxNLocator(max(1, int(width / TICK)), integer=True))
    hide_inner(panels)
    for name, axes in zip(names, panels[:, 0], strict=False):
        axes.set_ylabel(name)
    rest = f"; {len(timelines)} of {n_recordings} {clock.group}s"
    unit = clock.unit + (rest if n_recordings > len(timelines) else "")
    if levels:
        unit += f"; dashed: limits {', '.join(f'{level:g}' for level in levels)}"
    figure.supxlabel(unit, fontsize="medium")
    add_legend(figure, classes)
    return figure


def _draw_range(axes: Axes, times: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    low, high = (np.append(edge, edge[-1]) for edge in (low, high))
    low, high = (np.where(np.isfinite(edge), edge, np.nan) for edge in (low, high))
    axes.fill_between(times, low, high, step="post", color=LINE, linewidth=0.5)
    axes.margins(x=0)


def _draw_classes(axes: Axes, times: np.ndarray, entries: np.ndarray, classes: Classes) -> None:
    bare(axes)
    axes.set_ylim(0, 1)
    axes.spines["bottom"].set_visible(True)
    spans: dict[int, list[tuple[float, float]]] = {}
    for start, stop, entry in (run for run in runs(entries) if run[2] >= 0):
        left, right = times[start], times[stop]
        spans.setdefault(entry, []).append((left, right - left))
        if right - left > ROOM * (times[-1] - times[0]):
            mark = classes.marks[entry]
            place = ((left + right) / 2, 0.45)
            axes.text(*place, mark, ha="center", va="center", size="small", in_layout=False)
    # One collection a class: Matplotlib takes as long for a patch of its own as for hundreds here.
    for entry, bars in spans.items():
        axes.broken_barh(bars, (0, 1), color=classes.colours[entry], linewidth=0)
