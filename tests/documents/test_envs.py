"""pyproject.toml, the lock files and the conda environment agree; lock files name no place."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from locked import only_locked
from tiny_run import TINY_RUN

from memwave.pca.solvers import concrete_solvers, solver_module
from memwave.readers import readers
from memwave.workflow.code_digests import SCRIPTS, digests, module_file

ENVS = Path(__file__).parents[2] / "envs"
METADATA = tomllib.loads((ENVS.parent / "pyproject.toml").read_text(encoding="utf-8"))
REQUIRED = METADATA["project"]["dependencies"]
EXTRAS = METADATA["project"]["optional-dependencies"]
GROUPS = METADATA["dependency-groups"]

# Extras whose packages read recordings.
FORMATS = [extra for extra in EXTRAS if extra.startswith("formats")]
READING = [requirement for extra in FORMATS for requirement in EXTRAS[extra]]

# The lists of pyproject.toml that each lock file pins.
LOCKS = {
    "run.txt": [REQUIRED, EXTRAS["report"], EXTRAS["explore"]],
    **{f"{extra}.txt": [REQUIRED, EXTRAS[extra]] for extra in FORMATS},
    "docs.txt": [REQUIRED, GROUPS["docs"]],
    "fuzz.txt": [GROUPS["fuzz"]],
    "test.txt": [REQUIRED, EXTRAS["all"], GROUPS["test"]],
    "slurm.txt": [REQUIRED, EXTRAS["report"], EXTRAS["explore"], EXTRAS["slurm"]],
}

# Packages whose modules have another name.
IN_PROJECT = {"pywt": "pywavelets", "yaml": "pyyaml"}
PACKAGES = IN_PROJECT | {"soundfile": "pysoundfile"}

# Packages of conda that have another name.
IN_PIP = {"matplotlib-base": "matplotlib"}

# Packages that memwave imports only where they call it.
CALLERS = {"sklearn"}


def locked(name):
    """Version and count of hashes of every package in a lock file."""
    text = (ENVS / name).read_text(encoding="utf-8").replace("\\\n", " ")
    packages = {}
    for line in text.splitlines():
        package, version = re.match(r"([a-z0-9._-]+)==([^\s;]+)", line).groups()
        assert package not in packages, f"{name} pins {package} twice"
        packages[package] = version, len(re.findall(r"--hash=sha256:[0-9a-f]{64}(?!\S)", line))
    return packages


def names_in(requirements):
    """Names of the packages in a list of pyproject.toml, those of our own extras included."""
    names = set()
    for requirement in requirements:
        name, extras = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", requirement.lower()).groups()
        if name == "memwave":
            names = names.union(*(names_in(EXTRAS[extra]) for extra in extras.split(",")))
        else:
            names.add(name)
    return names


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_hashes(name):
    packages = locked(name)
    assert packages
    assert not [package for package, (_, hashes) in packages.items() if not hashes]


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.txt")), ids=lambda path: path.name)
@pytest.mark.parametrize("address", ["http:", "://", "--index", "--extra-index", "--find-links"])
def test_lock_files_say_what_and_not_where_from(path, address):
    assert address not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["run.txt", *(f"{extra}.txt" for extra in FORMATS)])
def test_what_runs_is_what_is_tested(name):
    run, test = locked(name), locked("test.txt")
    assert run == {package: test.get(package) for package in run}


def test_what_runs_on_a_cluster_is_what_is_tested():
    cluster, test = locked("slurm.txt"), locked("test.txt")
    assert locked("run.txt").keys() <= cluster.keys()
    assert not [name for name in cluster.keys() & test.keys() if cluster[name] != test[name]]


@pytest.mark.parametrize("name", LOCKS)
def test_all_that_is_asked_for_is_locked(name):
    asked = set().union(*map(names_in, LOCKS[name]))
    assert asked
    assert asked <= set(locked(name))


def test_every_list_of_the_project_is_locked():
    all_names = set().union(*map(names_in, [REQUIRED, *EXTRAS.values(), *GROUPS.values()]))
    assert all_names == set().union(*(names_in(part) for lists in LOCKS.values() for part in lists))


def test_the_package_requires_all_that_it_imports():
    modules = (SCRIPTS / "memwave").rglob("*.py")
    imported = set().union(*map(top_level_imports, modules)) - sys.stdlib_module_names
    needed = {IN_PROJECT.get(name, name) for name in imported - CALLERS - {"memwave"}}
    for_formats = {name.split(".")[0] for module in readers() for name in module.LIBRARIES}
    assert needed - names_in(READING) == names_in(REQUIRED + EXTRAS["explore"])
    assert for_formats <= names_in(REQUIRED + READING)


def test_conda_installs_the_locked_versions():
    environment = yaml.safe_load((ENVS / "memwave.yaml").read_text(encoding="utf-8"))
    entries = (entry.split("=") for entry in environment["dependencies"])
    versions = {IN_PIP.get(name, name): version for name, version in entries}
    versions.pop("python")
    pinned = locked("run.txt")
    for extra in FORMATS:
        pinned |= locked(f"{extra}.txt")
    pinned["pysoundfile"] = pinned["soundfile"]
    assert versions == {package: pinned[package][0] for package in versions}
    wanted = names_in(REQUIRED + READING + EXTRAS["explore"])
    assert set(versions) == {PACKAGES.get(name, name) for name in wanted}


def test_conda_installs_all_that_the_jobs_import():
    text = (ENVS / "memwave.yaml").read_text(encoding="utf-8")
    names = (entry.split("=")[0] for entry in yaml.safe_load(text)["dependencies"])
    installed = {IN_PIP.get(name, name) for name in names}
    by_name = {module.__name__ for module in readers()}
    by_name |= {solver_module(name).__name__ for name in concrete_solvers()}
    imported = set()
    for script in SCRIPTS.glob("*.py"):
        if '"snakemake" in globals()' in script.read_text(encoding="utf-8"):
            modules = map(module_file, dict(digests(script.stem, *by_name)))
            imported = imported.union(*map(top_level_imports, [script, *modules]))
    others = imported - sys.stdlib_module_names - CALLERS - {"memwave"}
    assert {"numpy", "h5py"} <= others
    others |= {name.split(".")[0] for module in readers() for name in module.LIBRARIES}
    assert {PACKAGES.get(name, name) for name in others} <= installed


def top_level_imports(file):
    """Names of the packages that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_the_rules_name_the_conda_environment():
    files = [ENVS.parent / "Snakefile", *sorted((ENVS.parent / "rules").glob("*.smk"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = re.findall(r'conda:\s+"([^"]+)"', text)
    rules = re.findall(r"^rule (?!all:)", text, re.MULTILINE)
    assert len(rules) > 10
    assert named == ["../envs/memwave.yaml"] * len(rules)


def test_a_report_needs_only_what_make_run_installs(tiny_results, tmp_path):
    environment = only_locked("run.txt", tmp_path / "start")
    hidden = subprocess.run([sys.executable, "-c", "import pytest"], env=environment, check=False)
    assert hidden.returncode == 1  # installed here, and not pinned there
    done = subprocess.run(
        [*TINY_RUN, "--report", str(tmp_path / "report.html")],
        cwd=tiny_results,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert (tmp_path / "report.html").stat().st_size > 100_000
