"""Every code block of the documentation is run by a test, or is named here with the reason.

Commands of all pages, also of those that cannot be run here, have the options that the programs
take. Blocks that no other test runs are run here.
"""

import argparse
import re
import shlex
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from clone import blocks

import memwave
from memwave.cli import COMMANDS
from memwave.workflow.config import settings

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")),
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
BLOCK = re.compile(r"^ *```(python|console|yaml|r|octave)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
KINDS = sorted({(page, found[1]) for page, text in PAGES.items() for found in BLOCK.finditer(text)})

# Where the blocks of a page in a language are run, as they stand.
RUN = {
    ("README.md", "python"): "documents/test_readme.py",
    ("config/README.md", "yaml"): "workflow/test_settings.py",
    ("docs/add-recordings.md", "console"): "documents/test_how_to.py",
    ("docs/bring-edf.md", "console"): "documents/test_how_to.py",
    ("docs/bring-edf.md", "yaml"): "documents/test_how_to.py",
    ("docs/choosing-components.md", "python"): "documents/test_statistics_pages.py",
    ("docs/choosing-components.md", "yaml"): "documents/test_how_to.py",
    ("docs/deploy.md", "python"): "runs/test_elsewhere.py",
    ("docs/faq.md", "console"): "documents/test_faq.py",
    ("docs/faults.md", "console"): "documents/test_how_to.py",
    ("docs/faq.md", "yaml"): "documents/test_snippets.py",
    ("docs/files.md", "python"): "documents/test_snippets.py",
    ("docs/first-run.md", "yaml"): "documents/test_how_to.py",
    ("docs/from-incrementalpca.md", "python"): "documents/test_snippets.py",
    ("docs/growing-datasets.md", "python"): "documents/test_growing_datasets.py",
    ("docs/growing-datasets.md", "yaml"): "documents/test_growing_datasets.py",
    ("docs/index.md", "python"): "documents/test_how_to.py",
    ("docs/monitoring.md", "python"): "documents/test_snippets.py",
    ("docs/monitoring.md", "yaml"): "documents/test_snippets.py",
    ("docs/opening.md", "python"): "documents/test_readme.py",
    ("docs/tutorial.md", "console"): "documents/test_tutorial.py",
    ("docs/use-in-python.md", "python"): "documents/test_how_to.py",
    ("docs/using-models.md", "console"): "documents/test_using_models.py",
    ("docs/using-models.md", "python"): "documents/test_using_models.py",
    ("docs/using-models.md", "yaml"): "documents/test_using_models.py",
}
# Of these, only the commands are checked.
NOT_RUN = {
    ("README.md", "console"): "installs and runs all: the gate does both",
    ("CONTRIBUTING.md", "console"): "the test suite itself",
    ("docs/batch-size.md", "console"): "eleven models of all recordings: a check plans them",
    ("docs/deploy.md", "console"): "needs podman; runs/test_elsewhere.py runs the example",
    ("docs/first-cluster.md", "console"): "needs SLURM: tests/hpc",
    ("docs/first-run.md", "console"): "installs and runs all: the gate does both",
    ("docs/hpc.md", "console"): "needs SLURM: tests/hpc",
    ("docs/hpc.md", "yaml"): "partitions of some cluster",
    ("docs/memory.md", "console"): "shows a log: the words of a log are compared",
    ("docs/opening.md", "r"): "needs R and hdf5r: names in the files are checked",
    ("docs/opening.md", "octave"): "needs Octave: names in the files are checked",
    ("docs/opening.md", "console"): "needs the tools of HDF5: names in the file are checked",
    ("docs/scaling-channels.md", "console"): "needs recordings that are not here",
}


def test_every_block_is_run_or_there_is_a_reason():
    assert sorted({*RUN, *NOT_RUN}) == KINDS
    assert not RUN.keys() & NOT_RUN.keys()


@pytest.mark.parametrize(("page", "language"), RUN)
def test_a_test_reads_the_page_whose_blocks_it_runs(page, language):
    source = (ROOT / "tests" / RUN[page, language]).read_text(encoding="utf-8")
    assert Path(page).name in source


def commands():
    """All commands of consoles, lines that are continued joined, without comments."""
    for page, text in PAGES.items():
        for found in BLOCK.finditer(text):
            if found[1] == "console":
                joined = found[2].replace("\\\n", " ")
                for line in re.findall(r"^ *\$ (.*)$", joined, re.MULTILINE):
                    yield page, shlex.split(line, comments=True)


def words_after(program):
    """Arguments of a program in all commands."""
    for page, words in commands():
        for i, word in enumerate(words):
            if Path(word).name == program and words[0] not in ("cat", "podman", "scancel"):
                yield page, words[i + 1 :]


def test_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE)) | {".venv/run.stamp"}
    used = [
        (page, word) for page, words in words_after("make") for word in words if "=" not in word
    ]
    assert len(used) > 5
    assert [(page, word) for page, word in used if word not in targets] == []


