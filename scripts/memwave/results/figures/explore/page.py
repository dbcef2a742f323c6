"""The page: Bokeh models, and code that runs in the browser. Nothing is loaded from elsewhere."""

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.layouts import column, row
from bokeh.models import (  # type: ignore[attr-defined]
    ColumnDataSource,
    CustomJS,
    Div,
    HoverTool,
    InlineStyleSheet,
    Label,
    Range1d,
    Select,
    Span,
)
from bokeh.plotting import figure
from bokeh.resources import INLINE

from memwave.results.figures.explore.content import Content
from memwave.storage.atomic import replacing

SERIES = ("score", "hotelling_t2", "spe")
TITLES = {"hotelling_t2": "Hotelling's T2", "spe": "SPE"}
TOOLS = "xpan,xwheel_zoom,xbox_zoom,reset,save,tap,box_select"
# Of the ranges of all windows: grey, so that the colours of the points stand out.
BAND = "#B8BCC2"

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

# Width of a menu, in pixels; two of them fit side by side on a telephone.
MENU = 170

PHONE = '<meta name="viewport" content="width=device-width, initial-scale=1">'

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def write_page(path: str | Path, content: Content, title: str) -> None:
    """Write the page; equal content makes equal bytes.

    Parameters
    ----------
    path : path
        The HTML file to write.
    content : Content
    title : str
    """
    html = file_html(page_of(content, title), resources=INLINE, title=title)
    names: dict[str, str] = {}
    for found in _UUID.findall(html):
        names.setdefault(found, f"memwave-{len(names)}")
    html = _UUID.sub(lambda match: names[match[0]], html)
    html = html.replace("<head>", f"<head>\n{PHONE}", 1)
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def page_of(content: Content, title: str) -> Document:
    """Lay the page out."""
    menus = _menus(content)
    columns = ("x", "y", "time", *SERIES, "label", "color", "sample")
    shown = ColumnDataSource({name: [] for name in columns}, name="shown")
    span = Range1d(start=0, end=1)
    bands = [ColumnDataSource({"left": [], "right": [], "low": [], "high": []}) for _ in SERIES]
    along = [
        _along(name, content, band, shown, span) for name, band in zip(SERIES, bands, strict=True)
    ]
    scatter, (signal, lines) = _scatter(content, shown), _signal(content)
    note = Div(text="", sizing_mode="stretch_width", name="note")
    lanes = Div(text=_channels(content), sizing_mode="stretch_width")
    arguments = {
        **menus,
        **_data(content),
        "shown": shown,
        "span": span,
        "bands": bands,
        "lines": lines,
        "signal": signal,
        "note": note,
        "item": content.item,
        "seconds": content.time_unit != "row",
        "axes": [along[0].yaxis[0], scatter.xaxis[0], scatter.yaxis[0]],
    }
    code = files(__package__).joinpath("page.js").read_text(encoding="utf-8")

    def call(function: str) -> CustomJS:
        return CustomJS(args=arguments, code=f"{code}\n{function}();")

    menus["recording"].js_on_change("value", call("showRecording"))
    for name in ("label", "horizontal", "vertical"):
        menus[name].js_on_change("value", call("showWindows"))
    for end in ("start", "end"):
        span.js_on_change(end, call("showBands"))
    shown.selected.js_on_change("indices", call("showSignal"))
    for panel in (*along, scatter):
        hover = next(tool for tool in panel.tools if isinstance(tool, HoverTool))
        hover.callback = call("pointAt")
    wrap = InlineStyleSheet(css=":host { flex-wrap: wrap; }")
    bar = row(*menus.values(), sizing_mode="stretch_width", stylesheets=[wrap])
    heading = Div(text=_heading(content, title), sizing_mode="stretch_width")
    document = Document(title=title)
    parts = (heading, bar, *along, scatter, note, lanes, signal)
    document.add_root(column(*parts, sizing_mode="stretch_width"))
    document.js_on_event("document_ready", call("showRecording"))
    return document


def _menus(content: Content) -> dict[str, Select]:
    scores = [name for name in content.series if name not in TITLES]
    recordings = [(str(i), e.name) for i, e in enumerate(content.envelopes)]
    labels = [("-1", "all"), *((str(i), name) for i, name in enumerate(content.classes.names))]
    axes = [(str(i), f"component {i + 1}") for i in range(len(scores))]
    second = "1" if len(scores) > 1 else "0"
    return {
        "recording": _menu(content.group.capitalize(), recordings, "0"),
        "label": _menu(content.classes.column.capitalize(), labels, "-1"),
        "horizontal": _menu("Horizontal", axes, "0"),
        "vertical": _menu("Vertical", axes, second),
    }


def _menu(title: str, options: list[tuple[str, str]], value: str) -> Select:
    return Select(title=title, options=options, value=value, width=MENU)


