"""Runs on recordings with gaps: windows left out, gaps filled, and the row that is refused."""

import numpy as np
import pytest
from applied import assert_applied_alike
from oracles import make_spec, oracle
from tiny_project import FEATURES, RECORDINGS, Project, labels_of, recording, windows_of

from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection

# Recording, first row, row after the last, channel; the shard border is in the second recording.
GAPS = [(0, 0, 2, 0), (0, 100, 101, 2), (0, 103, 110, 1), (1, 60, 64, 0), (2, 150, 153, 2)]


def with_gaps(i):
    rows = recording(i)
    for number, start, stop, channel in GAPS:
        if number == i:
            rows[start:stop, channel] = np.nan
    return rows


def whole(i):
    """Which windows of a recording have all their values."""
    rows, window = with_gaps(i), FEATURES["window"]
    return np.array([np.isfinite(rows[w : w + window]).all() for w in range(windows_of()[i])])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("gaps") / "run", ["exact", "randomized"])
    project.config["models"]["lag"] = {"solver": "lag-covariance", "n_components": 4}
    project.config["experiments"][0]["model"].append("lag")
    project.config["plots"] = False
    for i in range(len(RECORDINGS)):
        project.save(i, with_gaps(i))
    return project


def run(project, **dataset):
    project.config["datasets"]["toy"] |= dataset
    project.write_config()
    return project.snakemake("--cores", "2")


def test_a_gap_is_refused_unless_something_is_to_be_done(project):
    ended = run(project)
    assert ended.returncode != 0
    first = {  # of either shard, whichever is tried first
        "recording 'monday' (recordings/monday.npy): row 0, channel x is nan",
        "recording 'tuesday' (recordings/tuesday.h5::/signal): row 60, channel x is nan",
    }
    assert any(words in ended.stderr for words in first)
    assert "set missing: drop or interpolate" in ended.stderr


def test_windows_that_touch_a_gap_are_left_out(project):
    ended = run(project, missing="drop")
    assert ended.returncode == 0, ended.stderr
    kept = [whole(i) for i in range(len(RECORDINGS))]
    spec = make_spec(channels=3, **FEATURES)
    parts = [oracle(recording(i), spec, n)[kept[i]] for i, n in enumerate(windows_of())]
    features = np.vstack(parts)
    assert len(features) < sum(windows_of())
    np.testing.assert_allclose(project.features(), features, rtol=1e-5, atol=1e-5)
    train = np.repeat([row[3] == "train" for row in RECORDINGS], [len(part) for part in parts])
    for name in ("exact", "randomized", "lag"):
        model = load_model(project.result(f"{name}/model.h5"))
        assert model.n_samples == train.sum()
        centred = features - features[train].mean(axis=0)
        values = np.linalg.eigvalsh(np.cov(features[train].T))[::-1][:4]
        np.testing.assert_allclose(model.explained_variance, values, rtol=1e-4)
        with open_projection(project.result(f"{name}/projection.h5")) as file:
            starts = [np.flatnonzero(flags) for flags in kept]
            np.testing.assert_array_equal(file["start_row"][:], np.concatenate(starts))
            numbers = np.repeat(range(3), [len(start) for start in starts])
            np.testing.assert_array_equal(file["recording"][:], numbers)
            np.testing.assert_array_equal(file["split"][:] == 0, train)
            labels = [
                labels_of(rows)[start + FEATURES["window"] - 1]
                for (_, _, rows, _), start in zip(RECORDINGS, starts, strict=True)
            ]
            np.testing.assert_array_equal(file["label"][:], np.concatenate(labels))
            scores = centred @ model.components.T
            np.testing.assert_allclose(file["scores"][:], scores, rtol=0, atol=1e-4)
        assert_applied_alike(project, f"deep/{name}")


def test_gaps_are_filled_up_to_a_length(project):
    project.config["experiments"][0]["model"] = ["exact"]
    ended = run(project, missing="interpolate", max_gap=6)
    assert ended.returncode != 0
    assert "row 0, channel x is nan" in ended.stderr
    assert "in a gap longer than max_gap (6 rows), or at an end of the recording" in ended.stderr
    first = with_gaps(0)
    first[:2, 0] = 0.5
    project.save(0, first)
    ended = run(project, max_gap=7)
    assert ended.returncode == 0, ended.stderr
    spec, parts = make_spec(channels=3, **FEATURES), []
    for i, n in enumerate(windows_of()):
        rows = (first if i == 0 else with_gaps(i)).astype(np.float64)
        for column in rows.T:
            known = np.isfinite(column)
            column[~known] = np.interp(np.flatnonzero(~known), np.flatnonzero(known), column[known])
        parts.append(oracle(rows, spec, n))
    np.testing.assert_allclose(project.features(), np.vstack(parts), rtol=1e-5, atol=1e-5)
    assert_applied_alike(project, "deep/exact")


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ({"missing": "interpolate", "max_gap": None}, "needs the length of the longest gap"),
        ({"missing": "drop", "max_gap": 3}, "but missing is drop: no gap is filled"),
    ],
)
def test_the_longest_gap_is_said_where_it_matters(project, dataset, words):
    project.config["datasets"]["toy"] |= dataset
    project.write_config()
    ended = project.snakemake("--dry-run")
    assert ended.returncode != 0
    assert words in ended.stderr
