"""``memwave pca``, ``transform`` and ``inverse`` on a matrix, in this process."""

import os
import re
import shutil

import h5py
import numpy as np
import pytest

import memwave
from memwave.cli import main

SHAPE = ["--dtype", "float16", "--columns", "7"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    rows = (random.normal(size=(300, 7)) * [9, 5, 3, 1, 1, 1, 1]).astype("float16")
    rows.tofile("x.mmap")
    np.save("rest.npy", rows[:90])
    np.save("labels.npy", np.arange(300) % 4)
    return tmp_path


@pytest.mark.parametrize("solver", ["covariance", "gram", "randomized", "incremental"])
def test_a_matrix_becomes_a_model_and_a_projection(folder, solver, capsys):
    call = ["pca", "x.mmap", *SHAPE, "-k", "3", "-o", "out", "--solver", solver]
    assert main([*call, "--labels", "labels.npy"]) == 0
    printed = capsys.readouterr().out
    assert f"300 rows x 7 columns, solver {solver}" in printed
    expected = memwave.PCA(3, solver=solver).fit("x.mmap", dtype="float16", columns=7)
    assert f"{expected.explained_variance_[0]:.4g}" in printed
    loaded = memwave.load_model("out/model.h5")
    assert loaded.components_.tobytes() == expected.components_.tobytes()
    # Measured in float64, of what was fitted in float32.
    assert (loaded.residual_ <= 1e-3 * loaded.explained_variance_[0]).all()
    scores = expected.transform("x.mmap", dtype="float16", columns=7)
    with h5py.File("out/projection.h5") as file:
        np.testing.assert_allclose(file["scores"][:], scores, rtol=0, atol=1e-4)
        assert (file["error_bound"][:] < 1e-3 * expected.explained_variance_[0]).all()
        np.testing.assert_array_equal(file["label"][:], np.arange(300) % 4)
        np.testing.assert_array_equal(file["start_row"][:], np.arange(300))
        assert list(file["recording_names"].asstr()) == ["x"]
        variances = file["captured_variance"][:]
        np.testing.assert_allclose(variances, scores.var(axis=0, ddof=1), rtol=1e-4)
        share = file.attrs["reconstruction_error_train"]
        assert share == pytest.approx(expected.reconstruction_error_, rel=1e-3)


def test_contributions_of_the_highest_rows(folder, capsys):
    call = ["pca", "x.mmap", "rest.npy", *SHAPE, "-k", "3", "-o", "out", "--contributions"]
    assert main(call) == 0
    assert "out/contributions.h5" in capsys.readouterr().out
    pca = memwave.load_model("out/model.h5")
    rows = np.fromfile("x.mmap", "float16").reshape(300, 7)
    rows = np.concatenate([rows, rows[:90]])
    t2, spe = pca.contributions(rows)
    with h5py.File("out/contributions.h5") as file:
        found = file["row"][:]
        assert found[(file["recording"][:] == 0) & (file["rank_spe"][:] == 1)].tolist() == [
            np.argmax(spe[:300].sum(axis=1))
        ]
        np.testing.assert_allclose(file["features"][:], rows[found], rtol=1e-6)
        np.testing.assert_allclose(file["t2_contribution"][:], t2[found], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(file["spe_contribution"][:], spe[found], rtol=1e-4, atol=1e-4)


def test_contributions_of_an_earlier_model_go(folder, capsys):
    call = ["pca", "x.mmap", *SHAPE, "-o", "out", "-k"]
    assert main([*call, "3", "--contributions"]) == 0
    assert main([*call, "2"]) == 0
    assert "removed out/contributions.h5, which was of an earlier model" in capsys.readouterr().out
    assert sorted(os.listdir("out")) == ["model.h5", "projection.h5"]
    with h5py.File("out/contributions.h5", "w") as file:
        file["x"] = np.zeros(3)
    assert main([*call, "2"]) == 0
    assert "removed" not in capsys.readouterr().out
    assert os.path.exists("out/contributions.h5"), "what memwave did not write was removed"


def test_there_and_back(folder, capsys):
    assert main(["pca", "x.mmap", *SHAPE, "-k", "7"]) == 0
    assert main(["transform", "model.h5", "x.mmap", "s.npy", *SHAPE]) == 0
    assert main(["transform", "model.h5", "rest.npy", "s.h5"]) == 0
    for scores, n_rows in (("s.npy", 300), ("s.h5", 90), ("projection.h5", 300)):
        assert main(["inverse", "model.h5", scores, "back.npy"]) == 0
        rows = np.fromfile("x.mmap", "float16").reshape(300, 7)[:n_rows]
        np.testing.assert_allclose(np.load("back.npy"), rows, atol=1e-4)
    with h5py.File("s.h5") as file:
        assert (file["split"][:] == 1).all()
    assert "wrote s.npy\nwrote s.h5\nwrote back.npy\n" in capsys.readouterr().out
    assert main(["transform", "s.h5", "rest.npy", "t.npy"]) == 1
    assert "expected 'memwave-model'. Name a model.h5." in capsys.readouterr().err


def test_parts_are_stacked(folder):
    assert main(["pca", "rest.npy", "rest.npy", "-k", "2"]) == 0
    with h5py.File("projection.h5") as file:
        np.testing.assert_array_equal(np.bincount(file["recording"][:]), [90, 90])
        assert list(file["recording_names"].asstr()) == ["rest-1", "rest-2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pca", "x.mmap", "-k", "3"], "does not state its shape. Give dtype and columns"),
        (["pca", "gone.npy", "-k", "3"], "gone.npy: No such file"),
        (["pca", "rest.npy", "-k", "8"], "n_components is 8, expected at most 7"),
        (["pca", "rest.npy", "-k", "2", "--max-mem-mb", "9"], "more than max_mem_mb=9"),
        (["pca", "rest.npy", "-k", "2", "--block-mb", "0"], "block_mb: found 0"),
        (["pca", "rest.npy", "-k", "2", "--labels", "rest.npy"], "expected labels: one whole"),
        (["pca", "rest.npy", "-k", "2", "--labels", "labels.npy"], "labels are int64 of shape"),
        (["pca", "rest.npy", "-k", "2", "-o", "rest.npy"], "cannot be made a folder: "),
        (["pca", "rest.npy", "-k", "automatic"], 'n_components is "automatic", expected a number'),
        (["transform", "gone.h5", "rest.npy", "s.npy"], "gone.h5: No such file, expected"),
        (["transform", "rest.npy", "rest.npy", "s.npy"], "rest.npy: was not written by memwave"),
        (["inverse", ".", "s.npy", "again.npy"], ".: is a folder, expected a model.h5"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(folder, arguments, message, capsys):
    before = sorted(folder.iterdir())
    assert main(arguments) == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Delete the file" not in told  # which may be the only copy of a recording
    assert sorted(folder.iterdir()) == before


def test_an_interrupt_leaves_nothing_half_written(folder, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("memwave.pca.projection.Projector.project", interrupt)
    assert main(["pca", "rest.npy", "-k", "2", "-o", "."]) == 130
    assert "nothing was left half-written" in capsys.readouterr().err
    assert not list(folder.glob("*.h5"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("transform model.h5 rest.npy model.h5", "model.h5: is read for it, expected another file"),
        ("transform model.h5 rest.npy rest.npy", "rest.npy: is read for it"),
        ("transform model.h5 rest.npy s.txt", "s.txt: .* a name that ends in .h5 or .npy"),
        ("inverse model.h5 projection.h5 projection.h5", "projection.h5: .* that ends in .npy"),
        (
            "inverse model.h5 projection.h5 s.npy --dtype float32",
            "matrix, expected no --dtype",
        ),
        ("pca model.h5::/components -k 2", "model.h5: is read for it"),
        ("pca rest.npy -k 2 --labels projection.h5::/window", "projection.h5: is read for it"),
        ("update model.h5 rest.npy -o rest.npy", "rest.npy: is read for it"),
    ],
)
def test_what_is_read_is_not_overwritten(folder, command, message, capsys):
    assert main(["pca", "rest.npy", "-k", "2"]) == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(command.split()) == 1
    assert re.search(message, capsys.readouterr().err)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_name_that_is_not_utf8(folder, capsys):
    name, scores = (os.fsdecode(text) for text in (b"donn\xe9es.npy", b"scor\xe9.npy"))
    try:
        shutil.copy("rest.npy", name)
    except OSError:
        pytest.skip("the file system has no such names")
    assert main(["pca", name, "-k", "2", "-o", "out"]) == 0
    with h5py.File("out/projection.h5") as file:
        assert file["recording_names"].asstr()[0] == "donn\\udce9es"
    assert main(["transform", "out/model.h5", name, scores]) == 0
    assert "wrote scor\\udce9.npy" in capsys.readouterr().out
    assert np.load(scores).shape == (90, 2)


@pytest.mark.parametrize(("given", "kept"), [("0.9", 3), ("mle", None)])
def test_a_share_of_the_variance_or_a_criterion(folder, given, kept):
    assert main(["pca", "x.mmap", *SHAPE, "-k", given]) == 0
    expected = memwave.PCA(float(given) if kept else given)
    expected.fit("x.mmap", dtype="float16", columns=7)
    loaded = memwave.load_model("model.h5")
    assert loaded.n_components_ == expected.n_components_
    assert kept in (None, loaded.n_components_)