def _data(content: Content) -> dict:
    """What the code reads, as arguments that Bokeh sends as typed arrays."""
    bins: dict[str, np.ndarray] = {
        "left": np.concatenate([e.time[:-1] for e in content.envelopes]),
        "right": np.concatenate([e.time[1:] for e in content.envelopes]),
    }
    sample: dict[str, np.ndarray] = {
        "recording": content.recording.astype(np.int32),
        "klass": content.klass.astype(np.int32),
        "time": content.time,
    }
    for i in range(len(content.series)):
        bins[f"low{i}"] = np.concatenate([e.low[:, i] for e in content.envelopes])
        bins[f"high{i}"] = np.concatenate([e.high[:, i] for e in content.envelopes])
        sample[f"value{i}"] = content.values[:, i]
    places = np.full(len(content.rows), -1, np.int32)
    places[list(content.signals)] = np.arange(len(content.signals))
    sample["signal"] = places
    stack = np.concatenate([np.zeros(0), *(s.ravel() for s in content.signals.values())])
    counts = [len(e.low) for e in content.envelopes]
    return {
        "bins": ColumnDataSource(bins),
        "sample": ColumnDataSource(sample),
        "signals": ColumnDataSource({"values": stack.astype(np.float32)}),
        "offsets": np.append(0, np.cumsum(counts)).tolist(),
        "labels": list(content.classes.names),
        "colors": list(content.classes.colours),
        "scores": len(content.series) - len(TITLES),
    }


def _along(name: str, content: Content, band, shown, span: Range1d):
    """A panel of a series along the recording."""
    height = 150 if name == "score" else 170
    panel = figure(
        height=height,
        sizing_mode="stretch_width",
        min_width=MENU,
        x_range=span,
        tools=TOOLS,
        active_drag="xpan",
        active_scroll="xwheel_zoom",
        output_backend="canvas",
        name=name,
    )
    panel.quad(
        "left", "right", "high", "low", source=band, color=BAND, line_alpha=0.6, fill_alpha=0.35
    )
    _points(panel, "time", name, shown, content.time_unit)
    for i, (level, limit) in enumerate(content.limits.get(name, [])):
        if np.isfinite(limit):
            dash = "dashed" if i else "dotted"
            panel.add_layout(Span(location=limit, dimension="width", line_dash=dash))
            place = Label(
                x=4,
                x_units="screen",
                y=limit,
                text=f"{level:g}",
                text_font_size="10px",
                text_baseline="bottom" if i else "top",
                background_fill_color="white",
                background_fill_alpha=0.7,
            )
            panel.add_layout(place)
    panel.xaxis.axis_label = content.time_unit
    panel.yaxis.axis_label = TITLES.get(name, "score")
    return panel


def _scatter(content: Content, shown):
    panel = figure(
        height=380,
        sizing_mode="stretch_width",
        min_width=MENU,
        tools="pan,wheel_zoom,box_select,lasso_select,tap,reset,save",
        active_drag="box_select",
        active_scroll="wheel_zoom",
        name="scatter",
    )
    _points(panel, "x", "y", shown, content.time_unit)
    return panel


def _points(panel, x: str, y: str, shown, time_unit: str) -> None:
    points = panel.scatter(
        x,
        y,
        source=shown,
        size=5,
        color="color",
        line_color=None,
        alpha=0.75,
        nonselection_alpha=0.12,
        selection_line_color="black",
    )
    tips = [("", "@label"), (time_unit, "@time{0.[000]}")]
    tips += [(title, f"@{name}") for name, title in TITLES.items()]
    panel.add_tools(HoverTool(renderers=[points], tooltips=tips))


def _signal(content: Content):
    """The panel of a window and its reconstruction."""
    columns = ("xs", "ys", "window", "color", "name")
    lines = ColumnDataSource({name: [] for name in columns}, name="lines")
    panel = figure(
        height=240,
        sizing_mode="stretch_width",
        min_width=MENU,
        tools="pan,wheel_zoom,reset,save,hover",
        tooltips=[("", "@name")],
        title=f"A {content.item}, and its reconstruction (dashed)",
        name="signal",
    )
    panel.multi_line("xs", "ys", source=lines, color="color", line_width=1.5, line_dash="dashed")
    panel.multi_line("xs", "window", source=lines, color="color", line_width=1)
    panel.xaxis.axis_label = content.signal_axis
    names = list(content.channels)
    lines.tags = [names, _line_colours(content), content.signal_x]
    return panel, lines


def _heading(content: Content, title: str) -> str:
    item, shown = content.item, len(content.envelopes)
    count = f"{content.n_windows:,} {item}s of {_counted(content.n_recordings, content.group)}"
    part = "" if shown == content.n_recordings else f", {shown} of them here"
    return (
        f"<h1 style='font-size:1.2rem;margin:0'>{escape(title)}</h1>"
        f"<p style='margin:.2rem 0'>{count}{part}. "
        f"Bands are the range of all {item}s; points are {len(content.rows):,} of them, among "
        f"them those of largest SPE. Lines are limits. Point at a {item} or click it to see it "
        "with its reconstruction.</p>"
        f"<p style='margin:.2rem 0'>{_legend(content.classes.names, content.classes.colours)}</p>"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _channels(content: Content) -> str:
    """Names of the channels, each behind the colour of its line; how many are left out."""
    if content.item == "row":
        return ""
    legend = _legend(content.channels, _line_colours(content), "&#9473;")
    left = content.n_channels - len(content.channels)
    return legend + (f" &ensp; ({_counted(left, 'more channel')} not drawn)" if left else "")


def _line_colours(content: Content) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(len(content.channels))]


def _legend(names: Sequence[str], colours: Sequence[str], mark: str = "&#9679;") -> str:
    """Names, each behind a mark of its colour."""
    pairs = zip(names, colours, strict=True)
    return " &ensp; ".join(
        f"<span style='color:{color}'>{mark}</span>&nbsp;{escape(name)}" for name, color in pairs
    )
