"""A model that is fitted and applied in one configuration, in one run, before and after an edit."""

import json

import h5py
from tiny_project import Project

FITTED = "results/toy/deep/exact/model.h5"


def test_an_edit_of_the_fit_is_in_the_provenance_at_once(tmp_path):
    project = Project(tmp_path / "run", ["exact"])
    config = project.config
    config["features"]["again"] = config["features"]["deep"] | {"step": 5}
    config["models"]["old"] = {"apply": FITTED}
    config["experiments"].append({"dataset": "toy", "features": "again", "model": "old"})
    folder = project.folder / "results/toy/again/old"
    for n_components in (4, 3):
        config["models"]["exact"]["n_components"] = n_components
        project.write_config()
        ended = project.snakemake("--cores", "2")
        assert ended.returncode == 0, ended.stderr
        provenance = json.loads((folder / "provenance.json").read_text())
        model = provenance["configuration"]["models"]["old"]
        assert (model["apply"], model["n_components"]) == (FITTED, n_components)
        with h5py.File(folder / "projection.h5") as file:
            assert file["scores"].shape[1] == n_components
        assert (folder / "model.h5").read_bytes() == (project.folder / FITTED).read_bytes()
    assert project.planned() == set()
