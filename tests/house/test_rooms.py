"""The rooms of the package: imports run only downwards, and no folder is crowded."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "scripts" / "memwave"
# In the order in which data travels; a room may import those before it.
ROOMS = ("core", "storage", "readers", "recordings", "features", "pca", "results", "workflow")
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_ENTRIES = 8
# One more: the plan, and for each question that the rules ask of it, one file; one file for each
# kind of result, and folders of what is made of them.
MORE_ENTRIES = {"workflow/planning": 9, "results": 9}
# Folders with one file for each thing of a kind, which are found by their names.
ONE_FILE_EACH = ("readers/formats", "pca/solvers", "results/figures", "cli")
# What stands above all rooms: the command line, and what users import.
ABOVE = ("api", "cli", "__main__.py")


def imported(file: Path) -> set[str]:
    """Modules of the package that a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "memwave"}


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_rooms_before_its_own(file):
    room = room_of(file)
    if room not in ROOMS:
        return  # what stands above all rooms may import any of them
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for name in imported(file):
        parts = name.split(".")
        if parts[1] == "__version__":
            continue
        assert parts[1] in allowed, f"{file.relative_to(PACKAGE)} imports {name}"


def test_every_room_says_what_it_holds_and_what_it_may_import():
    for position, room in enumerate(ROOMS):
        text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text()))
        assert text, room
        for other in ROOMS[:position]:
            assert f"`{other}`" in text or "every other room" in text, (room, other)


def test_no_folder_is_crowded():
    for folder in {file.parent for file in MODULES}:
        if folder == PACKAGE:
            entries = {e.name for e in folder.iterdir()} - {"__pycache__", "__init__.py"}
            assert entries == {*ROOMS, *ABOVE}
            continue
        if folder.relative_to(PACKAGE).as_posix() in ONE_FILE_EACH:
            continue
        entries = [e.name for e in folder.iterdir() if e.name not in ("__pycache__", "__init__.py")]
        most = MORE_ENTRIES.get(folder.relative_to(PACKAGE).as_posix(), MOST_ENTRIES)
        assert len(entries) <= most, (folder, sorted(entries))
