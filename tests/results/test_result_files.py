"""docs/files.md describes the files that the workflow writes, completely."""

import csv
import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from memwave.recordings.channels import COLUMNS

DOCUMENT = (Path(__file__).parents[2] / "docs/files.md").read_text(encoding="utf-8")
MODEL = "results/hapt/haar/exact/model.h5"
PROJECTION = "results/hapt/haar/exact/projection.h5"


def described(file, kind):
    """Rows of the table about `kind` in the section about a file: name to other cells."""
    sections = re.findall(
        r"^## `?([^`\n]+)`?\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL
    )
    section = next(text for title, text in sections if title.endswith(file))
    table = re.search(rf"^\| {kind} \|.*\n\|[-|]+\n((?:\|.*\n)+)", section, re.MULTILINE)[1]
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
    return {name: cells for names, *cells in rows for name in re.findall(r"`([^`]+)`", names)}


@pytest.mark.parametrize("path", [MODEL, PROJECTION])
def test_datasets_and_attributes(path, tiny_results):
    datasets, attributes = (described(Path(path).name, kind) for kind in ("dataset", "attribute"))
    with h5py.File(tiny_results / MODEL) as model, h5py.File(tiny_results / PROJECTION) as file:
        (k, d), n = model["components"].shape, len(file["scores"])
        opened = model if Path(path).name == "model.h5" else file
        lengths = {"k": k, "d": d, "n": n, "r": 3, "c": 6}
        assert len(set(lengths.values())) == 5
        lengths |= {"l": len(opened["limit_level"]), "s": 2, "3": 3, "m": k}
        always = {
            name for name, (_, _, why) in datasets.items() if not re.search("only (if|with)", why)
        }
        assert always <= set(opened) <= set(datasets)
        assert set(opened.attrs) == set(attributes)
        for name in opened:
            shape, dtype, _ = datasets[name]
            if dtype == "as `scores`":
                dtype = kind_of(opened["scores"].dtype)
            assert opened[name].shape == tuple(lengths[s] for s in re.findall(r"\w", shape)), name
            assert kind_of(opened[name].dtype) == dtype, name


def kind_of(dtype):
    if dtype.names:
        assert dtype.names == ("channels", "band", "position")
        return "compound"
    return "text" if h5py.check_string_dtype(dtype) else str(dtype)


def test_columns_of_the_summary(tiny_results):
    with open(tiny_results / "results/summary.tsv", encoding="utf-8", newline="") as file:
        found = csv.DictReader(file, delimiter="\t").fieldnames
    named = list(described("summary.tsv", "column"))
    stages = re.findall(r"`(\w+)`", re.search(r"Stages are .*?\.", DOCUMENT, re.DOTALL)[0])
    plain = [name for name in named if not name.startswith("<stage>")]
    of_stages = [name for name in named if name.startswith("<stage>")]
    assert found[: len(plain)] == plain
    known = {name.replace("<stage>", stage) for stage in stages for name in of_stages}
    usual = {f"{stage}_seconds" for stage in ("extract_features", "fit_model", "write_projection")}
    assert usual <= set(found[len(plain) :]) <= known  # other stages did not run


def test_columns_of_the_channels():
    assert list(described("channels.tsv", "column")) == [*COLUMNS, "remark"]


def test_keys_of_the_usage(tiny_results):
    files = sorted(tiny_results.glob("results/hapt/haar/**/usage/**/*.json"))
    assert files
    for path in files:
        assert list(json.loads(path.read_text())) == list(described("usage/*.json", "key"))


def test_keys_of_the_provenance(tiny_results):
    for path in tiny_results.glob("results/hapt/haar/*/provenance.json"):
        assert list(json.loads(path.read_text())) == list(described("provenance.json", "key"))


def test_rows_of_the_shard(tiny_results):
    total = len(np.load(tiny_results / "results/hapt/haar/features/1-of-1.npy", mmap_mode="r"))
    with h5py.File(tiny_results / PROJECTION) as file:
        assert len(file["scores"]) == total
