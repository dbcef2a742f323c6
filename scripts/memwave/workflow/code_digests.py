"""Which modules a script imports, so that an edit reruns what it touches and nothing else.

Snakemake sees the time of a script, and nothing of the modules it imports. The workflow therefore
hands every rule a digest of each of them as a parameter.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "memwave"
SCRIPTS = Path(__file__).parents[2]


def digests(script: str, *modules: str) -> dict[str, str]:
    """Digest a script and every module of the package that it needs.

    Parameters
    ----------
    script : str
        Name of the script, without ending.
    *modules : str
        Modules that it imports by a name made at run time, such as a solver's.

    Returns
    -------
    dict of str to str
        Short digest of the source by the name of the script or module, sorted.
    """
    needed = set(modules) | imports(SCRIPTS / f"{script}.py")
    waiting = list(needed)
    while waiting:
        new = imports(module_file(waiting.pop())) - needed
        needed |= new
        waiting += new
    return {name: digest(module_file(name)) for name in sorted({script, *needed})}


@cache
def imports(file: Path) -> frozenset[str]:
    """Modules of the package that a file imports by itself."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name for name in found if name.split(".")[0] == PACKAGE}
    parents = {name.rsplit(".", i)[0] for name in ours for i in range(1, name.count(".") + 1)}
    return frozenset(name for name in ours | parents if module_file(name).is_file())


@cache
def digest(file: Path) -> str:
    """Digest of a module, and of the template beside it that has its name."""
    sources = [file, *(path for path in [file.with_suffix(".html")] if path.exists())]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def module_file(name: str) -> Path:
    """File of a module, which need not exist."""
    path = SCRIPTS.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
