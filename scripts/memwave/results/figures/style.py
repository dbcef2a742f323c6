"""Style of all figures, and their output as SVG files with reproducible bytes.

Figures are readable in grey: classes are marked by text as well as by colour.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogFormatterSciNotation

from memwave.storage.atomic import replacing

WIDTH = 9.0  # inches

# Inches of an average letter, of a legend's mark with the space around it, of a line of it, and
# of a name in it.
LETTER, HANDLE, LEGEND_LINE, LEGEND_NAME = 0.078, 0.5, 0.18, 3.4

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
    "axes.formatter.limits": (-3, 4),
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

# Digits of a share of the figure. A millionth of its width is below a hundredth of a point.
LAYOUT_DIGITS = 6

# Coordinates are rounded to hundredths of a point; more digits are not visible.
_ATTRIBUTE, _DIGITS = re.compile(r'="[^"]*"'), re.compile(r"(?<=\d\.\d\d)\d+")


class RoundedLayout(ConstrainedLayoutEngine):
    """Constrained layout with rounded positions.

    The last bits of the positions that the solver of the layout finds differ between processes.
    Matplotlib makes the ids of clip paths from all digits of these positions.
    """

    def execute(self, fig: Figure) -> None:
        """Place axes and texts; called by Matplotlib before it draws."""
        super().execute(fig)
        for axes in fig.axes:
            place = np.round(axes.get_position(original=True).bounds, LAYOUT_DIGITS)
            axes.set_position(place.tolist(), which="original")
            axes.set_in_layout(True)  # `set_position` takes the axes out of the layout
        for text in fig.texts:
            text.set_position(np.round(text.get_position(), LAYOUT_DIGITS).tolist())


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure; height and width are in inches."""
    mpl.rcParams.update(STYLE)
    return Figure(figsize=(width, height), layout=RoundedLayout())


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
    """Write a figure as SVG. The file appears under its name when complete."""
    # Matplotlib would draw a figure with a layout engine twice: once for the layout alone.
    engine = figure.get_layout_engine()
    if figure.axes and engine is not None:
        FigureCanvasSVG(figure)
        engine.execute(figure)
        figure.set_layout_engine(None)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "memwave"})
    short = _ATTRIBUTE.sub(lambda found: _DIGITS.sub("", found[0]), text.getvalue())
    with replacing(path) as temporary:
        temporary.write_text(short, encoding="utf-8")


def add_titles(axes: Axes, titles: Sequence[str], begins: Sequence[float]) -> None:
    """Write titles above the axes, each from a place along x on; the first place is the left end.

    The title of the axes is placed above the power of ten of its values, and the others beside it.
    """
    first = axes.set_title(titles[0])
    for title, begin in zip(titles[1:], begins[1:], strict=True):
        axes.annotate(title, (begin, 0.0), xycoords=("data", first), va="bottom")


def shortened(text: str, inches: float) -> str:
    """Return a text that is no wider than so many inches: the middle is left out if need be."""
    most = max(3, int(inches / LETTER))
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}\u2026{text[len(text) - end :]}"


def legend_columns(names: Sequence[str]) -> int:
    """Columns of a legend above a figure, of names that were shortened to `LEGEND_NAME`."""
    widest = max((len(name) for name in names), default=1) * LETTER + HANDLE
    return max(1, min(len(names), int((WIDTH - 0.2) / widest)))


def legend_height(names: Sequence[str]) -> float:
    """Inches that a legend above a figure takes."""
    return LEGEND_LINE * -(-len(names) // legend_columns(names))


def add_legend_above(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Explain handles above all panels, in as many lines as the names need."""
    short = [shortened(name, LEGEND_NAME) for name in names]
    figure.legend(
        handles,
        short,
        loc="outside upper left",
        ncols=legend_columns(short),
        handlelength=1.0,
        columnspacing=1.5,
    )
