"""The report in a real browser without a network: figures are visible, categories can be opened.

Screenshots stay in build/screenshots/, to be looked at.
"""

import re
import subprocess
import zipfile

import pytest
from tiny_run import ROOT, TINY_RUN

SCREENSHOTS = ROOT / "build" / "screenshots"
CATEGORIES = {
    "Spectrum": "explained variance",
    "Components": "time in the window (s)",
    "Scores": "component 1",
    "Reconstruction error": "total variance",
}
PATIENCE = 30_000  # ms


@pytest.fixture(scope="module")
def report(tiny_results, tmp_path_factory):
    """The report of a short run, as a page and as an archive."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("report.html", "report.zip"):
        subprocess.run(
            [*TINY_RUN, "--report", str(folder / name)],
            cwd=tiny_results,
            check=True,
            capture_output=True,
            timeout=120,
        )
    return folder


@pytest.fixture
def page(browser, report):
    """The open report; whatever goes wrong in it fails the test at its end."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("requestfailed", lambda request: wrong.append(request.url[:200]))
    opened.goto((report / "report.html").as_uri())
    yield opened
    context.close()
    assert not wrong


def screenshot(page, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def entry(page, category):
    """Open a category; the link that shows its first entry."""
    page.get_by_role("link", name=category, exact=True).click()
    return page.locator("a[iconname=eye]").first


def test_it_begins_with_the_configuration(page, tiny_results):
    page.get_by_text("sampling_rate").wait_for()
    screenshot(page, "start")
    text = page.inner_text("body")
    assert all(category in text for category in [*CATEGORIES, "Comparison"])
    assert "haar" in text
    assert "\n  details:" in (tiny_results / "config.yaml").read_text()
    assert "details" not in text  # is configured, but was not run
    assert "System Message" not in text


@pytest.mark.parametrize("category", CATEGORIES)
def test_figures_are_visible(page, report, category):
    entry(page, category).click()
    figure = page.locator("img[src*='.svg']:not([src*='logo.svg'])")
    figure.wait_for(state="visible")
    size = figure.evaluate("image => image.decode().then(() => [image.width, image.height])")
    screenshot(page, category.lower().replace(" ", "-"))
    assert size[0] > 400
    assert size[1] > 100
    page.locator("a[iconname='information-circle']").first.click()
    page.get_by_text("DESCRIPTION").wait_for()
    page.get_by_text("window=128").wait_for()  # what the figure was made of
    explained = page.inner_text("body")
    assert "plot_experiment" in explained
    assert not re.search("[0-9a-f]{12}", explained)  # digests say nothing to a reader
    screenshot(page, f"{category.lower().replace(' ', '-')}-explained")


def test_the_table_can_be_sorted_and_searched(page):
    page.get_by_role("link", name="Comparison", exact=True).click()
    row = page.locator("tr", has_text="table of all experiments")
    row.locator("a[iconname=eye]").click()
    table = page.frame_locator("iframe")
    models = table.locator("tbody td:nth-child(3)")
    models.first.wait_for()
    assert models.all_inner_texts() == ["exact", "randomized"]
    header = table.locator("th", has_text="lost cosine")
    header.click()
    header.click()
    assert header.get_attribute("aria-sort") == "descending"
    assert models.all_inner_texts() == ["randomized", "exact"]
    screenshot(page, "table")
    table.locator("#search").fill("covariance")
    assert models.all_inner_texts() == ["exact"]
    shown = table.locator("th").count()
    table.locator("#all").check()
    assert table.locator("th").count() > shown


def test_statistics_and_software(page):
    page.get_by_role("link", name="Statistics").click()
    page.locator("canvas, svg.marks").first.wait_for()
    screenshot(page, "statistics")


def test_the_archive_holds_figures_as_files(report):
    with zipfile.ZipFile(report / "report.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert [name for name in names if name.endswith("report.html")]
    assert len([name for name in names if name.endswith(".svg")]) >= 12
    assert [name for name in names if name.endswith("summary.html")]
