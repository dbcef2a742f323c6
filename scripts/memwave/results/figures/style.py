"""Style of all figures, and their output as SVG files with reproducible bytes.

Figures are readable in grey: classes are marked by text as well as by colour.
"""

import io
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    "svg.hashsalt": "memwave",
}

# Coordinates are rounded to hundredths of a point; more digits are not visible.
_ATTRIBUTE, _DIGITS = re.compile(r'="[^"]*"'), re.compile(r"(\d\.\d\d)\d+")


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure; height and width are in inches."""
    mpl.rcParams.update(STYLE)
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG. The file appears under its name when complete."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "memwave"})
    short = _ATTRIBUTE.sub(lambda found: _DIGITS.sub(r"\1", found[0]), text.getvalue())
    with replacing(path) as temporary:
        temporary.write_text(short, encoding="utf-8")


def bare(axes: Axes) -> None:
    """Remove ticks and spines of the axes."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
