"""The snippets of the pages about monitoring and components run as they stand."""

import re
from pathlib import Path

import h5py
import numpy as np
from fitting import decaying, fit

from memwave.pca.diagnostics.rotation import varimax
from memwave.results.model_file import save_model

DOCS = Path(__file__).parents[2] / "docs"
TABLE = [("channels", "O"), ("band", "O"), ("position", "i8")]


def snippets(name):
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_rows_of_today_are_compared_with_ordinary_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("ordinary.npy", decaying(500, 30))
    np.save("today.npy", decaying(20, 30) * 3)
    known: dict = {}
    exec(snippets("monitoring.md")[0], known)
    assert len(known["found"].spe) == 20


def test_the_contributions_of_a_run_have_names(tiny_results, monkeypatch, capsys):
    monkeypatch.chdir(tiny_results)
    exec(snippets("monitoring.md")[1], {})
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 5
    assert all(re.fullmatch(r"(acc|gyro)_[xyz] [ad]\d \d+: \d+% of SPE", line) for line in told)


def test_rotated_scores_have_unit_variance(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = decaying(300, 8)
    model = fit("covariance", [rows], dtype="float64", n_components=3)
    model.rotation = varimax(model.components.T * np.sqrt(model.explained_variance))[1]
    save_model("model.h5", model, np.array([("x", "d1", i) for i in range(8)], TABLE), {})
    with h5py.File("projection.h5", "w") as file:
        file["scores"] = (rows - model.mean) @ model.components.T
    known: dict = {}
    exec(snippets("choosing-components.md")[-1], known)
    np.testing.assert_allclose(np.cov(known["rotated"].T), np.eye(3), atol=1e-9)
