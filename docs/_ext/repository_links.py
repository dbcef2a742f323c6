"""Links of pages to files of the repository, which have to work on a code host as well.

A link to a Markdown file outside of docs leads to the page that includes it, and a link to the
examples to the gallery. A link to another file becomes a download, a link to a folder its name.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "config/README.md": "configuration.md",
    "examples": "gallery/index.rst",
}
CODE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def rewrite_page(app: Sphinx, document: str, content: list[str]) -> None:
    """Rewrite the links of one page, in place."""
    file = Path(app.env.doc2path(document))
    if file.suffix == ".md":
        content[0] = rewritten(content[0], file.parent)


def rewrite_included(app: Sphinx, relative: Path, parent: str, content: list[str]) -> None:
    """Rewrite the links of a file that a page includes, in place."""
    content[0] = rewritten(content[0], (ROOT / "docs" / relative).resolve().parent)


def rewritten(text: str, folder: Path) -> str:
    """Rewrite the links of a text in a folder; blocks of code stay as they are."""
    parts = CODE.split(text)
    for i in range(0, len(parts), 2):
        parts[i] = LINK.sub(lambda link: target_of(folder, *link.groups()), parts[i])
    return "".join(parts)


def target_of(folder: Path, text: str, path: str, anchor: str | None) -> str:
    """The link as Sphinx needs it."""
    if "://" in path:
        return f"[{text}]({path}{anchor or ''})"
    file = (folder / path).resolve()
    name = file.relative_to(ROOT).as_posix()
    if name in PAGES:
        return f"[{text}]({PAGES[name]}{anchor or ''})"
    if file.is_dir():
        return text if text.startswith("`") else f"`{name}`"
    inside = name.removeprefix("docs/")
    return f"[{text}]({inside if inside != name else '../' + name}{anchor or ''})"


def setup(app: Sphinx) -> dict:
    app.connect("source-read", rewrite_page)
    app.connect("include-read", rewrite_included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
