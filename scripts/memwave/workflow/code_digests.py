"""Digests of the modules that a script imports. An edit reruns the affected jobs and no others.

Snakemake checks the time of a script, but not of the modules that it imports. So every rule has the
digests of these modules as a parameter.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = "memwave"
SCRIPTS = Path(__file__).parents[2]

# An import of modules of the package, as the formatter writes it. Parsing all modules would take
# six times as long, in every start of Snakemake.
IMPORT = re.compile(
    rf"^ *(?:from ({PACKAGE}[\w.]*) import (?:\(([^)]*)\)|(.*))|import ({PACKAGE}[\w.]*))",
    re.MULTILINE,
)


def digests(script: str, *modules: str) -> tuple[tuple[str, str], ...]:
    """Digest a script and every module of the package that it imports, also indirectly.

    Parameters
    ----------
    script : str
        Name of the script, without suffix.
    *modules : str
        Modules whose names are computed at run time, such as that of a solver.

    Returns
    -------
    tuple of (str, str)
        Name of the script or module and short digest of its source code, sorted. Jobs that run the
        same modules share one tuple.
    """
    return _digests(script, frozenset(modules))


@cache
def _digests(script: str, modules: frozenset[str]) -> tuple[tuple[str, str], ...]:
    needed = modules | imports(SCRIPTS / f"{script}.py")
    waiting = list(needed)
    while waiting:
        new = imports(module_file(waiting.pop())) - needed
        needed |= new
        waiting += new
    return tuple((name, digest(module_file(name))) for name in sorted({script, *needed}))


@cache
def imports(file: Path) -> frozenset[str]:
    """Return the modules of the package that a file imports directly."""
    if file == SCRIPTS / PACKAGE / "__init__.py":
        return frozenset()  # jobs do not import the public names of the package
    ours: set[str] = set()
    for source, several, line, module in IMPORT.findall(file.read_text(encoding="utf-8")):
        given = re.findall(r"(?:^|,)\s*(\w+)", re.sub("#.*", "", several or line))
        ours |= {module or source, *(f"{source}.{name}" for name in given)}
    parents = {name.rsplit(".", i)[0] for name in ours for i in range(1, name.count(".") + 1)}
    return frozenset(name for name in ours | parents if module_file(name).is_file())


@cache
def digest(file: Path) -> str:
    """Digest of a module, and of the template or the page code beside it that has its name."""
    beside = (file.with_suffix(suffix) for suffix in (".html", ".js"))
    sources = [file, *(path for path in beside if path.exists())]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


@cache
def module_file(name: str) -> Path:
    """Return the file of a module; it need not exist."""
    path = SCRIPTS.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
