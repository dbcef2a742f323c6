"""Statistics, limits and alarms of a projection, against what NumPy makes of the same rows."""

import csv
from dataclasses import replace

import h5py
import numpy as np
import pytest
from fitting import decaying, fit, save_shard
from oracles import make_spec
from stage_run import StageRun

from memwave.core.errors import MemwaveError
from memwave.recordings.segments import LabelledRecording
from memwave.results.model_file import load_model, save_model
from memwave.results.monitoring import highest
from memwave.results.monitoring import limits as monitoring
from memwave.results.monitoring.highest import open_contributions
from memwave.results.monitoring.tables import load_quantiles

WINDOW, STEP = 10, 3
SPEC = make_spec(window=WINDOW, step=STEP, channels=6)
TABLE = [("channels", "O"), ("band", "O"), ("position", "i8")]
COUNTS, SPLITS = (400, 0, 250, 300), ("train", "test", "test", "train")
FIRST = (0, 400, 400, 650)
LEVELS = (0.95, 0.99)


def run_stages(folder, rows=None):
    """Project rows of four recordings, in two shards, onto a model of the train rows."""
    rows = decaying(sum(COUNTS), 30) + 3.0 if rows is None else rows
    train = np.repeat([split == "train" for split in SPLITS], COUNTS)
    model = fit("covariance", [rows[train]], dtype="float64", n_components=4)
    save_model(folder / "model.h5", model, np.array([("x", "d1", i) for i in range(30)], TABLE), {})
    cut = 475
    recordings = [
        LabelledRecording(f"r{i}", split, count)
        for i, (split, count) in enumerate(zip(SPLITS, COUNTS, strict=True))
    ]
    stages = StageRun(
        folder,
        SPEC,
        {"solver": "covariance", "standardize": False},
        [[(0, 400)], [(175, 475)]],
        len(rows),
        recordings=recordings,
        dtype="float64",
    )
    for i, part in enumerate((rows[:cut], rows[cut:])):
        save_shard(folder / f"{i}.npy", part)
        stages.project(i)
    stages.write()
    return rows, train, stages


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alarms")
    return folder, *run_stages(folder)


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_statistics_are_those_of_the_scores_and_the_residuals(written):
    folder, rows, _, _ = written
    model = load_model(folder / "model.h5")
    centred = rows - model.mean
    scores = centred @ model.components.T
    t2 = (scores**2 / model.explained_variance).sum(axis=1)
    spe = ((centred - scores @ model.components) ** 2).sum(axis=1)
    with h5py.File(folder / "projection.h5") as file:
        np.testing.assert_allclose(file["hotelling_t2"][()], t2, rtol=1e-5)
        np.testing.assert_allclose(file["spe"][()], spe, rtol=1e-5)
        assert file["spe"] == file["reconstruction_error"]  # one dataset by two names


def test_limits_are_quantiles_of_the_train_rows(written):
    folder, _, train, _ = written
    with h5py.File(folder / "projection.h5") as file:
        assert file.attrs["limit_method"] == "quantile"
        assert file["limit_level"][()].tolist() == list(LEVELS)
        for name, limit in (("hotelling_t2", "t2_limit"), ("spe", "spe_limit")):
            values = file[name][()]
            expected = np.quantile(values[train].astype(np.float64), LEVELS)
            np.testing.assert_allclose(file[limit][()], [expected, expected], rtol=1e-12)
        for name, source in monitoring.ABOVE.items():
            limits = file["t2_limit" if source == "hotelling_t2" else "spe_limit"][0]
            expected = (file[source][()][:, None] > limits).sum(axis=1)
            np.testing.assert_array_equal(file[name][()], expected)


