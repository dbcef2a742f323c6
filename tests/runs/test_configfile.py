"""A configuration that is given stands alone, and gives the same bytes in every folder."""

import yaml
from tiny_project import Project

# A demo with the same names as the user's configuration, and other values.
DEMO = {
    "models": {"exact": {"solver": "incremental", "n_components": 2, "batch_rows": 9}},
    "shards": 3,
    "score_dtype": "float64",
}


def run(project, *arguments):
    done = project.snakemake(*arguments)
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def test_the_same_bytes_in_any_folder(tmp_path):
    """Beside a demo and without one, with a configuration in one file and in two."""
    here, there = (Project(tmp_path / name, ["exact"]) for name in ("here", "there"))
    own = here.config
    (here.folder / "my.yaml").write_text(yaml.safe_dump(own))
    demo = {**own, **DEMO, "features": {"deep": {**own["features"]["deep"], "dtype": "float16"}}}
    (here.folder / "config/config.yaml").write_text(yaml.safe_dump(demo))
    run(here, "--cores", "2", "--configfile", "my.yaml")

    (there.folder / "config/config.yaml").unlink()
    first = {key: value for key, value in own.items() if key != "models"}
    (there.folder / "first.yaml").write_text(yaml.safe_dump(first))
    (there.folder / "second.yaml").write_text(yaml.safe_dump({"models": own["models"]}))
    run(there, "--cores", "1", "--configfile", "first.yaml", "second.yaml")

    assert here.results() == there.results()
    assert here.result("features/1-of-2.npy").exists()


def test_the_demo_runs_where_no_configuration_is_given(tmp_path):
    project = Project(tmp_path / "project", ["exact"])
    assert project.planned()
    without = {key: value for key, value in project.config.items() if key != "experiments"}
    (project.folder / "my.yaml").write_text(yaml.safe_dump(without))
    done = project.snakemake("--dry-run", "--configfile", "my.yaml")
    assert done.returncode != 0
    assert "experiments" in done.stderr
    more = project.snakemake("--dry-run", "--config", "shards=3")
    assert "3-of-3" in more.stdout + more.stderr
