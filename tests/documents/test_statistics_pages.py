"""The snippet of choosing-components.md on rotated scores runs as it stands."""

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
