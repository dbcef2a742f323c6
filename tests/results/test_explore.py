"""explore.html in a real browser without a network: menus, zoom, selection, at two widths.

Screenshots stay in build/screenshots/, to be looked at.
"""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from fitting import save_shard
from stages import run_stage

import memwave
from memwave.features.columns import MatrixSpec, RowSources
from memwave.results.figures.explore import content
from memwave.results.figures.explore.content import content_of, page_bytes
from memwave.results.model_file import load_model
from memwave.workflow.planning.memory.figures import explore_mb
from memwave.workflow.requests.figures import Exploration, FigureFacts

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
ROWS, COLUMNS, K = 4000, 12, 4
NAMES = {0: "rest", 1: "</script><b>walk", 2: "sit"}

SHOWN = "Bokeh.documents[0].get_model_by_name('shown')"
READY = f"() => window.Bokeh && Bokeh.documents.length && {SHOWN}.data.x.length > 0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A projection of two parts, of which the second has a fault, and its page."""
    pytest.importorskip("bokeh", reason="needs the package bokeh")
    folder = tmp_path_factory.mktemp("mine") / "matrix" / "exact"
    folder.mkdir(parents=True)
    project(folder, ROWS, K)
    write(folder, "explore.html", ROWS, K)
    return folder


def project(folder, n_rows, k):
    random = np.random.default_rng(0)
    parts = [random.normal(size=(n_rows, COLUMNS)) * np.linspace(5, 1, COLUMNS) for _ in range(2)]
    parts[1][2000:2050] += 9 * np.eye(COLUMNS)[-1]
    paths = []
    for i, part in enumerate(parts):
        paths.append(folder / f"part{i}.npy")
        save_shard(paths[-1], part)
    pca = memwave.PCA(k, solver="covariance").fit(paths)
    labels = np.tile(np.arange(n_rows) * 3 // n_rows, 2)
    pca.write_projection(folder / "projection.h5", paths, labels=labels, is_train=True)
    pca.save(folder / "model.h5")


def write(folder, name, n_rows, k):
    """Write the page in a process of its own, as the workflow does, held to its memory."""
    spec = MatrixSpec(COLUMNS, "float64")
    ended = run_stage(
        "plot_explore",
        folder,
        Exploration(FigureFacts(spec, None, {}, NAMES), RowSources(spec, (n_rows, n_rows))),
        memory_mb=explore_mb(spec, {"n_components": k}),
        model=folder / "model.h5",
        projection=folder / "projection.h5",
        page=folder / name,
        shards=[folder / "part0.npy", folder / "part1.npy"],
    )
    assert ended.status == 0, ended.told
    assert ended.usage["peak_anonymous_mb"] < ended.usage["predicted_mb"]


@pytest.fixture(params=[1200, 390])
def page(request, browser, folder):
    """The open page at two widths; whatever goes wrong in it fails the test at its end."""
    context = browser.new_context(offline=True, viewport={"width": request.param, "height": 1500})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("requestfailed", lambda request: wrong.append(request.url[:200]))
    opened.goto((folder / "explore.html").as_uri())
    opened.wait_for_function(READY)
    yield opened
    context.close()
    assert not wrong


def shown(page, expression):
    return page.evaluate(f"(() => {{ const shown = {SHOWN}; return {expression} }})()")


def panel(page, name, expression):
    found = f"Bokeh.documents[0].get_model_by_name('{name}')"
    return page.evaluate(f"(() => {{ const panel = {found}; return {expression} }})()")


def screenshot(page, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = page.viewport_size["width"]
    page.screenshot(path=SCREENSHOTS / f"explore-{name}-{width}.png", full_page=True)


def choose(page, menu, entry):
    page.locator("select").nth(menu).select_option(index=entry)
    page.wait_for_timeout(200)


def test_it_fits_the_screen_and_shows_all_windows(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    low, high = panel(page, "spe", "[panel.x_range.start, panel.x_range.end]")
    assert (low, high) == (0, ROWS)
    assert page.locator("b", has_text="walk").count() == 0  # names are text, not HTML
    screenshot(page, "start")


def test_menus_choose_recording_label_and_components(page, folder):
    choose(page, 0, 1)
    with h5py.File(folder / "projection.h5") as file:
        spe = file["spe"][ROWS:]
        scores = file["scores"][ROWS:]
    assert shown(page, "Math.max(...shown.data.spe)") == pytest.approx(float(spe.max()))
    choose(page, 1, 3)
    assert set(shown(page, "shown.data.label")) == {"sit"}
    choose(page, 1, 0)
    choose(page, 2, 2)
    choose(page, 3, 3)
    rows = np.array(shown(page, "shown.data.time"), int)
    for name, column in (("x", 2), ("y", 3), ("score", 2)):
        np.testing.assert_allclose(
            shown(page, f"shown.data.{name}"), scores[rows, column], rtol=1e-6
        )
    screenshot(page, "menus")


def test_zooming_in_shows_single_windows(page, folder):
    choose(page, 0, 1)
    whole = panel(page, "spe", "panel.renderers[0].data_source.data.high.length")
    page.evaluate(
        "Bokeh.documents[0].get_model_by_name('spe').x_range.setv({start: 1990, end: 2060})"
    )
    page.wait_for_timeout(300)
    found = panel(page, "spe", "panel.renderers[0].data_source.data")
    assert whole <= 700
    left, high = (np.array(list(found[name]), float) for name in ("left", "high"))
    with h5py.File(folder / "projection.h5") as file:
        spe = file["spe"][ROWS:]
    inside = (left >= 1990) & (left < 2059)
    assert inside.sum() == 69
    np.testing.assert_allclose(high[inside], spe[left[inside].astype(int)], rtol=1e-6)
    screenshot(page, "zoom")


def place_of(page, i):
    """Where a point of the scatter is on the screen."""
    return panel(
        page,
        "scatter",
        "(() => { const view = Bokeh.index.find_one(panel), box = view.el.getBoundingClientRect();"
        f"const s = {SHOWN}; return [box.x + view.frame.x_scale.compute(s.data.x[{i}]), "
        f"box.y + view.frame.y_scale.compute(s.data.y[{i}])] }})()",
    )


def require_signal(page, folder, row):
    """The panel of the signal shows a row of the second part, and its reconstruction."""
    model = load_model(folder / "model.h5")
    with h5py.File(folder / "projection.h5") as file:
        expected = file["scores"][row + ROWS] @ model.components + model.mean
    lines = {
        name: list(panel(page, "signal", f"panel.renderers[0].data_source.data.{name}[0]"))
        for name in ("ys", "window")
    }
    np.testing.assert_allclose(lines["ys"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(lines["window"], np.load(folder / "part1.npy")[row], rtol=1e-6)


def test_pointing_at_a_window_shows_it_and_its_reconstruction(page, folder):
    choose(page, 0, 1)
    known = "Bokeh.documents[0].get_model_by_name('signal')"
    before = page.evaluate(f"{known}.renderers[0].data_source.data.window[0].slice()")
    # A window with a signal in the page, far from all others.
    i = shown(page, "shown.data.x.indexOf(Math.max(...shown.data.x))")
    page.mouse.move(*place_of(page, i))
    page.wait_for_timeout(300)
    row = int(shown(page, f"shown.data.time[{i}]"))
    if "nearest row that is in this page" not in panel(page, "note", "panel.text"):
        require_signal(page, folder, row)
    after = page.evaluate(f"{known}.renderers[0].data_source.data.window[0]?.slice() ?? []")
    assert after != before
    assert shown(page, "shown.selected.indices") == []


def test_without_a_signal_the_nearest_window_is_shown(page, folder):
    choose(page, 0, 1)
    sample = "Bokeh.documents[0].get_model_by_name('shown')"
    known = panel(page, "lines", "panel.data.window.length")
    assert known == 1
    # A point that has no signal, where there is one.
    for i in range(40):
        page.evaluate(f"{sample}.selected.indices = [{i}]")
        page.wait_for_timeout(50)
        text = panel(page, "note", "panel.text")
        if found := re.search(r"nearest row that is in this page, at row (\d+)\.", text):
            require_signal(page, folder, int(found[1]))
            return
    raise AssertionError("every window has a signal")


def test_a_click_shows_a_window_and_its_reconstruction(page, folder):
    choose(page, 0, 1)
    i = shown(page, "shown.data.spe.indexOf(Math.max(...shown.data.spe))")
    page.mouse.click(*place_of(page, i))
    page.wait_for_timeout(300)
    assert i in shown(page, "shown.selected.indices")
    require_signal(page, folder, int(shown(page, f"shown.data.time[{i}]")))
    text = panel(page, "note", "panel.text")
    assert "&lt;/script>&lt;b>walk" in text
    assert "SPE" in text
    screenshot(page, "click")


def test_equal_content_makes_equal_bytes(folder):
    write(folder, "again.html", ROWS, K)
    assert (folder / "again.html").read_bytes() == (folder / "explore.html").read_bytes()


def test_the_page_with_most_data_stays_within_its_memory(tmp_path):
    pytest.importorskip("bokeh", reason="needs the package bokeh")
    project(tmp_path, content.BINS // 2, content.COMPONENTS)
    write(tmp_path, "explore.html", content.BINS // 2, content.COMPONENTS)
    assert (tmp_path / "explore.html").stat().st_size > 6_000_000


def test_a_page_of_millions_of_windows_is_bounded(tmp_path, monkeypatch):
    n, k = 2_000_000, 6
    with h5py.File(tmp_path / "projection.h5", "w") as file:
        file.attrs["window"], file.attrs["step"] = 10, 1
        random = np.random.default_rng(0)
        file["start_row"] = np.arange(n)
        file["recording"], file["split"] = np.zeros(n, "i4"), np.zeros(n, "u1")
        file["recording_names"] = np.array([b"long"], dtype="S")
        file["scores"] = random.normal(size=(n, k)).astype("f4")
        file["hotelling_t2"] = random.chisquare(k, n).astype("f4")
        spe = random.chisquare(4, n).astype("f4")
        spe[1_234_567] = 1e6
        file["spe"], file["limit_level"] = spe, [0.95]
        file["t2_limit"], file["spe_limit"] = [[1.0], [1.0]], [[2.0], [2.0]]
        found = content_of(file, 100.0, {})
    (envelope,) = found.envelopes
    assert len(envelope.low) == content.BINS
    np.testing.assert_array_equal(envelope.high[:, -1].max(), np.float32(1e6))
    assert 1_234_567 in found.rows
    assert len(found.rows) <= 2 * content.SAMPLE
    arrays = sum(e.low.nbytes + e.high.nbytes + e.time.nbytes for e in found.envelopes)
    assert arrays <= page_bytes(MatrixSpec(1000, "float32"), k) < 20e6
