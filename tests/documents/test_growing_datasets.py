"""The page about growing datasets: its snippets run as they stand."""

import re
from pathlib import Path

import numpy as np

import memwave

PAGE = (Path(__file__).parents[2] / "docs/growing-datasets.md").read_text(encoding="utf-8")


def test_the_snippets_of_models_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    parts = {name: random.normal(size=(300, 60)) * np.arange(1, 61) for name in "abcd"}
    for name, file in zip("ab", ("january", "february"), strict=True):
        np.save(f"{file}.npy", parts[name])
    for name, file in zip("cd", ("here", "there"), strict=True):
        memwave.PCA(5).partial_fit(parts[name]).save(f"{file}.h5", summary=True)
    known: dict = {}
    for snippet in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        exec(snippet, known)
    found = (memwave.load_model("model.h5"), "ab"), (known["here"], "cd")
    for pca, names in found:
        values = np.linalg.eigvalsh(np.cov(np.vstack([parts[n] for n in names]).T))[::-1]
        wanted = values[: pca.n_components_]
        np.testing.assert_allclose(pca.explained_variance_, wanted, rtol=1e-9)
        assert pca.n_samples_ == 600


def test_the_keys_are_those_of_the_configuration():
    from memwave.workflow.config.settings import complete

    (snippet,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    config = dict(line.split(": ") for line in snippet.splitlines())
    assert config == {"shards": "by-recording", "keep_summaries": "true"}
    settings = complete(
        {
            "datasets": {"a": {"recordings": "a.tsv", "channels": ["x"]}},
            "features": {"f": {"window": 4, "wavelet": "haar", "level": 1, "bands": ["a1"]}},
            "models": {"m": {"solver": "covariance", "n_components": 1}},
            "experiments": [{"dataset": "a", "features": "f", "model": "m"}],
            "shards": "by-recording",
            "keep_summaries": True,
        }
    )
    assert settings["shards"] == "by-recording"
    assert settings["keep_summaries"] is True