def test_the_table_of_limits_has_all_methods_and_what_is_above(written):
    folder, _, train, _ = written
    rows = table(folder / "limits.tsv")
    found = [(row["statistic"], row["method"], float(row["level"])) for row in rows]
    assert len(set(found)) == len(found) == 2 * (2 + 3)
    assert {row["method"] for row in rows if row["in_use"] == "yes"} == {"quantile"}
    with h5py.File(folder / "projection.h5") as file:
        for row in rows:
            values = file[row["statistic"]][()]
            share = np.mean(values[train] > float(row["train_limit"]))
            assert float(row["train_above"]) == pytest.approx(share)
            share = np.mean(values[~train] > float(row["other_limit"]))
            assert float(row["other_above"]) == pytest.approx(share)
    again = load_quantiles(folder / "limits.tsv", LEVELS)
    with h5py.File(folder / "projection.h5") as file:
        np.testing.assert_array_equal(again.t2, file["t2_limit"][()])
    assert load_quantiles(folder / "limits.tsv", (0.5,)) is None
    (folder / "odd.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(MemwaveError, match=r"odd\.tsv: is not a table of limits"):
        load_quantiles(folder / "odd.tsv", LEVELS)


@pytest.mark.parametrize("block", [5, 65_536])
def test_alarms_are_the_runs_above_a_limit(written, block, monkeypatch):
    folder, _, _, _ = written
    monkeypatch.setattr(monitoring, "BLOCK_ROWS", block)
    with h5py.File(folder / "projection.h5") as file:
        t2, spe = file["t2_limit"][()], file["spe_limit"][()]
        limits = monitoring.Limits("quantile", LEVELS, t2, spe)
        found = list(monitoring.alarms(file, limits))
        expected = []
        for name, statistic in monitoring.ABOVE.items():
            values, above = file[statistic][()], file[name][()]
            for i, level in enumerate(LEVELS):
                row = 0
                for recording, count in enumerate(COUNTS):
                    inside = [w for w in range(count) if above[row + w] > i]
                    runs = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
                    for run in (r.astype(int) for r in runs if len(r)):
                        place = (run[0] * STEP, run[-1] * STEP + WINDOW, len(run))
                        peak = float(values[row + run].max())
                        expected.append((recording, statistic, level, *place, peak))
                    row += count
    assert [
        (a.recording, a.statistic, a.level, a.start_row, a.stop_row, a.windows, a.peak)
        for a in found
    ] == expected
    assert any(alarm.windows > 1 for alarm in found)


def test_the_table_of_alarms_has_seconds_where_the_rate_is_known(written):
    folder, _, _, stages = written
    assert all(row["start_second"] == "" for row in table(folder / "alarms.tsv"))
    again = folder / "again.h5"
    replace(stages, rates=(50.0,) * 4).write(projection=again, alarms=folder / "seconds.tsv")
    rows = table(folder / "seconds.tsv")
    assert rows
    for row in rows:
        assert float(row["start_second"]) == int(row["start_row"]) / 50
        assert float(row["stop_second"]) == int(row["stop_row"]) / 50
        assert float(row["peak"]) > float(row["limit"])


def test_a_gap_ends_an_alarm(tmp_path):
    with h5py.File(tmp_path / "projection.h5", "w") as file:
        file.attrs["window"], file.attrs["step"] = 4, 2
        file["start_row"] = [0, 2, 8, 10]
        file["recording"], file["split"] = [0, 0, 0, 0], np.zeros(4, "u1")
        for name, source in monitoring.ABOVE.items():
            file[name], file[source] = np.array([1, 1, 1, 0], "u1"), [5.0, 7.0, 6.0, 1.0]
        limits = monitoring.Limits("quantile", (0.95,), np.full((2, 1), 3.0), np.full((2, 1), 3.0))
        found = [(a.start_row, a.stop_row, a.peak) for a in monitoring.alarms(file, limits)]
    assert found == [(0, 6, 7.0), (8, 12, 6.0)] * 2


def highest_of(values, starts, count=highest.HIGHEST):
    """Rows of largest values, each of which overlaps none before it."""
    chosen = []
    for row in np.argsort(-values, kind="stable"):
        if all(abs(starts[row] - starts[other]) >= WINDOW for other in chosen):
            chosen.append(int(row))
    return chosen[:count]


@pytest.mark.parametrize("block", [5, 65_536])
def test_contributions_are_of_the_highest_windows_and_sum_to_the_statistics(
    written, block, monkeypatch
):
    folder, rows, _, stages = written
    monkeypatch.setattr(highest, "BLOCK_ROWS", block)
    stages.write(contributions=folder / "again.h5", projection=folder / "again-projection.h5")
    assert (folder / "again.h5").read_bytes() == (folder / "contributions.h5").read_bytes()
    with (
        open_contributions(folder / "contributions.h5") as file,
        h5py.File(folder / "projection.h5") as projection,
    ):
        found = file["row"][()]
        np.testing.assert_array_equal(file["features"][()], rows[found])
        for statistic, rank, parts in (
            ("hotelling_t2", "rank_t2", "t2_contribution"),
            ("spe", "rank_spe", "spe_contribution"),
        ):
            values, starts = projection[statistic][()], projection["start_row"][()]
            np.testing.assert_array_equal(file[statistic][()], values[found])
            sums = file[parts][()].astype(np.float64).sum(axis=1)
            np.testing.assert_allclose(sums, values[found], rtol=1e-4)
            for recording, (first, count) in enumerate(zip(FIRST, COUNTS, strict=True)):
                part = slice(first, first + count)
                expected = [first + row for row in highest_of(values[part], starts[part])]
                ours = file["recording"][()] == recording
                order = np.argsort(file[rank][ours])
                ranked = found[ours][order][np.sort(file[rank][ours]) > 0]
                assert ranked.tolist() == expected


def test_few_windows_are_kept_of_many_recordings(written):
    folder, *_ = written
    with h5py.File(folder / "projection.h5") as file:
        found = highest.highest_windows(file, 4)
        whole = {name: file[name][()] for name in highest.STATISTICS}
    assert len(found.places.rows) <= 4
    for name, values in whole.items():
        assert int(np.argmax(values)) in found.places.rows
        assert sorted(found.ranks[name].tolist())[-2:] == [1, 1]
