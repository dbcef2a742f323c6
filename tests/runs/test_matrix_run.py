"""Whole runs on a matrix: equal to the package to the byte, rerun, applied, verified."""

import os

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from started import run_snakemake
from tiny_project import copy_workflow

import memwave
from memwave.results.verify import changed_inputs, damaged_results

COLUMNS, ROWS = 11, 400
MODELS = {
    "exact": {"solver": "covariance", "n_components": 3},
    "random": {"solver": "randomized", "n_components": 3, "standardize": True},
    "small": {"solver": "incremental", "n_components": 3, "batch_rows": 64},
    "few": {"solver": "gram", "n_components": 3},
    "few-scaled": {"solver": "gram", "n_components": 3, "standardize": True},
}


def snakemake(folder, *arguments):
    return run_snakemake(["--cores", "2", *arguments], folder, dict(os.environ), 900)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A run on a raw matrix, on an .h5ad file with names, and on a sheet of two parts."""
    folder = tmp_path_factory.mktemp("project")
    copy_workflow(folder)
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, COLUMNS)) @ random.normal(size=(COLUMNS, COLUMNS)) + 2
    rows = rows.astype("float16")
    rows.tofile(folder / "x.mmap")
    np.save(folder / "y.npy", np.arange(ROWS) % 3)
    with h5py.File(folder / "x.h5ad", "w") as file:
        file.create_dataset("X", data=rows.astype("f4"), chunks=(64, 4), compression="gzip")
        names = [f"gene{i}" for i in range(COLUMNS)]
        file.create_dataset("var/_index", data=names, dtype=h5py.string_dtype())
        file["var"].attrs["_index"] = "_index"
    write_gaps(folder, rows.astype("f4"))
    sheet = ["recording\tpath\tlabels\tsplit\tdtype"]
    sheet += [f"{name}\tx.mmap\ty.npy\t{name}\tfloat16" for name in ("train", "test")]
    (folder / "config/parts.tsv").write_text("\n".join(sheet) + "\n")
    config = {
        "datasets": {
            "mine": {"matrix": "x.mmap", "dtype": "float16", "columns": COLUMNS},
            "named": {"matrix": "x.h5ad"},
            "parts": {"matrix": "config/parts.tsv", "columns": COLUMNS},
            "gaps": {"matrix": "config/mixed.tsv", "missing": "drop"},
            "chunks": {"matrix": "gaps.h5::/x", "missing": "drop"},
        },
        "models": MODELS,
        "experiments": [
            {"dataset": "mine", "model": list(MODELS)},
            {"dataset": ["named", "parts"], "model": "exact"},
            *({"dataset": dataset, "model": name} for dataset, name in WITH_GAPS),
        ],
        "shards": 2,
        "block_mb": 1,
        "plots": False,
    }
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, rows


GAPS = [0, 1, 77, 200, 399]
WITH_GAPS = [
    ("gaps", "exact"),
    ("gaps", "few-scaled"),
    ("chunks", "random"),
    ("chunks", "small"),
    ("chunks", "few"),
]


def write_gaps(folder, rows):
    """Rows with missing values in one HDF5 file of chunks, and in parts of four formats."""
    rows[GAPS, 3] = np.nan
    marked = np.where(np.isnan(rows), -999, rows).astype("f4")
    with h5py.File(folder / "gaps.h5", "w") as file:
        file.create_dataset("x", data=marked, chunks=(50, 4), compression="gzip")
        file["x"].attrs["_FillValue"] = np.float32(-999)
    names = [f"c{i}" for i in range(COLUMNS)]
    pd.DataFrame(rows[:100], columns=names).to_parquet(folder / "a.parquet")
    pd.DataFrame(rows[100:200], columns=names).to_feather(folder / "b.feather")
    np.save(folder / "c.npy", rows[200:250])
    np.savez(folder / "d.npz", x=rows[250:])
    sheet = ["recording\tpath", *(f"{p[0]}\t{p}" for p in PARTS)]
    (folder / "config").mkdir()
    (folder / "config/mixed.tsv").write_text("\n".join(sheet) + "\n")


PARTS = ("a.parquet", "b.feather", "c.npy", "d.npz::x")


def estimator(name):
    options = dict(MODELS[name])
    rest = {key: options.pop(key) for key in ("batch_rows",) if key in options}
    return memwave.PCA(**options, solver_options=rest or None, shards=2, block_mb=1)


@pytest.mark.parametrize("name", MODELS)
def test_package_and_workflow_agree_to_the_byte(project, name):
    folder, _ = project
    path = folder / "x.mmap"
    pca = estimator(name).fit(path, dtype="float16", columns=COLUMNS)
    with h5py.File(folder / f"results/mine/matrix/{name}/model.h5") as file:
        for what in ("components", "mean", "explained_variance"):
            assert file[what][()].tobytes() == getattr(pca, f"{what}_").tobytes(), what
    loaded = memwave.load_model(folder / f"results/mine/matrix/{name}/model.h5")
    scores = loaded.transform(path, dtype="float16", columns=COLUMNS)
    with h5py.File(folder / f"results/mine/matrix/{name}/projection.h5") as file:
        np.testing.assert_allclose(file["scores"][:], scores, atol=1e-5)
        np.testing.assert_array_equal(file["start_row"][:], np.arange(ROWS))


def test_chunks_and_names_are_those_of_the_file(project):
    folder, _ = project
    pca = memwave.PCA(3, solver="covariance", shards=2, block_mb=1).fit(folder / "x.h5ad")
    model = folder / "results/named/matrix/exact/model.h5"
    with h5py.File(model) as file:
        assert file["components"][()].tobytes() == pca.components_.tobytes()
        assert file["features"][4]["channels"] == b"gene4"
    assert list(memwave.load_model(model).feature_names_in_) == list(pca.feature_names_in_)


def test_parts_have_splits_and_labels(project):
    folder, rows = project
    pca = memwave.PCA(3, solver="covariance").fit(rows)
    with h5py.File(folder / "results/parts/matrix/exact/model.h5") as file:
        assert file.attrs["n_samples"] == ROWS
        np.testing.assert_allclose(file["components"][()], pca.components_, atol=1e-5)
    with h5py.File(folder / "results/parts/matrix/exact/projection.h5") as file:
        np.testing.assert_array_equal(file["split"][:], np.repeat([0, 1], ROWS))
        np.testing.assert_array_equal(file["label"][:], np.tile(np.arange(ROWS) % 3, 2))
        np.testing.assert_array_equal(file["start_row"][:], np.tile(np.arange(ROWS), 2))
        np.testing.assert_allclose(file["scores"][:ROWS], file["scores"][ROWS:], atol=1e-5)


@pytest.mark.parametrize(("dataset", "name"), WITH_GAPS)
def test_rows_with_missing_values_are_dropped_as_the_package_does(project, dataset, name):
    folder, rows = project
    X = [str(folder / p) for p in PARTS] if dataset == "gaps" else f"{folder}/gaps.h5::/x"
    pca = estimator(name).set_params(missing="drop").fit(X)
    results = folder / f"results/{dataset}/matrix/{name}"
    with h5py.File(results / "model.h5") as file:
        assert file.attrs["n_samples"] == ROWS - len(GAPS) == pca.n_samples_
        for what in ("components", "mean", "explained_variance"):
            assert file[what][()].tobytes() == getattr(pca, f"{what}_").tobytes(), what
    left = np.delete(rows.astype("f4"), GAPS, axis=0)
    exact = memwave.PCA(3, solver="covariance", standardize=pca.standardize).fit(left)
    near = {"rtol": 1e-3 if name == "small" else 1e-5}
    np.testing.assert_allclose(pca.explained_variance_, exact.explained_variance_, **near)
    begins = np.array([0, 100, 200, 250]) if dataset == "gaps" else np.array([0])
    with h5py.File(results / "projection.h5") as file:
        of_all = begins[file["recording"][:]] + file["start_row"][:]
        np.testing.assert_array_equal(of_all, np.delete(np.arange(ROWS), GAPS))
        scores = pca.transform(X)
        np.testing.assert_allclose(file["scores"][:], scores[of_all], atol=1e-4)
    assert np.isnan(scores[GAPS]).all()


def test_nothing_is_copied_and_nothing_is_left_to_do(project):
    folder, _ = project
    copies = folder.glob("results/**/*.npy")
    assert {path.parts[-3] for path in copies} == {"gaps"}  # which are converted, once
    done = snakemake(folder, "-n")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_results_are_verified(project, monkeypatch):
    folder, _ = project
    monkeypatch.chdir(folder)
    assert not list(damaged_results(folder / "results"))
    assert not list(changed_inputs(folder / "results"))


def test_a_changed_matrix_is_noticed(project, monkeypatch):
    folder, _ = project
    monkeypatch.chdir(folder)
    kept = (folder / "y.npy").read_bytes()
    try:
        np.save(folder / "y.npy", np.zeros(ROWS, int))
        assert any("y.npy" in line for line in changed_inputs(folder / "results"))
    finally:
        (folder / "y.npy").write_bytes(kept)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": {"mine": {"matrix": "gone.npy"}}}, "gone.npy: No such file"),
        ({"datasets": {"mine": {"matrix": "x.mmap"}}}, "does not state its shape. Give dtype and"),
        ({"datasets": {"mine": {"matrix": "x.npy", "channels": ["a"]}}}, "channels: unknown key"),
        ({"datasets": {"mine": {"channels": ["a"]}}}, "datasets.mine.recordings: missing"),
        ({"features": {"matrix": {"window": 4}}}, "the name stands for the columns of a matrix"),
        (
            {"experiments": [{"dataset": "mine", "features": "haar", "model": "exact"}]},
            'found "haar", but datasets.mine is a matrix',
        ),
        (
            {"models": {"exact": {"solver": "lag-covariance", "n_components": 3}}},
            "lag-covariance is not available for a matrix, and datasets.mine is one",
        ),
        ({"models": {"exact": {"solver": "covariance", "n_components": 12}}}, "12, but matrix has"),
        ({"max_mem_mb": 50}, "max_mem_mb: stage .* of mine/matrix with exact needs"),
        (
            {"datasets": {"mine": {"matrix": "c.npy", "missing": "interpolate"}}},
            'missing: found "interpolate", expected "error" or "drop"',
        ),
        ({"shards": 401}, "401 shards cannot share the 400 windows"),
    ],
)
def test_a_configuration_that_cannot_be_run_is_refused(project, changes, message, monkeypatch):
    from memwave.core.errors import ConfigurationError
    from memwave.workflow.planning.plan import make_plan

    folder, _ = project
    monkeypatch.chdir(folder)
    config = {
        "datasets": {"mine": {"matrix": "x.mmap", "dtype": "float16", "columns": COLUMNS}},
        "features": {"haar": {"window": 4}},
        "models": {"exact": MODELS["exact"]},
        "experiments": [{"dataset": "mine", "model": "exact"}],
        "plots": False,
    }
    make_plan(config)
    with pytest.raises(ConfigurationError, match=message):
        make_plan({**config, **changes})
