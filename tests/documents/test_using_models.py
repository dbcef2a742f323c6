"""The page about using models does what it says: its snippets run, in order, and agree."""

import re

import h5py
import numpy as np
import pytest
from clone import ROOT, type_in, with_results

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
    largest = np.abs(expected).max()  # float32 rounds sums of features by their size
    np.testing.assert_allclose(known["scores"], expected, rtol=0, atol=1e-6 * largest)


def test_the_package_gives_the_same_scores(known):
    found = run("Python", {})["projected"]
    scores = known["scores"]
    allowed = 1e-6 * np.abs(scores).max()  # of scores in float32
    np.testing.assert_allclose(found[: len(scores)], scores, rtol=0, atol=allowed)


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
    largest = np.abs(known["scores"]).max()
    np.testing.assert_allclose(found, known["scores"], rtol=0, atol=1e-6 * largest)


@pytest.fixture
def folder(tiny_results, tmp_path):
    return with_results(tiny_results, tmp_path / "clone")


def test_a_model_is_applied_with_all_figures_and_gives_back_the_signal(folder):
    (config,) = re.findall(r"^```yaml\n(.*?)^```$", SECTIONS["New recordings"], re.M | re.DOTALL)
    (folder / "later.yaml").write_text(config, encoding="utf-8")
    type_in(folder, SECTIONS["New recordings"])
    applied = folder / "results/later/haar/trained"
    figures = {path.name for path in (applied / "plots").iterdir()}
    assert {"scores.svg", "scores-in-time.svg", "spectrum.svg", "reconstruction.svg"} <= figures
    with h5py.File(applied / "projection.h5") as file, h5py.File(folder / "new.h5") as other:
        assert np.isfinite(file["scores"][:]).all()
        np.testing.assert_allclose(file["scores"][:], other["scores"][:], rtol=1e-4, atol=1e-4)
    told = type_in(folder, SECTIONS["Back to the signal"])
    assert "share of each channel's variance that is lost" in told
    rows, expected = (np.load(folder / name) for name in ("again.npy", "user04-run2.npy"))
    assert rows.shape == expected.shape
