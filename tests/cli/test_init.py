"""``memwave init``: what it writes can be run as it is."""

import os
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml

from memwave.cli import main
from memwave.workflow.planning.plan import make_plan

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(200, 6)).astype("float32")
    rows.tofile("x.mmap")
    for name in ("a", "b"):
        np.save(f"{name}.npy", rows)
    return tmp_path


def written(name="mine"):
    with open(f"{name}.yaml", encoding="utf-8") as file:
        config = yaml.safe_load(file)
    return config, make_plan(config)


def test_a_raw_matrix(folder, capsys):
    assert main(["init", "x.mmap", "--dtype", "float32", "--columns", "6"]) == 0
    config, plan = written()
    wanted = {"matrix": str(folder / "x.mmap"), "dtype": "float32", "columns": 6}
    assert config["datasets"]["mine"] == wanted
    assert plan.matrices["mine"].n_features == 6
    command = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert command[-4:] == ["--cores", "4", "--configfile", "mine.yaml"]
    assert Path(command[command.index("--snakefile") + 1]).samefile(ROOT / "Snakefile")
    assert not (folder / "mine.tsv").exists()


def test_parts_of_a_matrix(folder, monkeypatch):
    assert main(["init", "a.npy", "b.npy", "--name", "both"]) == 0
    config, _ = written("both")
    (folder / "memwave").mkdir()
    monkeypatch.chdir("memwave")  # where the next command is typed
    plan = make_plan(config)
    assert [part.name for part in plan.recordings["both"]] == ["a", "b"]
    assert sum(part.rows for part in plan.recordings["both"]) == 400


def test_paths_in_the_folder_of_the_workflow_stay_as_they_are(folder):
    (folder / "Snakefile").touch()
    assert main(["init", "a.npy", "b.npy", "--name", "both"]) == 0
    assert written("both")[0]["datasets"]["both"] == {"matrix": "both.tsv"}
    assert "\ta.npy\t" in (folder / "both.tsv").read_text()


def test_the_next_command_can_be_typed(folder, capsys):
    assert main(["init", "a.npy", "-o", "my results"]) == 0
    command = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(command)[-1] == "my results/mine.yaml"


def test_an_installed_package_names_a_clone(folder, capsys, monkeypatch):
    elsewhere = folder / "lib/python/site-packages/memwave/cli/init.py"
    monkeypatch.setattr("memwave.cli.init.__file__", str(elsewhere))
    assert main(["init", "a.npy"]) == 0
    told, command = capsys.readouterr().out.splitlines()[-2:]
    assert told.endswith("Next, in a clone of memwave:")
    config = str(folder / "mine.yaml")
    assert shlex.split(command) == [".venv/bin/snakemake", "--cores", "4", "--configfile", config]
    assert written()[0]["datasets"]["mine"]["matrix"] == str(folder / "a.npy")


def test_recordings(folder):
    assert main(["init", "a.npy", "b.npy", "--window", "16"]) == 0
    config, plan = written()
    assert config["datasets"]["mine"]["channels"] == [f"channel{i}" for i in range(1, 7)]
    assert config["features"]["haar"]["window"] == 16
    assert len(plan.recordings["mine"]) == 2


def test_channels_rates_and_units_are_those_of_the_file(folder):
    edf = pytest.importorskip("pyedflib")
    labels = ("C3", "C4")
    header = {"dimension": "uV", "sample_frequency": 100, "physical_min": -9, "physical_max": 9}
    header |= {"digital_min": -32768, "digital_max": 32767, "transducer": "", "prefilter": ""}
    with edf.EdfWriter("night.edf", 2) as file:
        file.setSignalHeaders([{"label": label, **header} for label in labels])
        file.writeSamples([np.sin(np.arange(1000.0)), np.cos(np.arange(1000.0))])
    assert main(["init", "night.edf", "--window", "50"]) == 0
    found = written()[0]["datasets"]["mine"]
    assert found["channels"] == ["C3", "C4"]
    assert found["sampling_rate"] == 100
    assert found["units"] == {"C3": "uV", "C4": "uV"}


def test_texts_are_no_channels(folder, capsys):
    pytest.importorskip("pyarrow")
    lines = [f"{i / 50},{i % 7},{i % 5},walk" for i in range(200)]
    (folder / "day.csv").write_text("\n".join(["time,ax,ay,activity", *lines]) + "\n")
    assert main(["init", "day.csv", "--window", "16"]) == 0
    assert written()[0]["datasets"]["mine"]["channels"] == ["time", "ax", "ay"]
    told = capsys.readouterr().err
    assert 'left out "activity", which hold no numbers' in told
    assert "day.csv::activity" in told


def test_a_table_is_a_matrix(folder):
    pytest.importorskip("pyarrow")
    (folder / "t.csv").write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(30)))
    assert main(["init", "t.csv"]) == 0
    config, plan = written()
    assert config["datasets"]["mine"] == {"matrix": str(folder / "t.csv")}
    assert plan.recordings["mine"][0].rows == 30


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("t.csv", "a;b\n1,5;2,5\n", ["--window", "1"], "If decimals have commas"),
        ("t.csv", "a,b\nx,1\n", [], "Remove columns that are not numbers"),
        ("t.txt", "a,b\n2,1\n", [], "Save the table as .csv; or give --window"),
    ],
)
def test_tables_that_cannot_be_run(folder, name, text, options, message, capsys):
    pytest.importorskip("pyarrow")
    (folder / name).write_text(text)
    assert main(["init", name, *options]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.mmap"], "does not state its shape. Give dtype and columns"),
        (["x.mmap", "--window", "9"], "Give --dtype and --columns"),
        (["a.npy", "--window", "201"], "as long as a window of 201 rows"),
        (["gone.npy"], "gone.npy: No such file"),
        (["a.npy", "-o", "b.npy"], "cannot be made a folder"),
        (["a.npy", "b\tc.npy"], "a sheet cannot have this path"),
        ([os.fsdecode(b"donn\xe9es.npy")], "expected UTF-8"),
    ],
)
def test_what_cannot_be_run_is_not_written(folder, arguments, message, capsys):
    before = sorted(folder.iterdir())
    assert main(["init", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_nothing_is_overwritten(folder, capsys):
    assert main(["init", "a.npy"]) == 0
    assert main(["init", "b.npy"]) == 1
    assert "mine.yaml: is there already" in capsys.readouterr().err
