"""The whole workflow on a tiny configuration: its results, what it repeats, and how it fails."""

import csv
import os
import time

import h5py
import numpy as np
import pytest
from fitting import dense
from started import start_afresh
from tiny_project import (
    FEATURES,
    MODELS,
    RECORDINGS,
    Project,
    expected_features,
    labels_of,
    recording,
    windows_of,
)

# Features are stored, and computed with, in single precision.
ROUNDING = 1e-5
PROJECTED = {
    (rule, "toy/deep/{model}", *shard)
    for rule, *shard in (
        ("project_features", "1-of-2"),
        ("project_features", "2-of-2"),
        ("write_projection",),
    )
}
SUMMARIZED = {("summarize_features", "toy/deep/{model}", f"{i}-of-2") for i in (1, 2)}
LAGS = {("summarize_lags", "toy/deep/{model}", f"{i}-of-2") for i in (1, 2)}
FITTED = {("fit_model", "toy/deep/{model}")}
SUMMARY = {("write_summary",)}


def jobs_of(model, *groups):
    """Jobs of a model, with the summary that follows from all."""
    jobs = {tuple(part.format(model=model) for part in job) for group in groups for job in group}
    return jobs | SUMMARY


@pytest.fixture
def changing(project):
    """The finished run, to be changed by a test and dry-run; everything is put back."""
    files = [project.folder / "config/config.yaml", *project.folder.glob("recordings/*")]
    files += project.folder.rglob("scripts/**/*.py")
    before = {path: (path.read_bytes(), path.stat()) for path in files}
    yield project
    for path, (content, status) in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def train_mask():
    return np.repeat([split == "train" for *_, split in RECORDINGS], windows_of())


def test_features_are_those_of_pywavelets(project):
    found, expected = project.features(), expected_features()
    assert found.dtype == FEATURES["dtype"]
    np.testing.assert_allclose(found, expected, atol=ROUNDING * np.abs(expected).max())


@pytest.mark.parametrize("model", MODELS)
def test_models_and_projections_are_those_of_dense_pca(project, model):
    features = expected_features()
    train = features[train_mask()]
    values, vectors, covariance = dense(train, 4)
    with h5py.File(project.result(f"{model}/model.h5")) as file:
        assert file.attrs["n_samples"] == len(train)
        assert file.attrs["total_variance"] == pytest.approx(np.trace(covariance), rel=ROUNDING)
        components, mean = file["components"][()], file["mean"][()]
        found = file["explained_variance"][()]
    np.testing.assert_allclose(found, values, atol=ROUNDING * values[0])
    np.testing.assert_allclose(np.abs(np.sum(components * vectors, axis=1)), 1, atol=1e-4)
    np.testing.assert_allclose(mean, train.mean(axis=0), atol=ROUNDING * np.abs(features).max())
    with h5py.File(project.result(f"{model}/projection.h5")) as file:
        scores, residual = file["scores"][()], file["residual"][()]
    expected = (features - mean) @ components.T
    np.testing.assert_allclose(scores, expected, atol=10 * ROUNDING * np.abs(expected).max())
    assert residual.max() <= 10 * ROUNDING * values[0]


def test_windows_keep_their_recording_place_split_and_label(project):
    with h5py.File(project.result("exact/projection.h5")) as file:
        names = file["recording_names"].asstr()[()]
        columns = [file[name][()] for name in ("recording", "start_row", "split", "label")]
    splits = ("train", "test")
    found = [
        (names[r], start, splits[s], label) for r, start, s, label in zip(*columns, strict=True)
    ]
    expected = []
    for (name, _, rows, split), count in zip(RECORDINGS, windows_of(), strict=True):
        last_rows = range(FEATURES["window"] - 1, rows)
        labels = labels_of(rows)[last_rows]
        expected += [(name, start, split, labels[start]) for start in range(count)]
    assert found == expected


