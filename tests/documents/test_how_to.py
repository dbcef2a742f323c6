"""The pages with one task each do what they say, typed as they stand."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from clone import PATIENCE, blocks, like_a_clone, type_in, with_results
from installed import as_installed
from started import run_snakemake

from memwave.workflow.config.grids import expand_grids
from memwave.workflow.config.settings import model_findings
from memwave.workflow.planning.plan import make_plan

DOCS = Path(__file__).parents[2] / "docs"
RATE, SECONDS = 100, 60
CHANNELS = ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal"]


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def write_night(path, seed):
    """Write an EDF+ file of one minute with three channels and two annotated sleep stages."""
    edf = pytest.importorskip("pyedflib")
    header = {
        **{"dimension": "uV", "sample_frequency": RATE, "physical_min": -500.0},
        **{"physical_max": 500.0, "digital_min": -32768, "digital_max": 32767},
        **{"transducer": "", "prefilter": ""},
    }
    writer = edf.EdfWriter(str(path), len(CHANNELS), file_type=edf.FILETYPE_EDFPLUS)
    for number, label in enumerate(CHANNELS):
        writer.setSignalHeader(number, header | {"label": label})
    random = np.random.default_rng(seed)
    writer.writeSamples([20 * random.normal(size=RATE * SECONDS) for _ in CHANNELS])
    writer.writeAnnotation(0, SECONDS / 2, "Sleep stage 2")
    writer.writeAnnotation(SECONDS / 2, SECONDS / 2, "Sleep stage 3")
    writer.close()


def test_edf_files_are_analysed(tmp_path):
    for seed, name in enumerate(("night1.edf", "night2.edf")):
        write_night(tmp_path / name, seed)
    type_in(like_a_clone(tmp_path), page("bring-edf.md"))
    (dataset,) = yaml.safe_load((tmp_path / "sleep.yaml").read_text())["datasets"].values()
    assert dataset["channels"] == CHANNELS
    assert dataset["sampling_rate"] == RATE
    chosen = yaml.safe_load(blocks(page("bring-edf.md"), "yaml")[0])["channels"]
    assert set(chosen) < set(CHANNELS)
    results = tmp_path / "results/sleep/haar/pca"
    with h5py.File(results / "projection.h5") as file:
        assert set(file["label_names"].asstr()[:]) == {"Sleep stage 2", "Sleep stage 3"}
        assert set(file["split"][:]) == {0, 1}
    assert (results / "plots/components.svg").exists()


def test_python_is_run_in_order(tiny_results, tmp_path):
    folder = with_results(tiny_results, tmp_path / "clone")
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            "\n".join(blocks(page("use-in-python.md"), "python")),
        ],
        cwd=folder,
        env=os.environ | as_installed(folder / "bin"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "n_components" in done.stdout.splitlines()[-1]  # the error of the last example


def test_recordings_are_added(tiny_results, tmp_path):
    folder = with_results(tiny_results, tmp_path / "clone")
    project, add = re.split(r"^## Add them", page("add-recordings.md"), flags=re.MULTILINE)
    type_in(folder, project)
    with h5py.File(folder / "new.h5") as file:
        assert len(file["scores"])
    with open(folder / "sheet.tsv", encoding="utf-8", newline="") as sheet:
        rows = list(csv.DictReader(sheet, delimiter="\t"))
    with open(folder / "sheet.tsv", "a", encoding="utf-8") as sheet:
        sheet.write("\t".join((rows[0] | {"recording": "again"}).values()) + "\n")
    (command,) = re.findall(r"^\$ (make dry-run .*)$", add, re.MULTILINE)
    (folder / "my.yaml").write_bytes((folder / "config.yaml").read_bytes())
    planned = type_in(folder, f"```console\n$ {command}\n```\n")
    for rule in ("extract_features", "fit_model", "write_projection"):
        assert rule in planned


def test_a_folder_is_unlocked(tiny_results, tmp_path):
    """What a run that was killed leaves keeps others out, until the commands are typed."""
    folder = with_results(tiny_results, tmp_path / "clone")
    (text,) = (block for block in blocks(page("faults.md"), "console") if "--unlock" in block)
    unlock, again = (
        command.partition("#")[0] for command in re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    )
    locks = folder / ".snakemake/locks"
    locks.mkdir(parents=True, exist_ok=True)
    for kind in ("input", "output"):
        (locks / f"0.{kind}.lock").write_text("results/summary.tsv\n")
    config = "--configfile config.yaml"  # "the options of the run that was killed"
    said = type_in(folder, f"```console\n$ {unlock} {config}\n$ {again} {config}\n```\n")
    assert "Nothing to be done" in said
    assert not list(locks.glob("*.lock"))


def test_a_grid_compares_numbers_of_components():
    grid, by_criterion = blocks(page("choosing-components.md"), "yaml")
    names = expand_grids(
        yaml.safe_load(grid) | {"experiments": [{"dataset": "d", "features": "f", "model": "pca"}]}
    )["models"]
    assert "pca-n_components-5" in page("choosing-components.md")
    assert list(names) == [f"pca-n_components-{count}" for count in (5, 10, 20, 50)]
    models = yaml.safe_load(by_criterion)["models"]
    assert list(models) == ["fixed", "share", "real"]
    assert not [finding for model in models.values() for finding in model_findings(model)]


def test_the_configuration_of_a_matrix_is_planned(tmp_path, monkeypatch):
    (block,) = blocks(page("first-run.md"), "yaml")
    np.save(tmp_path / "my_array.npy", np.random.default_rng(0).normal(size=(200, 60)))
    monkeypatch.chdir(tmp_path)
    assert make_plan(yaml.safe_load(block))


def test_the_first_run_prints_what_its_page_shows(tmp_path):
    folder = like_a_clone(tmp_path, "config", "resources")
    env = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    done = run_snakemake(["--dry-run"], folder, env, PATIENCE)
    assert done.returncode == 0, done.stderr[-4000:]
    shown, said = page("first-run.md"), done.stdout + done.stderr
    jobs, planned = (dict(re.findall(r"^(\w+) +(\d+)$", text, re.M)) for text in (shown, said))
    assert jobs == planned
    total = int(planned["total"])
    (first,) = re.findall(rf"^\[0 of {total} done\] (.*)$", shown, re.M)
    assert first in said
    assert f"\n{total} of {total} steps (100%) done" in shown
    experiments = planned["write_projection"]
    assert f"Done: {total - 1} jobs. {experiments} of {experiments} experiments" in shown


def test_the_first_page_shows_what_the_readme_shows():
    (block,) = blocks(page("index.md"), "python")
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert blocks(readme, "python")[0].startswith(block)
