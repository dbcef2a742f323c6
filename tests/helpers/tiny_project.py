"""A copy of the workflow with recordings of its own, in a folder that tests may spoil."""

import hashlib
import os
import re
import shutil
import subprocess
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import h5py
import numpy as np
import yaml
from oracles import make_spec, oracle
from started import run_snakemake

from memwave import cli

ROOT = Path(__file__).parents[2]
CHANNELS = ["x", "y", "z"]
# Name, path, rows, split; the second shard begins in the second recording.
RECORDINGS = [
    ("monday", "recordings/monday.npy", 330, "train"),
    ("tuesday", "recordings/tuesday.h5::/signal", 150, "test"),
    ("wednesday", "recordings/wednesday.npy", 210, "train"),
]
FEATURES = {
    "window": 24,
    "step": 1,
    "wavelet": "db2",
    "level": 2,
    "bands": ["a2", "d1"],
    "layout": "per-channel",
    "mode": "periodic",
    "dtype": "float32",
}
# Options with which every solver is exact up to rounding.
MODELS = {
    "exact": {"solver": "covariance", "n_components": 4},
    "signal": {"solver": "lag-covariance", "n_components": 4},
    "wide": {"solver": "lag-randomized", "n_components": 4, "tolerance": 1e-9},
    "incremental": {"solver": "incremental", "n_components": 4, "inner_rank": 1000},
    "randomized": {"solver": "randomized", "n_components": 4, "columns": 1000, "passes": 2},
}
JOB = re.compile(
    r"^(?:Job \d+: )?(\w+)(?:: (\S+?)(?:, (?:shard|batch) (\S+))?)? \(\d+ MB\)$", re.MULTILINE
)
# Of the results of a run, these tell time and memory, which no two runs have in common.
MEASURED = ("usage/", "summary.")
# A run that hangs is killed, and the test fails.
PATIENCE = 150


class Project:
    """The workflow in a folder.

    Parameters
    ----------
    folder : Path
        Is made.
    models : list of str
        Those of `MODELS` that are run.
    copied : bool
        Whether the folder has a copy of the workflow, beside recordings and configuration.
    """

    def __init__(self, folder: Path, models: list[str], *, copied: bool = True):
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "config").mkdir()
        if copied:
            copy_workflow(folder)
        self.config = {
            "datasets": {"toy": {"recordings": "config/toy.tsv", "channels": CHANNELS}},
            "features": {"deep": dict(FEATURES)},
            "models": {name: dict(MODELS[name]) for name in models},
            "experiments": [{"dataset": "toy", "features": "deep", "model": models}],
            "shards": 2,
            "block_mb": 1,
            "plots": False,
        }
        self.write_config()
        self.write_recordings()

    @classmethod
    def found(cls, folder: Path) -> "Project":
        """The project of a folder that is there, such as a copy."""
        project = object.__new__(cls)
        project.folder = folder
        project.config = yaml.safe_load((folder / "config/config.yaml").read_text())
        return project

    def write_config(self) -> None:
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(self.config))

    def write_recordings(self) -> None:
        (self.folder / "recordings").mkdir()
        lines = ["recording\tpath\tlabels\tsplit"]
        for i, (name, path, rows, split) in enumerate(RECORDINGS):
            lines.append(f"{name}\t{path}\trecordings/{name}.labels.npy\t{split}")
            self.save(i, recording(i))
            np.save(self.folder / f"recordings/{name}.labels.npy", labels_of(rows))
        (self.folder / "config/toy.tsv").write_text("\n".join(lines) + "\n")

    def save(self, i: int, array: np.ndarray) -> None:
        """Write the content of a recording."""
        file, _, inner = RECORDINGS[i][1].partition("::")
        if inner:
            with h5py.File(self.folder / file, "w") as store:
                store[inner] = array
        else:
            np.save(self.folder / file, array)

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        env = os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")}
        return run_snakemake([*arguments], self.folder, env, PATIENCE)

    def verify(self) -> subprocess.CompletedProcess:
        """Compare the results with their checksums; as `subprocess.run` of the command."""
        said = StringIO()
        with chdir(self.folder), redirect_stdout(said):
            status = cli.main(["verify"])
        return subprocess.CompletedProcess(["memwave", "verify"], status, said.getvalue())

    def planned(self, *arguments: str) -> set[tuple[str, ...]]:
        """Jobs of a dry run: rule, dataset/features/model, shard; as far as they have them."""
        done = self.snakemake("--dry-run", "--cores", "1", *arguments)
        assert done.returncode == 0, done.stderr
        if "Nothing to be done" in done.stdout + done.stderr:
            return set()
        jobs = {tuple(filter(None, job)) for job in JOB.findall(done.stdout + done.stderr)}
        assert jobs, done.stdout + done.stderr
        return jobs

    def result(self, name: str) -> Path:
        return self.folder / "results/toy/deep" / name

    def results(self) -> dict[str, str]:
        """Digests of everything that must not depend on the run."""
        found = digests(self.folder / "results")
        return {name: d for name, d in found.items() if not any(m in name for m in MEASURED)}

    def inputs(self) -> dict[str, str]:
        return digests(self.folder / "recordings") | digests(self.folder / "config")

    def features(self) -> np.ndarray:
        """The feature matrix, as stored."""
        return np.concatenate([np.load(self.result(f"features/{i}-of-2.npy")) for i in (1, 2)])


def copy_workflow(folder: Path, *more: str) -> None:
    """Copy the workflow, with its bytecode: compiling it would take seconds in each copy."""
    being_written = shutil.ignore_patterns("*.pyc.*")
    for name in ("scripts", "rules", "envs", "profiles", "report", *more):
        shutil.copytree(ROOT / name, folder / name, ignore=being_written)
    shutil.copy(ROOT / "Snakefile", folder)


def recording(i: int) -> np.ndarray:
    """Content of a recording."""
    random = np.random.default_rng(i)
    return np.cumsum(random.normal(size=(RECORDINGS[i][2], 3)), axis=0).astype(np.float32)


def labels_of(rows: int) -> np.ndarray:
    return np.arange(rows) // 40


def windows_of() -> list[int]:
    return [rows - FEATURES["window"] + 1 for _, _, rows, _ in RECORDINGS]


def expected_features() -> np.ndarray:
    """Features of all windows, by PyWavelets, window by window; float64."""
    spec = make_spec(channels=3, **FEATURES)
    return np.vstack([oracle(recording(i), spec, n) for i, n in enumerate(windows_of())])


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
