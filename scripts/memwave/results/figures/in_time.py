"""Figure: values along the recordings, and the classes of the windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memwave.results.figures.classes import Classes, runs
from memwave.results.figures.scores import add_legend, classes_height
from memwave.results.figures.style import FAINT, INK, LINE, add_titles, new_figure, shortened
from memwave.results.figures.timeline import Timeline

# Inches of all recordings side by side, and of a number below an axis.
PANELS, TICK = 7.6, 0.75

# Space between recordings, as a share of the width of a panel, which has all recordings side by
# side: Matplotlib spends most of its time on axes.
GAP = 0.015

# Width of a short recording, as a share of that of the longest one.
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


@dataclass(frozen=True)
class Lane:
    """The place of a recording in the panels, which have recordings side by side from 0 to 1.

    Attributes
    ----------
    begin, width : float
    times : ndarray, shape (n,)
    """

    begin: float
    width: float
    times: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """The places of the times."""
        first, last = self.times[[0, -1]]
        return self.begin + self.width * (self.times - first) / (last - first)

    def ticks(self) -> list[tuple[float, str]]:
        """Places and texts of the times that are numbered."""
        first, last = self.times[[0, -1]]
        most = MaxNLocator(max(1, int(self.width * PANELS / TICK)), integer=True)
        values = [value for value in most.tick_values(first, last) if first <= value <= last]
        places = np.interp(values, self.times, self.places).tolist()
        return list(zip(places, [f"{value:g}" for value in values], strict=True))


def _lanes(timelines: Sequence[Timeline], clock: Clock) -> list[Lane]:
    """Places of recordings side by side, as wide as they are long."""
    longest = max(float(timeline.edges[-1]) for timeline in timelines)
    lengths = [max(float(timeline.edges[-1]), NARROWEST * longest) for timeline in timelines]
    share = (1.0 - GAP * (len(lengths) - 1)) / sum(lengths)
    lanes: list[Lane] = []
    for length, timeline in zip(lengths, timelines, strict=True):
        begin = lanes[-1].begin + lanes[-1].width + GAP if lanes else 0.0
        lanes.append(Lane(begin, share * length, clock.of(timeline.edges.astype(float))))
    return lanes


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
    """Draw one panel per series, with the recordings side by side.

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
    height = 0.6 + 1.1 * len(names) + (0.6 if len(names) == 1 else 0.0)
    figure = new_figure(height + classes_height(classes))
    below_height = 0.18 if len(names) > 1 else 0.1
    all_panels = figure.subplots(
        len(names) + 1, 1, height_ratios=[1.0] * len(names) + [below_height]
    )
    *panels, below = all_panels
    below.set_yticks([])
    below.set_ylim(0, 1)
    lanes = _lanes(list(timelines.values()), clock)
    for lane, timeline in zip(lanes, timelines.values(), strict=True):
        for i, axes in enumerate(panels):
            _draw_range(axes, lane.places, timeline.low[:, i], timeline.high[:, i])
            axes.axvline(lane.begin, color=FAINT, linewidth=0.6)
            for limit in limits[i] if limits else ():
                if np.isfinite(limit):
                    _draw_level(axes, lane, limit, color=INK, linewidth=0.8, linestyle="--")
        _draw_classes(below, lane.places, timeline.classes, classes)
        _draw_level(below, lane, 0.0, color=FAINT, linewidth=0.6, clip_on=False)
    for name, axes in zip(names, panels, strict=True):
        axes.set_ylabel(name)
    titles = [
        shortened(name, lane.width * PANELS) for name, lane in zip(timelines, lanes, strict=True)
    ]
    add_titles(panels[0], titles, [lane.begin for lane in lanes])
    for axes in all_panels:
        axes.set_xlim(0.0, 1.0)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.xaxis.set_visible(axes is below)
    below.set_xticks(*zip(*(tick for lane in lanes for tick in lane.ticks()), strict=True))
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


def _draw_level(axes: Axes, lane: Lane, level: float, **style: Any) -> None:
    """Draw a horizontal line along a recording."""
    axes.hlines(level, lane.begin, lane.begin + lane.width, **style)


def _draw_classes(axes: Axes, times: np.ndarray, entries: np.ndarray, classes: Classes) -> None:
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
