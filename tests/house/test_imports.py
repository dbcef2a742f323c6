"""What a job loads before it begins: each library costs a part of a second, in every job."""

import ast
import subprocess
import sys

import pytest
from tiny_run import ROOT

from memwave.workflow.code_digests import digests, imports, module_file

SCRIPTS = ROOT / "scripts"

# Libraries that take long to load, or much memory.
HEAVY = ("asyncio", "h5py", "jsonschema", "matplotlib", "pandas", "pywt", "tqdm", "yaml")
HEAVY += ("scipy.fft", "scipy.linalg", "scipy.signal", "scipy.sparse")  # `scipy` alone is light

# What the jobs of each rule need for any request. What only some need, they load for these.
NEEDED = {
    "adopt_model": {"h5py", "pywt"},
    "convert_labels": {"h5py"},
    "convert_recordings": set(),
    "extract_features": {"h5py", "pywt"},
    "find_gaps": {"h5py", "pywt"},
    "fit_model": {"h5py", "pywt"},
    "measure_channels": set(),
    "measure_features": {"h5py", "pywt"},
    "plot_experiment": {"h5py", "matplotlib", "pywt"},
    "plot_explore": {"h5py", "pywt"},
    "plot_summary": {"matplotlib"},
    "project_features": {"h5py", "pywt"},
    "project_recordings": {"h5py", "pywt"},
    "summarize_features": {"h5py", "pywt"},
    "summarize_lags": {"h5py", "pywt"},
    "write_projection": {"h5py", "pywt"},
    "write_summary": {"h5py", "pywt"},
}


def loaded(script):
    """Heavy libraries that a script loads, as a job does before it has a request."""
    code = f"import sys, {script}; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_list_has_every_rule():
    rules = {path.stem for path in SCRIPTS.glob("*.py")} - {
        "check_configfiles",
        "clean_stale",
        "describe_config",
        "verify_results",
    }
    assert set(NEEDED) == rules


@pytest.mark.parametrize("script", NEEDED)
def test_a_job_loads_what_it_needs_and_no_more(script):
    assert loaded(script) == NEEDED[script]


def test_an_edit_of_the_code_of_models_does_not_repeat_extraction():
    needed = dict(digests("extract_features"))
    assert "memwave.features.extract" in needed
    assert not [name for name in needed if name.startswith("memwave.pca")]


def parsed_imports(file):
    """Modules of the package that a file imports, by its syntax tree."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    found |= {name.rsplit(".", i)[0] for name in found for i in range(1, name.count(".") + 1)}
    return {n for n in found if n.split(".")[0] == "memwave" and module_file(n).is_file()}


def test_the_imports_of_every_module_are_found():
    files = [path for path in SCRIPTS.rglob("*.py") if path != SCRIPTS / "memwave/__init__.py"]
    assert len(files) > 100
    for file in files:
        assert imports(file) == parsed_imports(file), file
