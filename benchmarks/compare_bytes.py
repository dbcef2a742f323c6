"""Compare the results of two versions of memwave, byte by byte, on small configurations.

For changes that must not change results::

    python benchmarks/compare_bytes.py --reference main
    python benchmarks/compare_bytes.py --reference main --only recordings --ignore description
    python benchmarks/compare_bytes.py --reference ../other-checkout

The reference is a git revision or the folder of a checkout. Its results are kept in ``--folder``:
a further comparison with it runs the working tree only. Each run is a run of Snakemake in a copy of
all files of a version; both versions get the same configurations and recordings. The status is 1 if
a result differs; the results of the working tree then stay in the folder.

This script imports nothing of memwave, so that it can compare any two layouts of the code.
"""

import argparse
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path

import yaml
from compare_cases import FITTED, configurations, write_inputs
from compare_results import IGNORED, compare

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).with_name("compare_cases.py")
PRINTED = 10  # differences of a configuration
HEADER = ("reference s", "tree s", "same bytes", "same content", "different", "other figures")


def export(source: str, folder: Path) -> None:
    """Copy the files of a checkout, those that git ignores left out, or of a revision."""
    folder.mkdir()
    if not Path(source).is_dir():
        archive = git(ROOT, "archive", "--format=tar", source)
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        return
    listed = git(Path(source), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, set(os.fsdecode(listed).split("\0"))):
        if (Path(source) / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(source) / name, folder / name)


