"""Another family of processors has other kernels of BLAS: how far apart results are.

docs/same-bytes.md states the figures; OpenBLAS can be told which kernels to use.
"""

from pathlib import Path

import numpy as np
import pytest
from fitting import decaying, options_of, save_shard
from oracles import make_spec
from stages import run_stage

from memwave.results.model_file import load_model
from memwave.workflow.requests.model import FeatureSummary, Fit

PROCESSOR = Path("/proc/cpuinfo")
pytestmark = pytest.mark.skipif(
    not PROCESSOR.exists() or " avx2 " not in PROCESSOR.read_text(encoding="utf-8"),
    reason="the kernels compared are those of x86-64 with and without AVX2",
)

ROWS = 3000
# Products are taken in float32, and summed in float64.
EIGENVALUES, COMPONENTS = 1e-6, 1e-9


def fitted(folder, monkeypatch, kernels):
    """Fit with the kernels of one family; the file and the model."""
    folder.mkdir()
    monkeypatch.setenv("OPENBLAS_CORETYPE", kernels)
    spec = make_spec(window=200, channels=2, dtype="float32")
    save_shard(folder / "shard.npy", decaying(ROWS, spec.n_features).astype("float32"))
    model = {"solver": "covariance", **options_of("covariance", n_components=20)}
    rows, sizes = ((0, ROWS),), {"block_rows": 500, "dtype": "float32"}
    ended = run_stage(
        "summarize_features",
        folder,
        FeatureSummary(model=model, train_ranges=rows, **sizes),
        shard=folder / "shard.npy",
        summary=folder / "summary.h5",
    )
    assert ended.status == 0, ended.told
    ended = run_stage(
        "fit_model",
        folder,
        Fit(spec=spec, model=model, train_ranges=(rows,), segments=(), provenance={}, **sizes),
        summaries=[folder / "summary.h5"],
        model=folder / "model.h5",
    )
    assert ended.status == 0, ended.told
    return (folder / "model.h5").read_bytes(), load_model(folder / "model.h5")


def test_kernels_of_another_family_agree_to_single_precision(tmp_path, monkeypatch):
    first, model = fitted(tmp_path / "first", monkeypatch, "Nehalem")
    again, _ = fitted(tmp_path / "again", monkeypatch, "Nehalem")
    assert again == first
    other, others = fitted(tmp_path / "other", monkeypatch, "Haswell")
    assert other != first, "this says nothing if the kernels are the same"
    np.testing.assert_allclose(
        others.explained_variance, model.explained_variance, rtol=EIGENVALUES
    )
    cosines = np.abs(np.sum(others.components * model.components, axis=1))
    assert cosines.min() > 1 - COMPONENTS
