"""The benchmarks work: in small from end to end, and the figures say what they should.

Never times: a busy machine is no reason for a test to fail.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from accuracy import Reference, write_reference
from compare_results import IGNORED, compare
from figures import Figures, load
from measure import Job, JobFailed, measure, snakemake
from synthetic import CHUNK, signal, write_recording

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

EXACT = 1e-9  # 1 - mean squared cosine of what is exact up to float32


def test_plugins_that_load_pandas_do_not_stop_snakemake(tmp_path):
    plugin = tmp_path / "snakemake_executor_plugin_loading_pandas"
    plugin.mkdir()
    (plugin / "__init__.py").write_text("import pandas\n")
    done = subprocess.run(
        snakemake("--version"),
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def run(*arguments):
    command = [sys.executable, str(BENCHMARKS / "run.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with the report of a small run, and its figures."""
    folder = tmp_path_factory.mktemp("bench")
    run(
        *("--size", "small", "--work", "a", "--dtype", "float32"),
        *("--scratch", folder / "scratch", "--output", folder / "report.md"),
    )
    return folder, load(folder / "report.json")


def test_every_experiment_has_its_contenders(small):
    folder, figures = small
    kinds = {}
    for record in figures.runs:
        kinds.setdefault(record["experiment"], set()).add(record["kind"])
    assert kinds == {
        "extract": {"memwave", "floor", "rival"},
        "project": {"memwave", "floor"},
        "fit-covariance": {"memwave", "floor", "rival"},
        "fit-randomized": {"memwave", "floor", "rival"},
        "fit-incremental": {"memwave", "rival"},
        "pipeline": {"memwave", "rival"},
    }
    assert not figures.skipped
    assert not (folder / "scratch").exists()


def test_every_run_has_time_and_memory(small):
    _, figures = small
    for record in figures.runs:
        assert record["seconds"] > 0, record
        assert 10 < record["peak_mb"] <= record["together_mb"], record
        assert record["contender"].startswith("snakemake") or record["resident_mb"] > 10, record


def test_accuracy(small):
    _, figures = small

    def lost(experiment, contender):
        return figures.accuracy((experiment, "a", "float32"), contender)["lost_cosine"]

    assert lost("fit-covariance", "memwave covariance") < EXACT
    assert lost("fit-covariance", "memwave lag-covariance") < EXACT
    assert lost("fit-randomized", "memwave randomized") < EXACT
    assert lost("pipeline", "snakemake --cores 2") < EXACT
    sklearn = lost("fit-incremental", "scikit-learn IncrementalPCA")
    assert lost("fit-incremental", "memwave incremental") < sklearn < 1
    assert sklearn == lost("pipeline", "the original script, repaired")


def tables(text):
    """All tables of a Markdown text, as lists of rows of cells."""
    found = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_report(small):
    folder, figures = small
    text = (folder / "report.md").read_text()
    aims, *comparisons, moments = tables(text)
    assert len(moments) == 2 + len(figures.places())
    assert len(comparisons) == len(figures.places())
    for table in (aims, *comparisons):
        assert {len(row) for row in table} == {len(table[0])}
    lengths = [2 + len(figures.contenders(place)) for place in figures.places()]
    assert sorted(map(len, comparisons)) == sorted(lengths)
    assert {row[2] for row in aims[2:]} == {"-"}  # targets are not for small sizes
    for name in ("numpy", "scikit-learn", "cores", figures.machine["date"]):
        assert name in text
    run("--report", "--output", folder / "report.md")
    assert (folder / "report.md").read_text() == text


def test_a_part_is_measured_again(small):
    folder, before = small
    report = folder / "report.md"
    run(
        *("--size", "small", "--work", "a", "--dtype", "float32", "--only", "project", "--update"),
        *("--scratch", folder / "scratch", "--output", report),
    )
    after = load(report.with_suffix(".json"))
    assert sorted(after.places()) == sorted(before.places())
    for place in before.places():
        assert len(after.contenders(place)) == len(before.contenders(place))
        same = list(after.of(place, name) for name in after.contenders(place)) == list(
            before.of(place, name) for name in before.contenders(place)
        )
        assert same == (place[0] != "project")


def record(contender, kind, seconds, peak, work="a", dtype="float32", **more):
    return {
        **{"experiment": "extract", "part": "extract", "work": work, "dtype": dtype},
        **{"title": "a signal", "at": "2026-01-01 10:00", "load": 0.1, "commit": "abc"},
        **{"windows": 1000, "features": 10, "contender": contender, "kind": kind},
        **{"seconds": seconds, "peak_mb": peak, "together_mb": peak, "resident_mb": peak},
        **more,
    }


def test_targets_are_judged_by_paired_runs(tmp_path):
    runs = [
        record(name, kind, seconds, 20.0)
        for pair in ((1.0, 0.9), (2.0, 1.8), (9.0, 0.9))
        for name, kind, seconds in zip(
            ("memwave extract", "copying ready-made rows into maps"),
            ("memwave", "floor"),
            pair,
            strict=True,
        )
    ]
    runs.append(record("loop over windows", "rival", 4.0, 20.0))
    runs.append(record("memwave extract", "memwave", 1.0, 20.0, dtype="float16"))
    runs.append(record("memwave extract", "memwave", 13.0, 20.5, "c", "float16"))
    size = {"name": "full", "components": 5, "tenfold": 10, "other_batches": []}
    machine = {"date": "", "processor": "", "cores": 2, "memory_gb": 1, "system": ""}
    skipped = [{"work": "b", "dtype": "float16", "message": "no disk"}]
    data = {"machine": {**machine, "versions": {}}, "size": size, "skipped": skipped, "runs": runs}
    (tmp_path / "report.json").write_text(json.dumps(data))
    run("--report", "--output", tmp_path / "report.md")
    text = (tmp_path / "report.md").read_text()
    aims, *_, scaling, moments = tables(text)
    assert "Work b, float16, skipped: no disk." in text
    assert [row[:3] for row in moments[2:]] == [
        ["extract", "a", "float32"],
        ["extract", "a", "float16"],
        ["extract", "c", "float16"],
    ]
    assert aims[2][1:] == ["0.90", "yes"]  # the median of 0.9, 0.9 and 0.1
    assert aims[3][1:] == ["2.00", "**no**"]  # 4 s against a median of 2 s
    assert aims[4][1:] == ["not measured", "-"]
    assert scaling[2] == ["memwave extract", "1", "13", "1.30", "20", "20"]


