"""Texts of figures can be read: inside the figure, not over each other, and not cut silently.

Each figure is drawn with few and many recordings, channels, labels and components.
"""

from itertools import combinations

import h5py
import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text

from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.pca.model import Model
from memwave.results.figures.classes import make_classes
from memwave.results.figures.comparison import Point, draw_comparison
from memwave.results.figures.components import draw_components
from memwave.results.figures.highest import HighWindow, draw_highest
from memwave.results.figures.in_time import Clock, draw_in_time
from memwave.results.figures.memory import draw_memory
from memwave.results.figures.rows import RECORDINGS, Survey, survey
from memwave.results.figures.scores import draw_scores, make_densities
from memwave.results.figures.spectrum import component_ticks, draw_spectrum
from memwave.results.figures.style import shortened
from memwave.results.figures.timeline import Timeline

TOUCHING = 1.5  # pixels of 1/100 inch that boxes around texts may share
LONG = "a name that is much longer than what a panel has room for, "


def texts_of(figure):
    """All texts that are seen, with their boxes in pixels."""
    figure.draw_without_rendering()
    hidden = set()
    for axis in figure.findobj(Axis):
        if not axis.get_visible():
            hidden |= set(axis.findobj(Text))
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low <= tick.get_loc() <= high:
                hidden |= {tick.label1, tick.label2}
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    off = {text for axes in figure.axes if not axes.axison for text in axes.findobj(Text)}
    return [(t.get_text(), t.get_window_extent()) for t in shown if t not in hidden | off]


def require_readable(figure):
    """Require that texts are inside the figure and apart; return them all as one."""
    texts = texts_of(figure)
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in texts:
        assert box.x0 > -TOUCHING, text
        assert box.x1 < width + TOUCHING, text
        assert box.y0 > -TOUCHING, text
        assert box.y1 < height + TOUCHING, text
    for (one, a), (other, b) in combinations(texts, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, down) < TOUCHING, f"{one!r} and {other!r} overlap"
    return " ".join(text for text, _ in texts)


def classes_of(n_labels, names):
    if n_labels:
        counts = {label: 1000 - label for label in range(-1, n_labels)}
        return make_classes("label", counts, {i: names(i) for i in range(n_labels)})
    counts = {i: 1000 - i for i in range(30)}
    return make_classes("recording", counts, {i: names(i) for i in range(30)})


@pytest.mark.parametrize("n_recordings", [1, 3, 30])
@pytest.mark.parametrize("n_labels", [0, 3, 20])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("n_series", [1, 3])
def test_series_in_time(n_recordings, n_labels, long, n_series):
    def name(i):
        return f"{LONG}{i}" if long else f"r{i}"

    classes = classes_of(n_labels, name)
    random = np.random.default_rng(0)
    timelines = {}
    for i in range(min(n_recordings, RECORDINGS)):
        rows = 4000 if i == 0 else 300
        timelines[name(i)] = Timeline(rows, n_series, len(classes.names))
        values = 1e6 * random.normal(size=(rows, n_series))
        labels = np.arange(rows) * len(classes.names) // rows
        timelines[name(i)].add(np.arange(rows), values, labels)
    series = [f"component {i + 1}" for i in range(n_series)]
    figure = draw_in_time(timelines, series, classes, Clock(64, 1, 50.0), n_recordings)
    text = require_readable(figure)
    assert ("3 of 30 recordings" in text) == (n_recordings == 30)
    assert ("no label" in text) == bool(n_labels)
    assert ("14 other labels" in text) == (n_labels == 20)


@pytest.mark.parametrize("n_labels", [0, 3, 20])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e5, 1e9])
def test_scores_of_any_size(n_labels, size):
    classes = classes_of(n_labels, lambda i: f"{LONG}{i}")
    reach = np.full(3, 3.0 * size)
    densities = make_densities(Survey(-reach, reach, classes, []))
    random = np.random.default_rng(0)
    for density in densities.values():
        for i in range(len(classes.names)):
            x, y = size * (random.normal(size=(2, 300)) / 3 + random.normal(size=(2, 1)))
            density.add(x, y, np.full(300, i))
    require_readable(draw_scores(densities, classes, [0.5, 0.3, 0.1]))


@pytest.mark.parametrize("n_channels", [2, 12, 64])
@pytest.mark.parametrize("long", [False, True])
def test_components_of_many_channels(n_channels, long):
    names = tuple(f"{LONG if long else 'c'}{i}" for i in range(n_channels))
    spec = FeatureSpec(
        64, 1, "haar", 2, ("a2", "d2", "d1"), "per-channel", "symmetric", "float32", names
    )
    components = np.linalg.qr(np.random.default_rng(0).normal(size=(spec.n_features, 4)))[0].T
    mean, variance = np.zeros(spec.n_features), np.array([4e8, 3e8, 2e8, 1e8])
    model = Model(components, mean, variance, 2e9, 1000, "covariance")
    units = dict.fromkeys(names, "mV")
    text = require_readable(draw_components(model, spec, rate=50.0, units=units))
    assert (f"8 of {n_channels} channels" in text) == (n_channels > 8)


