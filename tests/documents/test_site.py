"""The site is built without a warning; its links lead somewhere; it needs no network.

With MEMWAVE_SITE the site in that folder is tested, and none is built. With MEMWAVE_SCREENSHOTS
pictures of all pages stay in that folder, to be looked at.
"""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import memwave
from memwave import cli

ROOT = Path(__file__).parents[2]
SCREENSHOTS = os.environ.get("MEMWAVE_SCREENSHOTS")
WIDTHS = (1400, 390)  # pixels, of a desktop and of a telephone
TALLEST = 9000  # pixels of a screenshot
PATIENCE = 600  # seconds

pytest.importorskip("sphinx_gallery", reason="needs what `make docs` installs")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    if built := os.environ.get("MEMWAVE_SITE"):
        return Path(built).resolve()
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "html"


class Page(HTMLParser):
    """Anchors, links, and files that a page loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if "id" in found:
            self.anchors.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in ("script", "img", "link", "iframe", "object"):
            self.loaded += [found[name] for name in ("src", "href", "data") if name in found]


@pytest.fixture(scope="module")
def pages(site):
    files = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert len(files) > 30
    return {path: Page(path) for path in files}


def broken(path, target, pages):
    """Whether a link of a page leads to nothing."""
    parts = urlsplit(target)
    if parts.scheme:
        return False
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if file in pages and parts.fragment:
        return unquote(parts.fragment) not in pages[file].anchors
    return not file.exists()


def test_links_lead_somewhere(pages):
    wrong = {
        f"{path.name} -> {target}"
        for path, page in pages.items()
        for target in page.links
        if broken(path, target, pages)
    }
    assert not wrong


def test_nothing_is_loaded_from_a_network(pages):
    for path, page in pages.items():
        for target in page.loaded:
            assert urlsplit(target).scheme in ("", "data"), path
            assert not target.startswith("//"), path


def test_every_page_is_reached_from_the_first(site, pages):
    reached, new = set(), [site / "index.html"]
    while new:
        path = new.pop()
        reached.add(path)
        targets = (urlsplit(target) for target in pages[path].links)
        inside = {(path.parent / t.path).resolve() for t in targets if t.path and not t.scheme}
        new += [file for file in inside if file in pages and file not in reached]
    sources = {path.with_suffix(".html").name for path in (ROOT / "docs").glob("*.md")}
    assert sources <= {path.name for path in reached}


def test_the_reference_has_all_names_and_commands(site):
    names = set(memwave.__all__) - {"__version__"}
    found = Page(site / "api.html").anchors
    assert {f"memwave.{name}" for name in names} <= found
    commands = (site / "command-line.html").read_text(encoding="utf-8")
    assert all(f"usage: memwave {name}" in commands for name in cli.COMMANDS)


@pytest.fixture
def open_page(browser):
    """Opens a page without a network; whatever goes wrong in it fails the test at its end."""
    wrong, contexts = [], []

    def opened(path, width, query=""):
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url[:200]))
        page.goto(path.as_uri() + query)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(width, open_page, pages, site):
    page = open_page(site / "index.html", width)
    for path in sorted(pages):
        page.goto(path.as_uri())
        size = "document.documentElement.scroll"
        assert page.evaluate(f"{size}Width") <= width, path.name
        if SCREENSHOTS is None:
            continue
        name = "-".join(path.relative_to(site).with_suffix("").parts)
        whole = page.evaluate(f"{size}Height") <= TALLEST
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=whole)


def test_search_works_without_a_network(open_page, site):
    page = open_page(site / "search.html", 1400, "?q=certificate")
    page.locator("#search-results li a", has_text="Numerics").first.wait_for()