def test_paired_ratio_is_a_median_of_ratios():
    runs = [record(name, "rival", s, 1.0) for name, s in zip("ABAB", (1, 2, 30, 3), strict=True)]
    figures = Figures({"machine": {}, "size": {}, "skipped": [], "runs": runs})
    assert figures.ratio(("extract", "a", "float32"), "A", "B") == pytest.approx((0.5 + 10) / 2)


def test_judge_knows_a_missed_component(tmp_path):
    rows = np.random.default_rng(0).standard_normal((300, 8)) * np.arange(1, 9)
    np.save(tmp_path / "rows.npy", rows)
    write_reference([str(tmp_path / "rows.npy")], 3, str(tmp_path / "reference.npz"))
    reference = Reference(tmp_path / "reference.npz")
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    values, components = values[::-1], vectors.T[::-1]

    def judge(kept):
        np.savez(
            tmp_path / "model.npz", components=components[kept], explained_variance=values[kept]
        )
        return reference.judge(tmp_path / "model.npz")

    assert all(abs(value) < 1e-6 for value in judge([0, 1, 2]).values())
    missed = judge([0, 1, 3])
    assert missed["lost_cosine"] == pytest.approx(1 / 3)
    assert missed["angle"] == pytest.approx(90)
    assert missed["eigenvalue_error"] == pytest.approx(1 - values[3] / values[2])
    assert missed["lost"] == pytest.approx((values[2] - values[3]) / values[:3].sum())


def test_signal_begins_the_same_at_any_length(tmp_path):
    long = np.concatenate(list(signal(2 * CHUNK + 10, 3, 5)))
    short = np.concatenate(list(signal(CHUNK + 1, 3, 5)))
    assert (short == long[: len(short)]).all()
    assert not (long[:1000] == np.concatenate(list(signal(1000, 3, 6)))).any()
    write_recording(tmp_path / "x.npy", CHUNK + 1, 3, 5)
    assert (np.load(tmp_path / "x.npy") == short).all()


def test_job_in_a_process_of_its_own(tmp_path):
    job = Job("textwrap.shorten", {"text": "a  b", "width": 9})
    measured = measure([[job, job], [job]], tmp_path)
    assert measured.answers == ["a b"] * 3
    with pytest.raises(JobFailed, match=r"(?s)textwrap\.shorten.*TypeError"):
        measure([[Job("textwrap.shorten", {"text": "a"})]], tmp_path)


def test_a_workflow_that_stores_no_features_is_measured(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "unstored.py"), "--windows", "3000", "--keep"]
    done = subprocess.run(
        [*command, "--scratch", tmp_path], capture_output=True, text=True, check=True
    )
    assert "3,000 windows of 3504 features" in done.stdout
    for stage in ("summarize_lags", "fit_model", "project_recordings", "write_projection"):
        assert stage in done.stdout
    (projection,) = (tmp_path / "results").rglob("projection.h5")
    with h5py.File(projection) as file:
        assert file["scores"].shape == (3000, 50)
    assert not list((tmp_path / "results").rglob("*.npy"))


def write_results(folder, value=1.0, provenance="one", *, more=False, seconds="1.5", text="as is"):
    """Results as a run leaves them, some of which differ from run to run."""
    (folder / "usage").mkdir(parents=True)
    (folder / "usage/fit.json").write_text(seconds)
    np.save(folder / "features.npy", np.array([[0.0, 1.0], [2.0, value]], dtype=np.float32))
    with h5py.File(folder / "model.h5", "w") as file:
        scores = file.create_dataset(
            "scores", data=np.array([[1.0], [2.0], [value]]), chunks=(1, 1)
        )
        scores.attrs["description"] = text
        file.create_dataset("component", data=[1]).make_scale()
        scores.dims[1].attach_scale(file["component"])
        file.attrs["provenance"] = provenance
        if more:
            file["more"] = 1
    (folder / "summary.tsv").write_text(f"windows\tfit_seconds\n{value}\t{seconds}\n")
    return folder


def test_results_of_two_versions_are_compared(tmp_path):
    one = write_results(tmp_path / "one")
    same = write_results(tmp_path / "same", provenance="another, longer " * 99, seconds="2")
    counts, differences = compare(one, same, IGNORED)
    assert (counts["same bytes"], counts["same content"], differences) == (1, 2, [])
    other = write_results(tmp_path / "other", value=-1.0, more=True, text="changed")
    (other / "new.npy").write_bytes(b"")
    counts, differences = compare(one, other, IGNORED)
    assert counts["different"] == 4
    assert differences == [
        "features.npy: row 1",
        "model.h5: more is only in the working tree",
        "model.h5: attribute description of scores is 'changed', expected 'as is'",
        "model.h5: scores, row 2",
        "new.npy: only in the working tree",
        "summary.tsv: column windows is ['-1.0'], expected ['1.0']",
    ]
    _, differences = compare(one, other, [*IGNORED, "*.npy", "model.h5", "windows"])
    assert differences == []