def test_the_summary_has_a_row_for_each_experiment(project):
    with open(project.folder / "results/summary.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["model"] for row in rows] == list(MODELS)
    for row in rows:
        assert int(row["windows"]) == sum(windows_of())
        for name, value in row.items():
            predicted = row.get(name.replace("peak", "predicted"))
            if name.endswith("_peak_mb") and value and predicted is not None:
                assert float(value) <= float(predicted)
        assert float(row["extract_features_peak_mb"]) <= float(row["extract_features_predicted_mb"])


def test_a_finished_run_has_nothing_to_do(project):
    before = {path: path.stat().st_mtime_ns for path in project.folder.glob("results/**/*")}
    done = project.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_run_gives_the_same_bytes(project, tmp_path):
    """In another folder, on one core, with another order of what is hashed."""
    start_afresh()
    other = Project(tmp_path / "a folder elsewhere", list(MODELS))
    done = other.snakemake("--cores", "1")
    assert done.returncode == 0, done.stderr[-4000:]
    assert other.results() == project.results()
    names = {f"toy/deep/{model}/{kind}.h5" for model in MODELS for kind in ("model", "projection")}
    assert names < set(project.results())


def test_what_is_touched_is_not_repeated(changing):
    """Not even if no file is small enough for Snakemake to look at its content."""
    later = time.time() + 10
    patterns = ("scripts/**/*.py", "recordings/*", "config/*", "**/*-of-2.npy", "**/projection.h5")
    touched = [path for pattern in patterns for path in changing.folder.glob(pattern)]
    assert {path.suffix for path in touched} >= {".py", ".npy", ".h5", ".yaml", ".tsv"}
    for path in touched:
        os.utime(path, (later, later))
    assert changing.planned("--max-checksum-file-size", "0") == set()


def test_what_is_touched_and_small_is_not_repeated(changing):
    later = time.time() + 10
    for path in changing.folder.rglob("results/**/*"):
        os.utime(path, (later, later))
    assert changing.planned() == set()


def test_an_option_of_a_model_repeats_that_model_only(changing):
    changing.config["models"]["incremental"]["batch_rows"] = 100
    try:
        changing.write_config()
    finally:
        del changing.config["models"]["incremental"]["batch_rows"]
    assert changing.planned() == jobs_of("incremental", SUMMARIZED, FITTED, PROJECTED)


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("memwave/pca/solvers/randomized.py", jobs_of("randomized", FITTED, PROJECTED)),
        (
            "memwave/pca/linalg/covariance_products.py",  # by way of other modules
            jobs_of("randomized", FITTED, PROJECTED)
            | jobs_of("incremental", PROJECTED)
            | jobs_of("exact", PROJECTED)
            | jobs_of("signal", PROJECTED)
            | jobs_of("wide", PROJECTED),
        ),
        ("memwave/pca/lags/window_products.py", jobs_of("signal", LAGS, FITTED, PROJECTED)),
        (
            "memwave/recordings/labels/coding.py",
            set.union(*(jobs_of(model, PROJECTED) for model in MODELS)),
        ),
        ("memwave/results/summary/columns.py", SUMMARY),
        ("memwave/readers/formats/raw.py", set()),
        ("write_summary.py", SUMMARY),
    ],
)
def test_an_edit_of_a_module_repeats_the_jobs_that_import_it(changing, module, jobs):
    with open(changing.folder / "scripts" / module, "a", encoding="utf-8") as file:
        file.write("# A remark.\n")
    assert changing.planned() == jobs


@pytest.mark.parametrize("later", [10, 0, -(10**6)])
def test_another_content_of_a_recording_repeats_what_depends_on_it(changing, later):
    """Whatever its time; the last recording stands in the second shard only."""
    file = changing.folder / "recordings/wednesday.npy"
    time_before = file.stat().st_mtime + later
    changing.save(2, recording(2) + 1)
    os.utime(file, (time_before, time_before))
    expected = jobs_of("randomized", FITTED, PROJECTED)
    expected |= jobs_of("wide", FITTED, PROJECTED)
    expected |= jobs_of("signal", LAGS, FITTED, PROJECTED)
    for model in ("exact", "incremental"):
        expected |= jobs_of(model, SUMMARIZED, FITTED, PROJECTED)
    assert changing.planned() == expected | {("extract_features", "toy/deep", "2-of-2")}


def test_other_labels_repeat_what_is_written_with_them(changing):
    file = changing.folder / "recordings/monday.labels.npy"
    time_before = file.stat().st_mtime
    np.save(file, np.load(file) + 1)
    os.utime(file, (time_before, time_before))
    expected = set.union(*(jobs_of(model, PROJECTED) for model in MODELS))
    assert changing.planned() == expected


def test_a_run_that_fails_says_why_and_goes_on_when_it_is_mended(project, tmp_path):
    broken = Project(tmp_path / "broken", ["exact"])
    spoilt = recording(2)
    spoilt[100, 1] = np.nan
    broken.save(2, spoilt)
    before = broken.inputs()
    failed = broken.snakemake("--cores", "2", "--keep-going")
    assert failed.returncode != 0
    place = "recording 'wednesday' (recordings/wednesday.npy): row 100, channel y is nan"
    assert (failed.stdout + failed.stderr).count(f"extract_features: {place}") == 1
    assert f"extract_features: {place}" in "".join(failed.stderr.splitlines()[-6:])
    assert "Traceback" not in failed.stdout + failed.stderr
    assert broken.inputs() == before
    assert not broken.result("features/2-of-2.npy").exists()
    assert not broken.result("exact/model.h5").exists()
    assert not list(broken.folder.glob("results/**/*partial*"))
    first = broken.result("features/1-of-2.npy")
    assert first.read_bytes() == project.result("features/1-of-2.npy").read_bytes()
    made = first.stat().st_mtime_ns

    broken.save(2, recording(2))
    done = broken.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert first.stat().st_mtime_ns == made
    expected = project.results()
    assert broken.results().items() <= expected.items()
    assert broken.result("exact/projection.h5").exists()
