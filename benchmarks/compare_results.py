"""Compare two folders of results: bytes, and of HDF5 files and tables what they hold."""

import csv
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import h5py
import numpy as np

# Names of files, attributes and columns that depend on the version, the place or
# the load of the machine.
IGNORED = ["provenance", "provenance.json", "encoding-version", "*usage/*", "summary.html"]
IGNORED += ["*_seconds", "*_mb"]
# Of figures, only the names are compared: their words may change.
NAMES_ONLY = ["*.svg"]
ROWS_AT_ONCE = 65_536


def matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, p) or fnmatch(name.rsplit("/", 1)[-1], p) for p in patterns)


def compare(reference: Path, other: Path, ignored: list[str]) -> tuple[dict, list[str]]:
    """Compare two folders of results.

    Returns
    -------
    counts : dict of str to int
        Files by how they compare: same bytes, same content, different; and figures that differ.
    differences : list of str
    """
    counts = dict.fromkeys(("same bytes", "same content", "different", "other figures"), 0)
    files, others = (
        {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
        for folder in (reference, other)
    )
    differences = []
    for name in sorted(n for n in files | others if not matches(n, ignored)):
        if name not in files or name not in others:
            found = [f"only in the {'reference' if name in files else 'working tree'}"]
        elif (reference / name).read_bytes() == (other / name).read_bytes():
            counts["same bytes"] += 1
            continue
        elif matches(name, NAMES_ONLY):
            counts["other figures"] += 1
            continue
        else:
            found = list(content_differences(reference / name, other / name, ignored))
        counts["different" if found else "same content"] += 1
        differences += [f"{name}: {difference}" for difference in found]
    return counts, differences


def content_differences(one: Path, two: Path, ignored: list[str]) -> Iterator[str]:
    """How the content of two files of different bytes differs."""
    if one.suffix == ".h5":
        with h5py.File(one, locking=False) as a, h5py.File(two, locking=False) as b:
            yield from object_differences(a, b, ignored)
    elif one.name == "summary.tsv":
        yield from table_differences(one, two, ignored)
    elif one.suffix == ".npy":
        a, b = np.load(one, mmap_mode="r"), np.load(two, mmap_mode="r")
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            yield f"{b.dtype} {b.shape}, expected {a.dtype} {a.shape}"
        else:
            yield first_difference(a, b) or "the header differs"
    else:
        yield "bytes differ"


def object_differences(a: h5py.Group, b: h5py.Group, ignored: list[str]) -> Iterator[str]:
    """How two HDF5 files differ: objects, attributes, and of datasets their layout and values."""
    names, others = ["/"], ["/"]
    a.visit(names.append)
    b.visit(others.append)
    for name in sorted({*names, *others}):
        if matches(name, ignored):
            continue
        if name not in names or name not in others:
            yield f"{name} is only in the {'reference' if name in names else 'working tree'}"
            continue
        for key in sorted({*a[name].attrs, *b[name].attrs}):
            values = [plain(f, f[name].attrs.get(key)) for f in (a, b)]
            if not matches(key, ignored) and values[0] != values[1]:
                yield f"attribute {key} of {name} is {values[1]!r}, expected {values[0]!r}"[:400]
        layouts = [layout(file[name]) for file in (a, b)]
        if layouts[0] != layouts[1]:
            yield f"{name} is {layouts[1]}, expected {layouts[0]}"
        elif isinstance(a[name], h5py.Dataset) and (found := first_difference(a[name], b[name])):
            yield f"{name}, {found}"


def layout(item: h5py.Group | h5py.Dataset) -> dict:
    """Type, shape, chunks and filters of a dataset; of a group, nothing but that it is one."""
    if isinstance(item, h5py.Group):
        return {"group": True}
    keys = ("dtype", "shape", "maxshape", "chunks", "compression", "compression_opts", "shuffle")
    return {key: getattr(item, key) for key in (*keys, "fletcher32", "scaleoffset")}


def plain(file: h5py.File, value: object) -> object:
    """Make a value comparable: type, shape and bytes; of a reference, the name of its target."""
    if isinstance(value, h5py.Reference):
        return file[value].name
    if isinstance(value, np.void) and value.dtype.hasobject:
        return [plain(file, field) for field in value.item()]
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return [plain(file, item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.str, value.shape, value.tobytes()
    return value


def first_difference(a: np.ndarray | h5py.Dataset, b: np.ndarray | h5py.Dataset) -> str:
    """First row in which the bytes of two arrays of one type and shape differ; empty if none."""
    if not a.shape:
        same = plain(None, a[()]) == plain(None, b[()])
        return "" if same else f"is {b[()]}, expected {a[()]}"
    for start in range(0, len(a), ROWS_AT_ONCE):
        x, y = a[start : start + ROWS_AT_ONCE], b[start : start + ROWS_AT_ONCE]
        if plain(None, x) != plain(None, y):
            pairs = zip(x, y, strict=True)
            row = next(i for i, (p, q) in enumerate(pairs) if plain(None, p) != plain(None, q))
            return f"row {start + row}"
    return ""


def table_differences(one: Path, two: Path, ignored: list[str]) -> Iterator[str]:
    """First cell in which two tables with tabs between their columns differ."""
    tables = []
    for path in (one, two):
        with open(path, encoding="utf-8", newline="") as file:
            columns = zip(*csv.reader(file, delimiter="\t"), strict=True)
            tables.append({name: cells for name, *cells in columns if not matches(name, ignored)})
    if list(tables[0]) != list(tables[1]):
        yield f"has the columns {list(tables[1])}, expected {list(tables[0])}"
    for column in (c for c in tables[0] if c in tables[1] and tables[0][c] != tables[1][c]):
        yield f"column {column} is {tables[1][column]}, expected {tables[0][column]}"[:400]
