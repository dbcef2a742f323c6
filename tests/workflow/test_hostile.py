"""Hostile configurations and recordings: refused, nothing executed, no memory and no time lost."""

import os
import re

import h5py
import numpy as np
import pytest
import yaml
from oracles import make_spec
from stages import run_stage
from tiny_project import Project

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.readers import open_array
from memwave.recordings.segments import PlannedRecording, Segment
from memwave.workflow.config.settings import complete
from memwave.workflow.requests.features import Extraction


def bomb(kind):
    """Ten to the ninth entries in a few hundred bytes of YAML."""
    text = "a0: &a0 [x]\n"
    for i in range(1, 10):
        aliases = [f"*a{i - 1}"] * 10
        if kind == "mapping":
            inner = "{" + ", ".join(f"k{j}: {alias}" for j, alias in enumerate(aliases)) + "}"
        else:
            inner = f"[{', '.join(aliases)}]"
        text += f"a{i}: &a{i} {inner}\n"
    return yaml.safe_load(text)["a9"]


@pytest.mark.parametrize("kind", ["list", "mapping"])
@pytest.mark.parametrize("key", ["datasets", "features", "models", "experiments", "anything"])
def test_aliases_of_aliases_are_not_followed_for_ever(key, kind):
    with pytest.raises(ConfigurationError, match="more than 100,000 entries"):
        complete({key: bomb(kind)})


def test_nothing_in_a_configuration_is_executed(tmp_path):
    project = Project(tmp_path / "project", ["exact"])
    config = project.folder / "config/config.yaml"
    command = f"touch {tmp_path}/executed"
    for line in (
        f"shards: !!python/object/apply:os.system ['{command}']",
        f'datasets: {{toy: {{recordings: "; {command}", channels: [x]}}}}',
        f'shards: "$({command})"',
    ):
        key = line.partition(":")[0]
        kept = {k: v for k, v in project.config.items() if k != key}
        config.write_text(yaml.safe_dump(kept) + line + "\n")
        done = project.snakemake("--dry-run", "--cores", "1")
        assert done.returncode != 0
        assert not (tmp_path / "executed").exists()


def test_a_path_is_not_a_command(tmp_path):
    project = Project(tmp_path / "project", ["exact"])
    hostile = "a 'b' $(touch executed); touch executed & .npy"
    os.rename(project.folder / "recordings/monday.npy", project.folder / "recordings" / hostile)
    sheet = project.folder / "config/toy.tsv"
    sheet.write_text(sheet.read_text().replace("monday.npy", hostile))
    done = project.snakemake("--cores", "2", "results/toy/deep/features/1-of-2.npy")
    assert done.returncode == 0, done.stderr[-4000:]
    assert project.result("features/1-of-2.npy").exists()
    assert not list(tmp_path.rglob("executed*"))


@pytest.mark.parametrize("shape", ["(10**18, 3)", "(1000000000000000, 3)", "(3, -1)", "(True, 3)"])
def test_a_header_promises_what_it_will(tmp_path, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    with pytest.raises(MemwaveError, match=r"a\.npy: "):
        open_array(str(path))


def test_a_huge_dataset_with_nothing_in_it_fills_neither_memory_nor_disk(tmp_path):
    rows = 10**12
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (rows, 3), "f4", chunks=(1000, 3))
    spec = make_spec(window=20, channels=3, dtype="float32")
    recording = PlannedRecording("huge", f"{tmp_path}/a.h5::/x", None, rows)
    request = Extraction(spec, (Segment(recording, 0, rows - 19, 0),), block_rows=1000)
    files = {"shard": tmp_path / "shard.npy"}
    ended = run_stage("extract_features", tmp_path, request, memory_mb=300, **files)
    assert ended.status == 1
    assert "shard.npy: " in ended.told
    assert re.search(r"need(s|ed)? [\d,]+ bytes", ended.told), ended.told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5"]
    assert np.prod((rows, 3)) > os.path.getsize(tmp_path / "a.h5")