def git(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{folder}: git {arguments[0]} failed: {done.stderr.decode().strip()}")
    return done.stdout


def digest(folder: Path) -> str:
    """Digest of what results depend on: files of a version, configurations, the environment."""
    packages = sorted(f"{d.name} {d.version}" for d in importlib.metadata.distributions())
    found = hashlib.sha256(repr((sys.version, packages)).encode() + CASES.read_bytes())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


class RunFailed(RuntimeError):
    """A run of Snakemake failed; the message has the end of its output."""


def run(code: Path, config: dict, inputs: list[Path], results: Path, cores: int) -> None:
    """Run a version with a configuration in a copy of its files; keep the results only.

    Parameters
    ----------
    code : path
        Files of the version.
    config : dict
        Replaces config/config.yaml, so that it does not matter what that is merged with.
    inputs : list of path
        Folder of recordings, and further files for it.
    results : path
        Appears when the run is complete.
    cores : int

    Raises
    ------
    RunFailed
    """
    with tempfile.TemporaryDirectory(dir=code.parent, prefix="run-") as temporary:
        work = Path(temporary) / "work"
        shutil.copytree(code, work)
        shutil.copytree(inputs[0], work / "inputs")
        for path in inputs[1:]:
            shutil.copy(path, work / "inputs")
        (work / "config").mkdir(exist_ok=True)
        (work / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        # The package of this version comes before one that is installed.
        package = next(work.glob("*/memwave/__init__.py")).parents[1]
        env |= {"PYTHONPATH": str(package), "XDG_CACHE_HOME": str(Path(temporary) / "cache")}
        find = "import importlib.util as u; print(u.find_spec('memwave').origin)"
        origin = execute([sys.executable, "-c", find], Path(temporary), env)
        if package not in Path(origin.strip()).parents:
            raise RunFailed(f"memwave is imported from {origin}, expected from {package}")
        command = [sys.executable, "-m", "snakemake", "--configfile", "config/config.yaml"]
        execute([*command, "--cores", str(cores)], work, env)
        shutil.rmtree(results, ignore_errors=True)
        (work / "results").rename(results)


def execute(command: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise RunFailed(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


class Comparison:
    """Runs two versions with the same configurations; the reference once only.

    Parameters
    ----------
    folder : path
        For the results of references, each in a folder of its own.
    scratch : path
        For the copies of both versions.
    reference : str
        A revision, or the folder of a checkout.
    cores : int
        Of each run of Snakemake.
    """

    def __init__(self, folder: Path, scratch: Path, reference: str, cores: int):
        self._reference, self._tree, self._cores = scratch / "reference", scratch / "tree", cores
        export(reference, self._reference)
        export(str(ROOT), self._tree)
        self._kept = folder / f"reference-{digest(self._reference)}"
        self._kept.mkdir(parents=True, exist_ok=True)
        self._other = folder / "working-tree"
        self._other.mkdir(exist_ok=True)
        self._inputs = scratch / "inputs"
        write_inputs(self._inputs, self._reference)
        self.configurations = configurations(self._reference)

    def reference(self, name: str) -> Path:
        """Results of the reference with a configuration."""
        kept = self._kept / name
        if not kept.exists():
            try:
                self._run(self._reference, name, kept)
            except RunFailed as error:
                raise SystemExit(f"{name}: the reference fails: {error}") from error
        return kept

    def tree(self, name: str) -> Path:
        """Results of the working tree with a configuration."""
        self._run(self._tree, name, self._other / name)
        return self._other / name

    def compare(self, name: str, ignored: list[str]) -> tuple[int, list[str]]:
        """Compare the results of a configuration, and print how many files are the same.

        Returns
        -------
        files : int
            How many were compared.
        differences : list of str
        """
        begin = time.perf_counter()
        kept = self.reference(name)
        seconds = [time.perf_counter() - begin]
        try:
            results = self.tree(name)
        except RunFailed as error:
            return 0, [f"the working tree fails: {error}"]
        seconds.append(time.perf_counter() - begin - seconds[0])
        counts, differences = compare(kept, results, ignored)
        if not differences:
            shutil.rmtree(results)
        columns = zip((*seconds, *counts.values()), map(len, HEADER), strict=True)
        print(f"{name:15}", *(f"{value:{width}.0f}" for value, width in columns), sep="  ")
        return sum(counts.values()) - counts["other figures"], differences

    def _run(self, code: Path, name: str, results: Path) -> None:
        inputs = [self._inputs]
        if name == "applied":
            fitted, model = FITTED
            shutil.copy(self.reference(fitted) / model, code.parent / "fitted.h5")
            inputs.append(code.parent / "fitted.h5")
        run(code, self.configurations[name], inputs, results, self._cores)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--reference", required=True, help="git revision, or folder of a checkout")
    add("--folder", type=Path, default=ROOT / "build/compare_bytes", help="for results")
    add("--cores", type=int, default=2, help="of each run")
    add("--only", nargs="+", metavar="NAME", help="only these configurations")
    add(
        "--ignore",
        nargs="+",
        default=[],
        metavar="PATTERN",
        help="further files, HDF5 objects and attributes, and columns that are not compared",
    )
    return parser.parse_args()


def main() -> int:
    """Compare, print a table, and return 1 if anything differs."""
    arguments = parse()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    total, failed = 0, False
    with tempfile.TemporaryDirectory(dir=folder, prefix="copies-") as scratch:
        comparison = Comparison(folder, Path(scratch), arguments.reference, arguments.cores)
        names = arguments.only or list(comparison.configurations)
        if unknown := sorted(set(names) - set(comparison.configurations)):
            known = ", ".join(comparison.configurations)
            raise SystemExit(f"There is no configuration {unknown[0]}. Expected one of {known}.")
        print(f"{'configuration':15}", *HEADER, sep="  ", flush=True)
        for name in names:
            files, differences = comparison.compare(name, [*IGNORED, *arguments.ignore])
            total, failed = total + files, failed or bool(differences)
            more = len(differences) - PRINTED
            lines = differences[:PRINTED] + [f"and {more} more differences"] * (more > 0)
            print(*(f"    {name}: {line}\n" for line in lines), sep="", end="", flush=True)
    results = f"DIFFERENT, see {folder / 'working-tree'}" if failed else "identical"
    print(f"{total} files compared: {results}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