def test_snakemake_takes_the_options(monkeypatch):
    from snakemake.cli import get_argument_parser

    parser = get_argument_parser()
    files = []
    for page, words in words_after("snakemake"):
        if "cluster-generic" in words:  # a plugin that is not installed
            continue
        given = parser.parse_args(words)
        files += [(page, str(file)) for file in given.configfile or () if file.parts[0] == "config"]
    assert files
    assert [file for _, file in files if not (ROOT / file).exists()] == []


def test_memwave_takes_the_options():
    used = list(words_after("memwave"))
    assert used
    for _, words in used:
        if words and words[0] in COMMANDS:
            parser = argparse.ArgumentParser(exit_on_error=False)
            import_module(f"memwave.cli.{words[0]}").add_arguments(parser)
            parser.parse_args(words[1:])


def test_configurations_are_valid():
    config = {
        "datasets": {"a": {"recordings": "a.tsv", "channels": ["x"]}},
        "features": {"f": {"window": 4}},
        "models": {"m": {"solver": "covariance", "n_components": 1}},
        "experiments": [{"dataset": "a", "features": "f", "model": "m"}],
    }
    for page in ("docs/faq.md", "docs/monitoring.md"):
        for block in blocks(PAGES[page], "yaml"):
            keys = yaml.safe_load(block)
            found = settings.complete(config | keys)
            assert {key: found[key] for key in keys} == keys


# Files of the repository in commands.
OWN_FILE = re.compile(r"(?:config|envs|examples|profiles|resources|scripts)/[\w./-]+")


def test_files_in_commands_exist():
    used = [
        (page, word)
        for page, words in commands()
        for word in words
        if OWN_FILE.fullmatch(word) and page != "CONTRIBUTING.md"
    ]
    assert len({page for page, _ in used}) > 3
    assert [(page, word) for page, word in used if not (ROOT / word).exists()] == []


def test_a_log_reads_as_the_page_shows(tiny_results):
    (shown,) = blocks(PAGES["docs/memory.md"], "console")
    found = (tiny_results / "logs/fit_model/hapt/haar/exact.log").read_text(encoding="utf-8")

    def words(text):
        return [re.sub(r"[\d.]+", "0", line) for line in text.splitlines() if " INFO " in line]

    assert len(words(shown)) == 2
    assert words(found)[-2:] == words(shown)


@pytest.mark.parametrize(
    ("language", "names"),
    [("r", r'\[\["(\w+)"\]\]'), ("octave", r'"(scores|label)"'), ("console", r" -d /(\w+)")],
)
def test_other_programs_open_names_that_files_have(tiny_results, language, names):
    (block,) = blocks(PAGES["docs/opening.md"], language)
    known = {}
    for name in ("projection.h5", "model.h5"):
        with h5py.File(tiny_results / "results/hapt/haar/exact" / name) as file:
            known |= {**dict.fromkeys(file), **dict.fromkeys(file.attrs)}
    opened = re.findall(names, block) + re.findall(r'h5attr\(model, "(\w+)"', block)
    assert opened
    assert set(opened) <= set(known)
    assert {f"results/hapt/haar/exact/{name}" for name in ("projection.h5", "model.h5")} >= set(
        re.findall(r"results/[\w./]+", block)
    )


def test_rows_are_monitored(tiny_results, monkeypatch, capsys):
    monkeypatch.chdir(tiny_results)
    random = np.random.default_rng(0)
    for name in ("ordinary", "today"):
        np.save(f"{name}.npy", random.normal(size=(400, 40)) * np.arange(1, 41))
    known: dict = {}
    for snippet in blocks(PAGES["docs/monitoring.md"], "python"):
        exec(snippet, known)
    found = known["found"]
    assert len(found.hotelling_t2) == len(found.spe) == 400
    assert 0 < (found.above_spe > 1).sum() < 100
    assert capsys.readouterr().out.count("% of SPE") == 5


def test_features_are_opened(tiny_results, monkeypatch):
    monkeypatch.chdir(tiny_results)
    known: dict = {}
    for snippet in blocks(PAGES["docs/files.md"], "python"):
        exec(snippet, known)
    with h5py.File("results/hapt/haar/exact/projection.h5") as file:
        assert len(known["features"]) == len(file["scores"])


def test_a_matrix_is_given_as_the_page_on_incrementalpca_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(80, 3504)).astype("float16")
    rows.tofile("my_array.mmap")
    known: dict = {}
    for snippet in blocks(PAGES["docs/from-incrementalpca.md"], "python"):
        if "memwave" in snippet:  # the first is the loop that runs out of memory
            exec(snippet, known)
    assert isinstance(known["pca"], memwave.PCA)
    assert known["scores"].shape == (80, 50)
