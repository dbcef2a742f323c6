"""The package as others get it: what is in a wheel, how it installs, what its import does."""

import email
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from tiny_project import Project

import memwave

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "scripts" / "memwave"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIST_INFO = f"memwave-{memwave.__version__}.dist-info"
PATIENCE = 150


def run(*command, **options):
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=PATIENCE, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def modules_and_data():
    """Files of the package, as a wheel names them."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(PACKAGE.parent)) for path in files if path.parent.name != "__pycache__"
    }


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """What `make dist` builds; hatchling is locked for tests, so that no network is needed."""
    folder, stamp = tmp_path_factory.mktemp("dist"), ".venv/test.stamp"
    python = Path(sys.executable).parent
    run("make", "-C", ROOT, "-o", stamp, "dist", f"DIST={folder}", f"BIN={python}")
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory):
    """Python of a new environment with the wheel; what it requires comes from this environment."""
    folder = tmp_path_factory.mktemp("fresh") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", ask).strip())
    required = [path for path in sys.path if Path(path).name.endswith("-packages")]
    (packages / "required.pth").write_text("\n".join(required))
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", "--force-reinstall", distributions[1])
    return python


def test_a_wheel_has_the_whole_package_and_nothing_else(distributions):
    with zipfile.ZipFile(distributions[1]) as wheel:
        names = set(wheel.namelist())
        schema = wheel.read("memwave/workflow/config/schema/schema.yaml")
    made = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert names == modules_and_data() | {f"{DIST_INFO}/{name}" for name in made}
    assert schema == (PACKAGE / "workflow/config/schema/schema.yaml").read_bytes()
    rooms = {name.split("/")[1] for name in names if name.count("/") > 1}
    assert rooms >= {"core", "storage", "readers", "recordings"}
    assert rooms >= {"features", "pca", "results", "workflow"}


def test_a_wheel_says_what_it_is_and_what_it_requires(distributions):
    with zipfile.ZipFile(distributions[1]) as wheel:
        metadata = email.message_from_bytes(wheel.read(f"{DIST_INFO}/METADATA"))
    assert metadata["Name"] == "memwave"
    assert metadata["Version"] == memwave.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    required = [line for line in metadata.get_all("Requires-Dist") if ";" not in line]
    assert {line.lower() for line in required} == {d.lower() for d in PROJECT["dependencies"]}


def test_citation_and_changelog_are_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == memwave.__version__
    assert citation["license"] == PROJECT["license"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+)\] - (.+)$", changelog, re.MULTILINE)
    assert newest.groups() == (memwave.__version__, str(citation["date-released"]))
    deploy = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    assert f"--branch v{memwave.__version__} " in deploy


def test_an_sdist_gives_the_same_wheel(distributions, tmp_path):
    sdist, wheel = distributions
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    beside = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"}
    made = {"PKG-INFO", ".gitignore"}
    assert names - made == beside | {f"scripts/{name}" for name in modules_and_data()}
    pip = (sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", tmp_path, sdist)
    with zipfile.ZipFile(wheel) as expected, zipfile.ZipFile(*tmp_path.glob("*.whl")) as made:
        assert {name: made.read(name) for name in made.namelist()} == {
            name: expected.read(name) for name in expected.namelist()
        }


def test_an_installed_package_works(installed, tmp_path):
    where = run(installed, "-c", "import memwave; print(memwave.__file__)", cwd=tmp_path)
    assert Path(where).is_relative_to(installed.parents[1])
    command = installed.with_name("memwave")
    assert run(command, "--version", cwd=tmp_path) == f"memwave {memwave.__version__}\n"
    assert run(installed, "-m", "memwave", "--version", cwd=tmp_path).endswith("\n")
    code = (
        "from memwave.workflow.config.schema.composed import schema\n"
        "print(*schema()['properties']['models']['additionalProperties']['properties'])\n"
    )
    assert "n_components" in run(installed, "-c", code, cwd=tmp_path).split()


def test_all_that_an_installed_package_requires_is_locked(installed):
    run(sys.executable, "-m", "pip", "--python", installed, "check")


def test_the_workflow_runs_its_own_scripts_where_memwave_is_installed(installed, tmp_path):
    (errors,) = installed.parents[1].glob("lib/*/site-packages/memwave/core/errors.py")
    source = errors.read_text(encoding="utf-8")
    errors.write_text("raise ImportError('the installed package')", encoding="utf-8")
    try:
        project = Project(tmp_path / "project", ["exact"])
        target = "results/toy/deep/features/1-of-2.npy"
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        snakemake = (installed, "-m", "snakemake", "--cores", "1", target)
        run(*snakemake, cwd=project.folder, env=environment)
    finally:
        errors.write_text(source, encoding="utf-8")
    assert (project.folder / target).is_file()


def test_an_import_leaves_the_process_as_it_was():
    code = (
        "import os, sys, threading\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "def state():\n"
        "    tasks = '/proc/self/task'\n"
        "    threads = len(os.listdir(tasks)) if os.path.isdir(tasks) else 1\n"
        "    return dict(os.environ), threads, threading.active_count(), list(sys.path)\n"
        "before, loaded = state(), set(sys.modules)\n"
        "import memwave\n"
        "assert state() == before\n"
        "print(*sys.modules.keys() - loaded)\n"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    loaded = run(sys.executable, "-c", code, PACKAGE.parent, env=environment)
    assert loaded.split() == ["memwave"]
