"""Grids of parameters in the configuration: one entry expands to many, each with a name."""

import json
import re
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

from memwave.core.errors import ConfigurationError
from memwave.core.messages import shown

# Most points of all grids of a section together.
MOST_POINTS = 10_000

# Sections with grids, and the keys of an experiment that name their entries.
SECTIONS = {"features": "features", "models": "model"}


def expand_grids(config: Any) -> Any:
    """Replace every entry that has a ``grid`` by one entry for each point of the grid.

    Parameters
    ----------
    config : dict
        As read from YAML. It is not changed. Malformed parts are kept, for the schema to report.

    Returns
    -------
    dict
        A configuration without grids. Experiments that named such an entry name all its points.

    Raises
    ------
    ConfigurationError
        If a point has the name of another entry, or there are too many.
    """
    if not isinstance(config, dict):
        return config
    expanded = dict(config)
    for section, key in SECTIONS.items():
        entries = config.get(section)
        if isinstance(entries, dict) and any(map(_has_grid, entries.values())):
            _require_few(section, entries)
            points = {name: dict(_points(name, entry)) for name, entry in entries.items()}
            expanded[section] = _joined(section, points)
            expanded["experiments"] = _renamed(expanded.get("experiments"), key, points)
    return expanded


def _has_grid(entry: Any) -> bool:
    grid = entry.get("grid") if isinstance(entry, dict) else None
    return (
        isinstance(grid, dict)
        and bool(grid)
        and all(isinstance(v, list) and v for v in grid.values())
    )


def _require_few(section: str, entries: dict[Any, Any]) -> None:
    grids = [entry["grid"] for entry in entries.values() if _has_grid(entry)]
    total = sum(prod(len(values) for values in grid.values()) for grid in grids)
    if total > MOST_POINTS:
        raise ConfigurationError(
            [
                f"{section}: the grids have {total:,} points, expected at most {MOST_POINTS:,}. "
                "Leave some values out."
            ]
        )


def _points(name: Any, entry: Any) -> Iterator[tuple[Any, Any]]:
    """Yield name and entry of every point of the grid of an entry, or the entry itself."""
    if not _has_grid(entry):
        yield name, entry
        return
    common = {key: value for key, value in entry.items() if key != "grid"}
    for values in product(*entry["grid"].values()):
        point = dict(zip(entry["grid"], values, strict=True))
        parts = [f"{key}-{_text(value)}" for key, value in point.items()]
        yield "-".join([str(name), *parts]), common | point


def _text(value: Any) -> str:
    """Return a value as text of letters, digits and underscores."""
    if isinstance(value, list):
        return "_".join(map(_text, value))
    text = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return re.sub(r"[^A-Za-z0-9]+", "_", text)


def _joined(section: str, points: dict[Any, dict]) -> dict:
    joined: dict = {}
    for name, own in points.items():
        for point in own:
            if point in joined:
                raise ConfigurationError(
                    [
                        f"{section}: the grid of {shown(name)} has a point {shown(point)}, and "
                        "another entry has the same name. Rename one of them."
                    ]
                )
        joined |= own
    return joined


def _renamed(experiments: Any, key: str, points: dict[Any, dict]) -> Any:
    """Return experiments that name the points instead of the grid."""
    if not isinstance(experiments, list):
        return experiments
    return [
        {**entry, key: _names(entry[key], points)}
        if isinstance(entry, dict) and key in entry
        else entry
        for entry in experiments
    ]


def _names(value: Any, points: dict[Any, dict]) -> Any:
    if isinstance(value, str):
        names = list(points.get(value, [value]))
        return value if names == [value] else names
    if isinstance(value, list):
        nested = (
            [name] if not isinstance(name, str) else points.get(name, [name]) for name in value
        )
        return [name for names in nested for name in names]
    return value
