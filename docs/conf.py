"""Configuration of the documentation, which ``make docs`` builds into build/docs.

Nothing is fetched, at build or at view: formulas are MathML, search is Sphinx's own.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).parent / "_ext")]
os.environ["PYTHONPATH"] = str(ROOT / "scripts")  # for what examples start
os.environ["MPLBACKEND"] = "agg"

import memwave  # noqa: E402

project = "memwave"
author = "memwave developers"
project_copyright = author
version = release = memwave.__version__

extensions = [
    "myst_parser",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "repository_links",
    "program_help",
]
exclude_patterns = ["_ext", "gallery/*.ipynb", "gallery/*.py.md5"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
highlight_language = "text"

autodoc_typehints = "none"  # numpydoc sections have the types
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "ignore_pattern": r"^(?!plot_)",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "capture_repr": (),
}

html_theme = "pydata_sphinx_theme"
html_title = f"memwave {release}"
html_static_path = ["_static"]
html_css_files = ["memwave.css"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_copy_source = False
html_theme_options = {
    "logo": {"text": "memwave"},
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
