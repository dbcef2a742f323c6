"""The examples that the documentation shows run, and find what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))


# Runs an example, and names the texts that its figures cut.
LOOK = """
import runpy, sys
from matplotlib import pyplot
runpy.run_path(sys.argv[1], run_name="__main__")
for figure in map(pyplot.figure, pyplot.get_fignums()):
    figure.draw_without_rendering()
    labels = [label for axes in figure.axes for label in (axes.xaxis.label, axes.yaxis.label)]
    for label in [*labels, *(axes.title for axes in figure.axes)]:
        box = label.get_window_extent()
        across = figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        down = figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1
        if label.get_text() and not (across and down):
            sys.exit(f"a figure cuts {label.get_text()!r}")
"""


def run(name):
    """Run an example in its folder, as sphinx-gallery does; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, f"{name}.py"],
        cwd=ROOT / "examples",
        env=os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_transitions_stand_out_of_activities():
    told = run("plot_wearables")
    assert float(re.search(r"ROC curve: ([\d.]+)", told)[1]) > 0.8
    activities, transitions = (int(share) for share in re.findall(r": (\d+)%", told))
    assert activities <= 4
    assert transitions >= 30


def test_faults_are_detected_and_ordinary_rows_are_not():
    told = run("plot_machine")
    assert "3 components, three states" in told
    rates = {
        name: (float(t2), float(spe))
        for name, t2, spe in re.findall(r"^(\w+) .*T2: +([\d.]+)%, of SPE: +([\d.]+)%", told, re.M)
    }
    assert max(rates["healthy"]) < 1.5
    assert rates["drift"][1] > 50
    assert rates["stuck"][1] > 30
    assert rates["overload"][0] > 90


def test_components_of_a_heartbeat():
    told = run("plot_heartbeats")
    assert "True" in told
    naive, honest = (int(k) for k in re.findall(r"'parallel': (\d+)", told))
    assert honest < naive


def test_a_matrix_has_components_and_a_saved_model_is_the_same():
    told = run("plot_matrix")
    assert float(re.search(r"share of the variance: ([\d.]+)", told)[1]) > 0.8
    assert float(re.search(r"largest residual: (\S+) of", told)[1]) < 1e-12
    assert told.splitlines()[-1] == "True"


def test_a_model_grows_and_knows_what_is_new():
    told = run("plot_growing")
    of_january, so_far = zip(
        *((float(a), float(b)) for a, b in re.findall(r"([\d.]+)% of January, ([\d.]+)% so", told)),
        strict=True,
    )
    assert of_january[0] < 1
    assert of_january[3] > 20
    assert so_far[3] < 1
    assert "June: 100% of the failure" in told
    assert float(re.search(r"difference of a variance: (\S+)", told)[1]) < 1e-12
    assert "13800 rows of two sites" in told


def test_every_example_is_tested():
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f'run("{path.stem}")' in source for path in EXAMPLES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_a_title_and_an_introduction(path):
    assert re.match(r'"""\n.+\n=+\n\n\w', path.read_text(encoding="utf-8"))
