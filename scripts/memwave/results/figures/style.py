"""How all figures look, and how they become files: vectors, with the same bytes every time.

Figures can be read in grey: what a colour says (`classes`) is also written next to it.
"""

import io
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

from memwave.storage.atomic import replacing

WIDTH = 9.0  # inches

INK, FAINT, LINE = "#222222", "#999999", "#0072B2"

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "image.interpolation": "nearest",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may have a $
    "svg.hashsalt": "memwave",
}

RAISED = str.maketrans("-\N{MINUS SIGN}0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# Coordinates in hundredths of a point: what a printer cannot show need not be stored.
_ATTRIBUTE, _DIGITS = re.compile(r'="[^"]*"'), re.compile(r"(\d\.\d\d)\d+")


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of a height in inches."""
    mpl.rcParams.update(STYLE)
    return Figure(figsize=(width, height), layout="constrained")


class PowersOfTen(LogFormatterSciNotation):
    """Labels of a logarithmic axis, with exponents in Unicode instead of mathtext."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        label = re.sub(r"\$|\\mathdefault|\\times", _plain_math, super().__call__(x, pos))
        raised = re.sub(r"\^\{([^}]*)\}", lambda found: found[1].translate(RAISED), label)
        return raised.replace("{", "").replace("}", "")


def _plain_math(found: re.Match) -> str:
    return "\N{MULTIPLICATION SIGN}" if found[0] == "\\times" else ""


def set_log(axes: Axes, name: str) -> None:
    """Make the axis "x" or "y" logarithmic."""
    axes.set(**{f"{name}scale": "log"})
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_major_formatter(PowersOfTen())
    axis.set_minor_formatter(PowersOfTen(labelOnlyBase=False, minor_thresholds=(1.0, 0.4)))


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG, which appears when it is complete."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "memwave"})
    short = _ATTRIBUTE.sub(lambda found: _DIGITS.sub(r"\1", found[0]), text.getvalue())
    with replacing(path) as temporary:
        temporary.write_text(short, encoding="utf-8")


def bare(axes: Axes) -> None:
    """Leave nothing of the axes but what is drawn in them."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
