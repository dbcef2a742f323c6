"""``memwave update`` and ``memwave merge``: the model of all rows, from the sums of some."""

import h5py
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


@pytest.mark.parametrize("raw", [False, True])
def test_a_shell_alone_is_enough(folder, raw, capsys):
    shape = []
    if raw:
        for i in range(3):
            np.load(f"{i}.npy").tofile(f"{i}.raw")
        shape = ["--dtype", "float64", "--columns", "6"]
    files = [f"{i}.{'raw' if raw else 'npy'}" for i in range(3)]
    options = ["-k", "3", "--solver", "covariance", "--summary", "-o"]
    assert main(["pca", *files[:2], *shape, *options, "first"]) == 0
    assert "250 rows x 6 columns" in capsys.readouterr().out
    first = memwave.load_model("first/model.h5")
    expected = memwave.PCA(3, solver="covariance").fit(["0.npy", "1.npy"])
    np.testing.assert_allclose(first.components_, expected.components_, atol=1e-10)
    assert (first.residual_ < 1e-10).all()
    assert main(["update", "first/model.h5", files[2], *shape, "-o", "all.h5"]) == 0
    pca = memwave.load_model("all.h5")
    assert pca.n_samples_ == 340
    np.testing.assert_allclose(pca.explained_variance_, variances(), rtol=1e-10)


def test_rows_with_missing_values_may_be_left_out(folder, capsys):
    rows = np.load("1.npy")
    rows[3, 2] = np.nan
    np.save("gaps.npy", rows)
    call = ["update", "0.h5", "gaps.npy", "-o", "all.h5"]
    assert main(call) == 1
    assert "gaps.npy: row 3, column 2 is NaN" in capsys.readouterr().err
    assert main([*call, "--missing", "drop"]) == 0
    assert "200 rows and 49 more" in capsys.readouterr().out


def test_a_model_is_not_merged_with_itself(folder, capsys):
    (folder / "link.h5").symlink_to("0.h5")
    for models in (["0.h5", "0.h5"], ["0.h5", "1.h5", "link.h5"]):
        assert main(["merge", *models, "-o", "all.h5"]) == 1
        assert f"{models[-1]}: is given twice, expected other rows" in capsys.readouterr().err
    assert not (folder / "all.h5").exists()


def test_a_summary_needs_a_solver_that_keeps_sums(folder, capsys):
    assert main(["pca", "0.npy", "-k", "3", "--solver", "gram", "--summary", "-o", "none"]) == 1
    assert 'solver is "gram", which reads the rows several times' in capsys.readouterr().err
    assert not list((folder / "none").glob("*"))


def test_labels_may_be_text(folder, capsys):
    np.savetxt("labels.txt", np.arange(200) % 3, fmt="%d")
    assert main(["pca", "0.npy", "-k", "3", "--labels", "labels.txt"]) == 0
    with h5py.File("projection.h5") as file:
        np.testing.assert_array_equal(file["label"], np.arange(200) % 3)
    for text in ("1\n2\n1.5\n", "label\n1\n2\n"):
        (folder / "labels.txt").write_text(text)
        assert main(["pca", "0.npy", "-k", "3", "--labels", "labels.txt", "-o", "no"]) == 1
        told = capsys.readouterr().err
        assert "labels.txt: cannot be read as labels" in told
        assert "Expected one whole number a line" in told
