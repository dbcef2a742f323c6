"""The tutorial, typed as it stands."""

import re

from clone import ROOT, like_a_clone, type_in


def test_the_tutorial_leads_to_its_figures(tmp_path):
    folder = like_a_clone(tmp_path, "config")
    told = type_in(folder, (ROOT / "docs/tutorial.md").read_text(encoding="utf-8"))
    start = float(re.search(r"the oddest window begins at ([\d.]+) s", told)[1])
    assert 94 < start < 98
    plots = {path.name for path in (tmp_path / "results/pilot/waves/pca/plots").iterdir()}
    assert {"components.svg", "reconstruction.svg"} <= plots
    assert (tmp_path / "pilot/report.html").stat().st_size > 100_000
