"""The page about using models does what it says: its snippets run, in order, and agree."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/using-models.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def run(section, known):
    """Run the Python of a section, with what earlier ones made."""
    for snippet in re.findall(r"^```python\n(.*?)^```$", SECTIONS[section], re.M | re.DOTALL):
        exec(snippet, known)
    return known


@pytest.fixture
def known(tiny_results, monkeypatch):
    monkeypatch.chdir(tiny_results)
    return run("NumPy", {})


def test_numpy_gives_the_scores_of_the_projection(known):
    with h5py.File("results/hapt/haar/exact/projection.h5") as file:
        expected = file["scores"][: len(known["scores"])]
    np.testing.assert_allclose(known["scores"], expected, rtol=0, atol=1e-5)


def test_the_package_gives_the_same_scores(known):
    found = run("Python", {})["projected"]
    np.testing.assert_allclose(found[: len(known["scores"])], known["scores"], rtol=0, atol=1e-5)


def test_scikit_learn_transforms_there_and_back(known):
    pca = run("scikit-learn", known)["pca"]
    np.testing.assert_allclose(pca.transform(known["features"]), known["scores"], atol=1e-6)
    centred = (known["features"] - known["mean"]).astype(np.float64)
    left = known["features"] - pca.inverse_transform(known["scores"])
    errors = (centred**2).sum(axis=1) - (known["scores"] ** 2).sum(axis=1)
    np.testing.assert_allclose((left**2).sum(axis=1), errors, rtol=1e-6, atol=1e-8)


def test_onnx_computes_the_scores(known):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    found = run("ONNX", known)["found"]
    np.testing.assert_allclose(found, known["scores"], rtol=0, atol=1e-5)
