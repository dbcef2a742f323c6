"""``memwave update`` and ``memwave merge``: the model of all rows, from the sums of some."""

import numpy as np
import pytest

import memwave
from memwave.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three parts of a matrix, and a model of each with its summary."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for i, n_rows in enumerate((200, 50, 90)):
        rows = random.normal(size=(n_rows, 6)) * [9, 7, 5, 3, 2, 1] + i
        np.save(f"{i}.npy", rows)
        memwave.PCA(3, solver="covariance").partial_fit(rows).save(f"{i}.h5", summary=True)
    return tmp_path


def variances():
    """Of all rows, by a dense decomposition."""
    rows = np.vstack([np.load(f"{i}.npy") for i in range(3)])
    return np.linalg.eigvalsh(np.cov(rows.T))[:-4:-1]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["update", "0.h5", "1.npy", "2.npy"], "200 rows and 140 more"),
        (["merge", "0.h5", "1.h5", "2.h5"], "340 rows of 3 models"),
    ],
)
def test_the_model_is_that_of_all_rows(folder, call, told, capsys):
    before = (folder / "0.h5").read_bytes()
    assert main([*call, "-o", "all.h5"]) == 0
    assert told in capsys.readouterr().out
    pca = memwave.load_model("all.h5")
    assert pca.n_samples_ == 340
    np.testing.assert_allclose(pca.explained_variance_, variances(), rtol=1e-10)
    assert (folder / "0.h5").read_bytes() == before
    assert main(["update", "all.h5", "1.npy", "-o", "all.h5"]) == 0  # it has a summary, too
    assert memwave.load_model("all.h5").n_samples_ == 390


def test_a_model_without_a_summary_says_so(folder, capsys):
    memwave.PCA(3).fit("0.npy").save("bare.h5")
    for call in (["update", "bare.h5", "1.npy"], ["merge", "0.h5", "bare.h5"]):
        assert main([*call, "-o", "all.h5"]) == 1
        assert "has no summary" in capsys.readouterr().err
    assert not (folder / "all.h5").exists()
