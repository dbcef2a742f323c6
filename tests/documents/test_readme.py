"""What README, docs/opening.md and docs/files.md show works: snippets, files, targets of make."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from installed import as_installed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = (ROOT / "docs/files.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]


def code_blocks(language):
    text = README + (ROOT / "docs/opening.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("snippet", code_blocks("python"))
def test_python_snippets_run(snippet, tiny_results, tmp_path):
    if "my_array.mmap" in snippet:
        rows = np.random.default_rng(0).normal(size=(80, 3504)).astype("float16")
        rows.tofile(tiny_results / "my_array.mmap")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        cwd=tiny_results,
        env=os.environ | as_installed(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    path = ROOT / document
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert not [target for target in local if not (path.parent / target).exists()]


def test_files_that_are_named_exist():
    names = re.findall(r"`([\w.-]+(?:/[\w.-]*)+|[A-Z][\w.]*)`", README)
    made = ("results/", "logs/", "build/", ".venv")
    named = [name for name in names if not name.startswith(made) and name != "IncrementalPCA"]
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_make_has_the_targets_that_are_named():
    targets = set(re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE))
    targets |= set(re.findall(r"`make ([a-z-]+)`", README))
    assert {"run", "test"} <= targets
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets <= set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))


def test_results_are_where_the_page_on_files_says(tiny_results):
    (layout,) = re.findall(r"^```\n(results/.*?)^```$", FILES, re.MULTILINE | re.DOTALL)
    for line in layout.splitlines():
        pattern = re.sub(r"<\w+>", "*", line.split()[0])
        assert list(tiny_results.glob(pattern)), line
