"""Names, keys and paths in a configuration that its schema cannot judge."""

from collections.abc import Iterator
from typing import Any

from memwave.core.messages import did_you_mean, home_finding, listed, shown
from memwave.workflow.config.matrices import MATRIX, names_in
from memwave.workflow.config.schema.findings import place
from memwave.workflow.config.schema.hints import BOOLEAN_HINT

# Sections of the configuration by the keys of an experiment.
SECTIONS = {"dataset": "datasets", "features": "features", "model": "models"}


def name_findings(config: Any) -> Iterator[str]:
    """Yield findings about names, keys and paths of a configuration, valid or not."""
    yield from _undefined_names(config)
    yield from _unknown_units(config)
    yield from _boolean_keys(config)
    yield from _home_folders(config)


def _undefined_names(config: Any) -> Iterator[str]:
    """Yield findings about names in ``experiments`` that no section defines."""
    entries = config.get("experiments") if isinstance(config, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        for key, section in SECTIONS.items():
            defined = config.get(section)
            if not isinstance(entry, dict) or not isinstance(defined, dict):
                continue
            known = [name for name in defined if isinstance(name, str)]
            allowed = [*known, MATRIX] if key == "features" else known
            for name in (name for name in names_in(entry.get(key)) if name not in allowed):
                yield (
                    f"experiments[{i}].{key}: {shown(name)} is not defined in {section}."
                    f"{did_you_mean(name, known)} Defined there: {listed(map(shown, known))}."
                )


def _unknown_units(config: Any) -> Iterator[str]:
    """Yield findings about units of channels that a dataset does not have."""
    for name, dataset in _entries(config, "datasets"):
        units, channels = dataset.get("units"), dataset.get("channels")
        if isinstance(units, dict) and isinstance(channels, list):
            for unknown in (u for u in units if u not in channels and not isinstance(u, bool)):
                yield (
                    f"{place('datasets', name, 'units', unknown)}: there is no such channel."
                    f"{did_you_mean(unknown, map(str, channels))} Channels: {listed(channels)}."
                )


def _boolean_keys(config: Any) -> Iterator[str]:
    """Findings about channels and labels that YAML takes for true or false."""
    for name, dataset in _entries(config, "datasets"):
        for key in ("units", "label_names"):
            named = dataset.get(key)
            for wrong in (
                (k for k in named if isinstance(k, bool)) if isinstance(named, dict) else ()
            ):
                where = place("datasets", name, key)
                yield f"{where}: found the key {shown(wrong)}, expected a name.{BOOLEAN_HINT}"


def _home_folders(config: Any) -> Iterator[str]:
    """Findings about paths that begin with the sign of the home folder."""
    places = (
        ("datasets", "recordings"),
        ("datasets", "matrix"),
        ("features", "scale"),
        ("models", "apply"),
    )
    for section, key in places:
        for name, entry in _entries(config, section):
            path = entry.get(key)
            if isinstance(path, str) and path.startswith("~"):
                yield f"{place(section, name, key)}: {home_finding(path)}"


def _entries(config: Any, section: str) -> Iterator[tuple[str, dict]]:
    """Entries of a section that are mappings, by their names."""
    entries = config.get(section) if isinstance(config, dict) else None
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        if isinstance(entry, dict):
            yield name, entry