@pytest.mark.parametrize("k", [1, 2, 7, 20, 500])
def test_the_first_and_the_last_component_are_numbered(k):
    ticks = component_ticks(k)
    assert ticks[0] == 1
    assert ticks[-1] == k
    model = Model(np.eye(k), np.zeros(k), np.geomspace(1e4, 1, k), 1e5, 1000, "covariance")
    figure = draw_spectrum(model, np.full(k, 0.01))
    require_readable(figure)
    low, high = figure.axes[0].get_ylim()
    assert low < model.explained_variance.min() / 1.1
    assert high > model.explained_variance.max() * 1.1


def test_a_bound_that_was_not_measured_is_said_so():
    model = Model(np.eye(2), np.zeros(2), np.array([2.0, 1.0]), 4.0, 100, "covariance")
    assert "not measured" in require_readable(draw_spectrum(model, np.full(2, np.nan)))


def test_the_reference_has_an_error_of_zero():
    points = [Point("exact", 0.0, 1, 90), Point("a", 1e-7, 2, 120), Point("b", 1e-3, 3, 95)]
    groups = {"hapt/haar, against exact": points, "hapt/details, against exact": points}
    figure = draw_comparison(groups)
    labels = dict(
        (round(tick.get_position()[1], 12), tick.get_text())
        for tick in figure.axes[0].get_yticklabels()
    )
    assert labels[1e-8] == "0"
    assert labels[1e-7] == "1e-7"
    require_readable(figure)


def test_memory_lines_are_named():
    stages = {
        "fit_model": {f"hapt/haar/model{i}": (40.0 + i, 90.0 + i) for i in range(9)},
        "extract_features": {"hapt/haar": (30.0, 200.0)},
        "plot_scores": {f"m{i}": (30.0, 50.0 + i) for i in range(30)},
    }
    text = require_readable(draw_memory(stages, 2000.0))
    assert "hapt/haar/model8" in text
    assert "m29" not in text


def test_a_long_name_keeps_its_ends():
    assert shortened("short", 1.0) == "short"
    assert shortened("user01-session-of-monday", 1.0) == "user01\u2026onday"


def test_scores_without_a_fitted_variance_are_surveyed(tmp_path):
    """Of a model that was applied; its scores may be far from zero."""
    random = np.random.default_rng(0)
    scores = 500 + random.normal(size=(1000, 2))
    scores[0] = 9000  # far out
    with h5py.File(tmp_path / "projection.h5", "w") as file:
        file["scores"], file["captured_variance"] = scores, np.full(2, np.nan)
        file["recording"], file["recording_names"] = np.zeros(1000, int), [b"one"]
        found = survey(file, {})
    assert (found.low > 490).all()
    assert (found.high < 3000).all()
    assert found.recordings == [("one", 0, 1000)]


def high_windows_of(d):
    random = np.random.default_rng(0)
    title = f"Hotelling's T2 4.19e+03: {shortened(LONG, 2.0)}, 407.98 to 410.54 s"
    return [
        HighWindow(statistic, title, random.normal(size=d), random.exponential(size=d))
        for statistic in ("hotelling_t2", "spe")
    ]


def small_model(d):
    components = np.linalg.qr(np.random.default_rng(1).normal(size=(d, 2)))[0].T
    return Model(components, np.zeros(d), np.array([3.0, 2.0]), 9.0, 100, "test")


@pytest.mark.parametrize("channels", [1, 40])
@pytest.mark.parametrize("layout", ["per-channel", "interleaved"])
def test_highest_windows_are_readable(channels, layout):
    names = tuple(f"{LONG}{i}" for i in range(channels))
    bands = ("a3", "d3", "d2", "d1")
    spec = FeatureSpec(64, 1, "haar", 3, bands, layout, "symmetric", "float32", names)
    d = spec.n_features
    text = require_readable(draw_highest(high_windows_of(d), small_model(d), spec, None, 50.0))
    assert "share of each band" in text
    assert "d1" in text


def test_highest_rows_of_a_matrix_are_readable():
    spec = MatrixSpec(3000, "float64", tuple(f"{LONG}{i}" for i in range(3000)))
    text = require_readable(
        draw_highest(high_windows_of(3000), small_model(3000), spec, None, None)
    )
    assert "contributions" in text
    assert "column" in text
