"""A run on recordings of three sampling rates, which are brought to one."""

import csv

import numpy as np
import pytest
from applied import assert_applied_alike
from oracles import make_spec, oracle
from scipy.signal import resample_poly
from tiny_project import FEATURES, RECORDINGS, Project, labels_of, recording, windows_of

from memwave.api.recordings.projecting import project_recording
from memwave.api.recordings.reconstructing import (
    distances,
    reconstruct_recording,
    resampling_of,
)
from memwave.core.errors import MemwaveError
from memwave.recordings.channels import load_channels
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection

RATE = 50
# Rows a second of each recording, and what brings them to 50.
RATES, RATIOS = [100, 50, 20], [(1, 2), None, (5, 2)]


def stored(i):
    """Content of a recording, at its own rate and as long as it has to be."""
    rows = recording(i)
    return rows if RATIOS[i] is None else resample_poly(rows, *RATIOS[i][::-1])


def resampled(i):
    rows = stored(i).astype(np.float64)
    return rows if RATIOS[i] is None else resample_poly(rows, *RATIOS[i])


def labels(i):
    """Labels of the rows as they are stored, and those of the nearest row of each resampled one."""
    numbers = labels_of(len(stored(i))) + 100 * i
    places = np.arange(RECORDINGS[i][2]) * RATES[i] / RATE
    return numbers, numbers[np.minimum(np.floor(places + 0.5).astype(int), len(numbers) - 1)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("resampled") / "run", ["exact"])
    project.config["features"]["deep"]["scale"] = "robust"
    project.config["features"]["unstored"] = project.config["features"]["deep"] | {"store": False}
    project.config["models"]["lag"] = {"solver": "lag-covariance", "n_components": 4}
    project.config["experiments"].append({"dataset": "toy", "features": "unstored", "model": "lag"})
    project.config["datasets"]["toy"]["sampling_rate"] = RATE
    project.write_config()
    for i, (name, *_) in enumerate(RECORDINGS):
        project.save(i, stored(i))
        np.save(project.folder / f"recordings/{name}.labels.npy", labels(i)[0])
    sheet = project.folder / "config/toy.tsv"
    header, *lines = sheet.read_text().splitlines()
    lines = [f"{line}\t{rate}" for line, rate in zip(lines, RATES, strict=True)]
    sheet.write_text("\n".join([f"{header}\tsampling_rate", *lines]) + "\n")
    return project


def test_another_rate_is_refused_unless_something_is_to_be_done(project):
    ended = project.snakemake("--dry-run", "--cores", "1")
    assert ended.returncode != 0
    for name, rate in (("monday", 100), ("wednesday", 20)):
        assert f'recording "{name}"' in ended.stderr
        assert f"has {rate} rows per second, expected 50" in ended.stderr
    assert '"tuesday"' not in ended.stderr
    assert "set datasets.toy.resample: polyphase" in ended.stderr


def test_recordings_are_resampled(project):
    project.config["datasets"]["toy"]["resample"] = "polyphase"
    project.write_config()
    ended = project.snakemake("--cores", "2")
    assert ended.returncode == 0, ended.stderr
    rows = [resampled(i) for i in range(len(RECORDINGS))]
    assert [len(r) for r in rows] == [r[2] for r in RECORDINGS]
    train = np.concatenate([rows[i] for i, r in enumerate(RECORDINGS) if r[3] == "train"])
    low, centre, high = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    table = load_channels(project.folder / "results/toy/channels.tsv")
    assert [channel.rows for channel in table] == [len(train)] * 3
    spec = make_spec(channels=3, **FEATURES)
    scaled = [(r - centre) / (high - low) for r in rows]
    expected = [oracle(r, spec, n) for r, n in zip(scaled, windows_of(), strict=True)]
    np.testing.assert_allclose(project.features(), np.vstack(expected), rtol=1e-5, atol=1e-5)


def test_features_that_are_not_stored_give_the_same(project):
    other = project.folder / "results/toy/unstored/lag"
    variances = load_model(project.result("exact/model.h5")).explained_variance
    np.testing.assert_allclose(
        load_model(other / "model.h5").explained_variance, variances, rtol=1e-5
    )
    with (
        open_projection(other / "projection.h5") as unstored,
        open_projection(project.result("exact/projection.h5")) as file,
    ):
        np.testing.assert_allclose(unstored["scores"][:], file["scores"][:], atol=1e-3)


def test_windows_are_of_resampled_rows(project):
    with open_projection(project.result("exact/projection.h5")) as file:
        starts = np.concatenate([np.arange(n) for n in windows_of()])
        np.testing.assert_array_equal(file["start_row"][:], starts)
        last = [labels(i)[1][FEATURES["window"] - 1 :] for i in range(len(RECORDINGS))]
        np.testing.assert_array_equal(file["label"][:], np.concatenate(last))


@pytest.mark.parametrize("experiment", ["deep/exact", "unstored/lag"])
def test_a_model_is_applied_to_resampled_rows(project, experiment):
    assert_applied_alike(project, experiment, sampling_rate=RATES)


def test_a_model_of_resampled_rows_asks_for_the_rate_of_a_recording(project, tmp_path):
    for rate in (None, 50.0001):
        with pytest.raises(MemwaveError, match=r"resampled to 50 Hz.*--sampling-rate"):
            project_recording(
                model_path=project.result("exact/model.h5"),
                recording=str(project.folder / RECORDINGS[0][1]),
                projection=tmp_path / "out.h5",
                sampling_rate=rate,
            )
    assert not (tmp_path / "out.h5").exists()


def test_a_reconstruction_is_compared_with_resampled_rows(project):
    model, projection = project.result("exact/model.h5"), project.result("exact/projection.h5")
    output = project.folder / "monday.npy"
    reconstruct_recording(
        model_path=model, projection=projection, recording="monday", output=output
    )
    original = project.folder / RECORDINGS[0][1]
    ratio = resampling_of(projection, 100)
    assert ratio == (1, 2)
    made, rows = np.load(output), resampled(0)
    shares = ((rows - made) ** 2).mean(axis=0) / rows.var(axis=0)
    found = distances(str(original), output, tuple("xyz"), ratio=ratio)
    np.testing.assert_allclose(found, shares, rtol=1e-6)
    with pytest.raises(MemwaveError, match=r"resampled to 50 rows per second.*--sampling-rate"):
        resampling_of(projection, None)
    with pytest.raises(MemwaveError, match=r"\(165, 3\), expected \(330, 3\) as"):
        distances(str(original), output, tuple("xyz"), ratio=(1, 4))


def test_memory_is_as_predicted(project):
    with open(project.folder / "results/summary.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for stage in ("measure_channels", "extract_features", "summarize_lags", "project_recordings"):
        ran = [row for row in rows if row[f"{stage}_peak_mb"]]
        assert ran
        for row in ran:
            assert float(row[f"{stage}_peak_mb"]) <= float(row[f"{stage}_predicted_mb"])
