"""What figures show is what the data say, in bounded memory, with the same bytes every time."""

import json
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import h5py
import numpy as np
import pytest
from fitting import decaying, fit
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.layout_engine import ConstrainedLayoutEngine
from oracles import make_spec
from stages import run_stage

from memwave.pca.model import Model
from memwave.results.figures.classes import (
    MOST_LABELS,
    OTHER,
    UNLABELLED,
    Counter,
    make_classes,
    runs,
)
from memwave.results.figures.comparison import families_of
from memwave.results.figures.density import CELLS, Density
from memwave.results.figures.in_time import Clock, draw_in_time
from memwave.results.figures.spectrum import draw_spectrum
from memwave.results.figures.style import save_figure
from memwave.results.figures.timeline import Timeline
from memwave.results.model_file import save_model
from memwave.results.monitoring.highest import write_contributions
from memwave.results.projection_file import ENCODING
from memwave.storage import hdf5
from memwave.workflow.planning.memory.figures import figures_mb, table_figure_mb
from memwave.workflow.requests.figures import FigureFacts

SPEC = make_spec(window=64, channels=3, dtype="float32", layout="per-channel")
MODEL = {"n_components": 5}
ROWS = 400_000


def blocks_of(n_rows, borders):
    edges = sorted({0, n_rows, *(border % (n_rows + 1) for border in borders)})
    return list(pairwise(edges))


@given(
    st.integers(1, 3000),
    st.lists(st.integers(0, 3000), max_size=4),
    st.sampled_from([0.0, 0.3, 0.99]),
    st.integers(0, 2**32 - 1),
)
def test_a_timeline_has_the_range_of_every_bin_however_rows_come(n_rows, borders, missing, seed):
    random = np.random.default_rng(seed)
    values, classes = random.normal(size=(n_rows, 2)), random.integers(0, 3, n_rows)
    there = random.random(n_rows) >= missing
    timeline = Timeline(n_rows, 2, 3)
    for start, stop in blocks_of(n_rows, borders):
        rows = start + np.flatnonzero(there[start:stop])
        timeline.add(rows, values[rows], classes[rows])
    assert timeline.edges[0] == 0
    assert timeline.edges[-1] == n_rows
    for i, (start, stop) in enumerate(pairwise(timeline.edges)):
        here = there[start:stop]
        low = values[start:stop][here].min(axis=0, initial=np.inf)
        high = values[start:stop][here].max(axis=0, initial=-np.inf)
        assert (timeline.low[i] == low).all()
        assert (timeline.high[i] == high).all()
        if here.any():
            counts = np.bincount(classes[start:stop][here], minlength=3)
            assert counts[timeline.classes[i]] == counts.max()
        else:
            assert timeline.classes[i] == -1


@given(st.integers(1, 500), st.lists(st.integers(0, 500), max_size=3), st.integers(0, 2**32 - 1))
def test_a_density_counts_every_row_in_its_cell(n_rows, borders, seed):
    random = np.random.default_rng(seed)
    x, y = random.uniform(-1, 2, n_rows), random.uniform(0, 5, n_rows)
    classes = random.integers(0, 3, n_rows)
    density = Density((-1.0, 2.0, 0.0, 5.0), 3)
    for start, stop in blocks_of(n_rows, borders):
        density.add(x[start:stop], y[start:stop], classes[start:stop])
    expected, _ = np.histogramdd(
        np.column_stack([classes, y, x]),
        bins=[np.arange(4), np.linspace(0, 5, CELLS + 1), np.linspace(-1, 2, CELLS + 1)],
    )
    assert density.counts.sum() == n_rows
    # Rounding may put a row at a cell's border into its neighbour.
    assert np.abs(density.counts - expected).sum() <= 2
    image = density.image(("#ff0000", "#00ff00", "#0000ff"))
    assert ((image[..., 3] > 0) == (density.counts.sum(axis=0) > 0)).all()


def test_scores_out_of_range_are_counted_at_the_border():
    density = Density((0.0, 1.0, 0.0, 1.0), 1)
    density.add(np.array([-5.0, 9.0]), np.array([0.5, 9.0]), np.array([0, 0]))
    assert density.counts[0, CELLS // 2, 0] == 1
    assert density.counts[0, -1, -1] == 1


def test_names_of_classes_do_not_stand_on_each_other():
    density = Density((0.0, 1.0, 0.0, 1.0), 3)
    density.add(np.full(30, 0.5), np.full(30, 0.5), np.zeros(30, dtype=int))
    density.add(np.full(9, 0.51), np.full(9, 0.5), np.ones(9, dtype=int))
    first, second, absent = density.places()
    assert first == pytest.approx((0.5, 0.5), abs=0.05)
    assert absent is None
    assert second is None or abs(second[0] - first[0]) > 0.02 or abs(second[1] - first[1]) > 0.02


def test_the_most_frequent_labels_have_colours_and_names():
    counts = {label: 100 - label for label in range(1, 12)} | {-1: 500}
    classes = make_classes("label", counts, {1: "walking", -1: "unlabelled"})
    assert classes.names == (
        "unlabelled",
        "walking",
        *(f"label {i}" for i in range(2, 7)),
        "5 other labels",
    )
    assert classes.colours[0] == UNLABELLED
    assert classes.colours[-1] == OTHER
    assert len(set(classes.colours)) == len(classes.names)
    assert classes.of(np.array([-1, 6, 7, 11, 1, 99])).tolist() == [0, 6, 7, 7, 1, 7]


def test_labels_without_end_are_no_classes():
    counter = Counter()
    for start in range(0, 10 * MOST_LABELS, 100):
        counter.add(np.arange(start, start + 100))
    assert counter.too_many
    assert len(counter.counts) <= MOST_LABELS + 1


def test_runs_of_equal_entries():
    assert runs([2, 2, 0, 1, 1]) == [(0, 2, 2), (2, 3, 0), (3, 5, 1)]


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_band_around_the_cumulative_variance_holds_the_true_one(seed, error):
    random = np.random.default_rng(seed)
    d, k = 8, 4
    values = np.sort(random.exponential(size=d))[::-1]
    basis = np.linalg.qr(random.normal(size=(d, d)))[0]
    covariance = basis * values @ basis.T
    guess = np.linalg.qr(basis[:, :k] + error * random.normal(size=(d, k)))[0]
    inner, turn = np.linalg.eigh(guess.T @ covariance @ guess)
    vectors, found = (guess @ turn)[:, ::-1], inner[::-1]
    residual = np.linalg.norm(covariance @ vectors - vectors * found, axis=0)
    model = Model(vectors.T, np.zeros(d), found, float(values.sum()), 100, "test")
    together = draw_spectrum(model, residual).axes[1]
    outline = together.collections[0].get_paths()[0].vertices
    for j in range(1, k + 1):
        sums = (values[list(chosen)].sum() for chosen in combinations(range(d), j))
        nearest = min(abs(total - found[:j].sum()) for total in sums)
        at = outline[np.isclose(outline[:, 0], j), 1]
        assert (at.max() - found[:j].sum() / values.sum()) * values.sum() >= nearest - 1e-9


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A model, and a projection of many rows."""
    folder = tmp_path_factory.mktemp("figures")
    model = fit("covariance", [decaying(300, SPEC.n_features)], **MODEL)
    save_model(folder / "model.h5", model, SPEC.feature_table(), {})
    random = np.random.default_rng(0)
    with hdf5.create(folder / "projection.h5", 44 * ROWS) as file:
        hdf5.mark(file, ENCODING, "1")
        deviations = np.sqrt(model.explained_variance)
        file["scores"] = (random.normal(size=(ROWS, 5)) * deviations).astype("f4")
        file["reconstruction_error"] = random.exponential(size=ROWS).astype("f4")
        file["spe"] = file["reconstruction_error"]
        file["hotelling_t2"] = random.chisquare(5, size=ROWS).astype("f4")
        file["t2_limit"], file["spe_limit"] = [[11.0, 15.0]] * 2, [[3.0, 4.6]] * 2
        file["limit_level"] = [0.95, 0.99]
        starts = 2 * np.arange(ROWS)
        file["start_row"] = starts + 20_000 * (starts > ROWS)  # with a gap
        file["recording"] = np.repeat([0, 2], [ROWS // 3, ROWS - ROWS // 3])
        file["label"] = np.arange(ROWS) * 9 // ROWS - 1
        file["recording_names"] = [b"first", b"too short", "dritte ü".encode()]
        file["captured_variance"] = model.explained_variance
        file["residual"] = np.full(5, 1e-3)
        file.attrs["window"], file.attrs["step"] = 64, 2
        write_contributions(
            folder / "contributions.h5",
            file,
            model,
            lambda places: iter(random.normal(size=(len(places.rows), SPEC.n_features))),
            dtype="float32",
            feature_dtype="float32",
        )
    return folder


FIGURES = ("spectrum", "components", "scores", "scores_in_time", "reconstruction", "monitoring")
FIGURES += ("highest",)
WORDS = {
    "spectrum": ["explained variance", "error bound: at most 0.001"],
    "components": ["component 4", "(mV)", "time in the window (s)"],
    "scores": ["component 1", "three"],
    "scores_in_time": ["component 3", "three"],
    "reconstruction": ["three", "dritte ü", "time in the recording (s)", "2 other labels"],
    "monitoring": ["three", "dritte ü", "Hotelling's T2", "SPE"],
    "highest": ["Hotelling's T2", "SPE", "its reconstruction", "share of each band"],
}


def plot(folder, memory_mb=None):
    """Run the plots as a stage; what it used, and its figures."""
    files = {name: folder / f"{name}.h5" for name in ("model", "projection", "contributions")}
    figures = {name: folder / f"{name}.svg" for name in FIGURES}
    request = FigureFacts(SPEC, 50.0, {SPEC.channels[0]: "mV"}, {3: "three"})
    limit = memory_mb or figures_mb(SPEC, MODEL)
    ended = run_stage("plot_experiment", folder, request, memory_mb=limit, **files, **figures)
    assert ended.status == 0, ended.told
    return ended.usage, {name: path.read_bytes() for name, path in figures.items()}


def test_figures_keep_within_their_memory_with_the_same_bytes(results):
    usage, figures = plot(results)
    assert usage["peak_anonymous_mb"] < usage["predicted_mb"]
    assert plot(results, memory_mb=2000)[1] == figures
    for name, figure in figures.items():
        assert len(figure) < 600_000
        text = "".join(ET.fromstring(figure).itertext())
        assert b"<dc:date>" not in figure
        assert not [words for words in WORDS[name] if words not in text]


@pytest.mark.parametrize("names", [["component 1", "component 2"], ["error"]])
def test_the_last_bits_of_a_layout_change_no_byte(tmp_path, monkeypatch, names):
    """Two runs of the layout's solver may differ by these."""
    timeline = Timeline(1000, len(names), 2)
    random = np.random.default_rng(0)
    timeline.add(np.arange(1000), random.normal(size=(1000, len(names))), np.arange(1000) // 500)
    classes = make_classes("label", {1: 500, 2: 500}, {1: "walking", 2: "sitting"})
    solve, bytes_of = ConstrainedLayoutEngine.execute, []
    for ulps in (0, 1, -3):

        def execute(self, fig, ulps=ulps):
            solve(self, fig)
            for axes in fig.axes:
                place = np.array(axes.get_position(original=True).bounds)
                axes.set_position(place + ulps * np.spacing(place), which="original")
                axes.set_in_layout(True)

        monkeypatch.setattr(ConstrainedLayoutEngine, "execute", execute)
        timelines = {"first": timeline, "second": timeline}
        save_figure(
            draw_in_time(timelines, names, classes, Clock(64, 2, 50.0), 2), tmp_path / "a.svg"
        )
        bytes_of.append((tmp_path / "a.svg").read_bytes())
    assert bytes_of[0] == bytes_of[1] == bytes_of[2]


def texts_of_summary(folder, summary, limit_mb=500):
    """Draw the figures of a table as a stage; their texts: of the comparison, of the memory."""
    files = {name: folder / f"{name}.svg" for name in ("comparison", "memory")}
    limit = table_figure_mb(3)
    ended = run_stage("plot_summary", folder, limit_mb, memory_mb=limit, summary=summary, **files)
    assert ended.status == 0, ended.told
    assert not ended.told
    return ["".join(ET.parse(path).getroot().itertext()) for path in files.values()]


def test_points_of_a_grid_are_told_apart_by_their_values():
    names = ["exact", "a-rows-1-rank-2", "a-rows-10-rank-2", "lone-rows-1", "my-own-model"]
    assert families_of(names) == {
        "exact": ("exact", "exact"),
        "a-rows-1-rank-2": ("a (rows, rank)", "1, 2"),
        "a-rows-10-rank-2": ("a (rows, rank)", "10, 2"),
        "lone-rows-1": ("lone-rows-1", "lone-rows-1"),
        "my-own-model": ("my-own-model", "my-own-model"),
    }


@pytest.mark.parametrize("models", [["exact"], ["exact", "b-rows-1", "b-rows-2"]])
def test_a_table_becomes_figures_of_accuracy_and_memory(tmp_path, models):
    summary = tmp_path / "summary.tsv"
    columns = "dataset features model reference lost_cosine fit_seconds fit_peak_mb"
    columns += " fit_model_peak_mb fit_model_predicted_mb adopt_model_peak_mb"
    columns += " adopt_model_predicted_mb"
    rows = []
    for i, model in enumerate(models):
        adopted = "  " if i else " 20 100"
        used = f"{i * 1e-5} {i + 1} {40 + i} {40 + i} 90{adopted}"
        rows.append(f"hapt haar {model} exact {used}")
    summary.write_text("\n".join([columns, *rows]).replace(" ", "\t") + "\n")
    comparison, used = texts_of_summary(tmp_path, summary)
    assert ("b (rows)" in comparison) == (len(models) > 1)
    assert ("more than one model" in comparison) == (len(models) == 1)
    assert "fit_model" in used
    assert f"hapt/haar/{models[-1]}" in used
    assert "adopt_model" in used
    assert "MB" in used


def test_the_default_run_draws_every_figure(tiny_results):
    for model in ("exact", "randomized"):
        folder = tiny_results / "results/hapt/haar" / model / "plots"
        names = {path.name for path in folder.iterdir()}
        assert names == {
            "spectrum.svg",
            "components.svg",
            "scores.svg",
            "scores-in-time.svg",
            "reconstruction.svg",
            "monitoring.svg",
            "highest-windows.svg",
        }
    text = (folder / "reconstruction.svg").read_text(encoding="utf-8")
    assert "walking" in text
    with h5py.File(folder.parent / "model.h5") as file:
        stored = json.loads(file.attrs["provenance"])["configuration"]["datasets"]["hapt"]
    assert "label_names" not in stored
