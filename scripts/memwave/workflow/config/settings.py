"""The configuration: validated by a closed schema, all problems reported at once, defaults added.

The schema is ``schema.yaml`` in this folder plus the options of every solver, which its module
defines as ``OPTIONS``.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from memwave.core.errors import ConfigurationError
from memwave.core.messages import did_you_mean, home_finding, in_words, listed, shown
from memwave.pca.solvers import solver_module, solver_names
from memwave.workflow.config.grids import expand_grids
from memwave.workflow.config.hints import BOOLEAN_HINT, key_hint, name_hint, value_hint
from memwave.workflow.config.matrices import (
    MATRIX,
    NO_RECORDINGS,
    OF_MATRIX,
    OF_MATRIX_ALONE,
    matrix_findings,
    with_columns_as_features,
)

SCHEMA_FILE = files(__package__) / "schema.yaml"

# Most entries of a configuration, including aliases. Real ones have fewer than a thousand.
MOST_ENTRIES = 100_000

# Sections of the configuration by the keys of an experiment.
SECTIONS = {"dataset": "datasets", "features": "features", "model": "models"}


@dataclass(frozen=True)
class Experiment:
    """Names of the dataset, the feature set and the model of one experiment."""

    dataset: str
    features: str
    model: str


@cache
def schema() -> dict:
    """Return the schema of the configuration, with the options of all solvers."""
    composed = yaml.safe_load(SCHEMA_FILE.read_text(encoding="utf-8"))
    model = composed["properties"]["models"]["additionalProperties"]
    common = model["properties"]
    common["solver"] = {**common["solver"], "enum": solver_names()}
    closed: dict = {"type": "object", "additionalProperties": False}
    applied = {"apply": common["apply"]}
    common = {key: rule for key, rule in common.items() if key != "apply"}
    model["allOf"] = [
        {
            "if": {"required": ["apply"]},
            "then": {**closed, "properties": applied},
            "else": {"required": ["solver"], "properties": {"solver": common["solver"]}},
        }
    ]
    datasets = composed["properties"]["datasets"]["additionalProperties"]
    del datasets["additionalProperties"]  # each kind of dataset has its own keys
    datasets["allOf"] = _kinds_of_datasets(datasets["properties"])
    model["allOf"] += [
        {
            "if": {"required": ["solver"], "properties": {"solver": {"const": name}}},
            "then": {**closed, "properties": {**common, **solver_module(name).OPTIONS}},
        }
        for name in solver_names()
    ]
    return composed


def _kinds_of_datasets(keys: dict) -> list[dict]:
    """Which keys a matrix has, and which recordings have."""
    closed: dict = {"type": "object", "additionalProperties": False}
    of_matrix = {key: keys[key] for key in OF_MATRIX}
    of_matrix["missing"] = {**keys["missing"], "enum": ["error", "drop"]}  # rows have no neighbours
    of_recordings = {key: rule for key, rule in keys.items() if key not in OF_MATRIX_ALONE}
    required = {"required": ["recordings", "channels"]}
    has_matrix = {"required": ["matrix"]}
    return [
        {"if": has_matrix, "then": {**closed, "properties": of_matrix}},
        {"if": {"not": has_matrix}, "then": {**closed, **required, "properties": of_recordings}},
    ]


def is_matrix(dataset: dict) -> bool:
    """Whether an entry of ``datasets`` is a matrix."""
    return dataset.get("matrix") is not None


def complete(config: dict) -> dict:
    """Validate a configuration and fill in every default.

    Parameters
    ----------
    config : dict
        The configuration as read from YAML. It is not changed.

    Returns
    -------
    dict
        A copy with every key of the schema, and with every point of a grid as an entry.

    Raises
    ------
    ConfigurationError
        Lists all values that the schema does not allow and all names that are not defined.
    """
    if not config:
        raise ConfigurationError(
            ["the configuration is empty. config/README.md has a small one to copy."]
        )
    _require_size(config)
    config = with_columns_as_features(expand_grids(_truth_values(config)))
    errors = _Validator(schema()).iter_errors(config)
    findings = [finding for error in errors for finding in _findings(error)]
    findings += [*_undefined_names(config), *_unknown_units(config), *_boolean_keys(config)]
    findings += [*_home_folders(config), *matrix_findings(config)]
    if findings:
        raise ConfigurationError(tuple(dict.fromkeys(findings)))
    filled = _filled(config, schema())
    for dataset in filter(is_matrix, filled["datasets"].values()):
        dataset.update({key: value for key, value in NO_RECORDINGS.items() if key not in dataset})
    return filled


def _truth_values(config: Any) -> Any:
    """Undo that ``snakemake --config plots=false`` gives a text."""
    if not isinstance(config, dict):
        return config
    words, changed = {"true": True, "false": False}, dict(config)
    for key, rule in schema()["properties"].items():
        value = config.get(key)
        if isinstance(value, str) and words.get(value) in rule.get("enum", ()):
            changed[key] = words[value]
    return changed


def _require_size(config: Any) -> None:
    """Raise ConfigurationError for too many entries; rejects YAML alias bombs."""
    waiting, seen = [config], 0
    while waiting:
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else ()
        waiting += value if isinstance(value, list) else ()
        seen += 1
        if seen > MOST_ENTRIES:
            raise ConfigurationError(
                [
                    f"the configuration has more than {MOST_ENTRIES:,} entries, aliases included. "
                    "Expected fewer; remove aliases (*name) that repeat long lists."
                ]
            )


def complete_model(model: dict) -> dict:
    """Fill in the defaults of one valid entry of ``models``, with those of its solver."""
    return _filled(model, schema()["properties"]["models"]["additionalProperties"])


def complete_features(features: dict) -> dict:
    """Fill in the defaults of one valid entry of ``features``."""
    return _filled(features, schema()["properties"]["features"]["additionalProperties"])


def model_findings(model: dict) -> list[str]:
    """Return what the schema does not admit in one entry of ``models``."""
    return _findings_of(model, "models")


def feature_set_findings(features: dict) -> list[str]:
    """Return what the schema does not admit in one entry of ``features``."""
    return _findings_of(features, "features")


def _findings_of(entry: dict, section: str) -> list[str]:
    rules = schema()["properties"][section]["additionalProperties"]
    found = (text for error in _Validator(rules).iter_errors(entry) for text in _findings(error))
    return list(dict.fromkeys(found))


def experiments(settings: dict) -> tuple[Experiment, ...]:
    """Expand the products in ``experiments``: all combinations in order, without duplicates.

    Parameters
    ----------
    settings : dict
        Configuration that `complete` returned.
    """
    found = (
        Experiment(*names)
        for entry in settings["experiments"]
        for names in product(*(_names(entry[key]) for key in SECTIONS))
    )
    return tuple(dict.fromkeys(found))


def _is_integer(_: Any, value: Any) -> bool:
    # Standard JSON schema accepts 128.0 as an integer, but range() does not.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def _place(*steps: Any) -> str:
    """Return the place of a value in the configuration, such as ``features.haar.bands[0]``."""
    text = ""
    for step in steps:
        plain = isinstance(step, str) and re.fullmatch(r"[\w-]+", step)
        text += f".{step}" if plain else f"[{shown(step)}]"
    return text.removeprefix(".") or "the configuration"


def _findings(error: ValidationError) -> Iterator[str]:
    """Describe one error of the validator in plain words."""
    path, value, rule = tuple(error.absolute_path), cast(Any, error.instance), error.schema
    assert isinstance(rule, dict)
    if error.validator == "additionalProperties":
        known = list(rule["properties"])
        for key in (key for key in value if key not in known):
            hint = key_hint(key, value[key], known)
            yield f"{_place(*path, key)}: unknown key.{hint} Valid keys here: {listed(known)}."
    elif error.validator == "required":
        for key in (key for key in rule["required"] if key not in value):
            expected = in_words(rule["properties"][key])
            yield f"{_place(*path, key)}: missing. Expected {expected}; add it."
    elif "propertyNames" in error.absolute_schema_path:
        expected = in_words(rule)
        yield (
            f"{_place(*path)}: {shown(value)} cannot be used as a name. Expected {expected}."
            f"{name_hint(value)}"
        )
    elif error.validator == "uniqueItems":
        for item in dict.fromkeys(shown(item) for item in value if value.count(item) > 1):
            yield f"{_place(*path)}: {item} is listed more than once. List it once."
    else:
        is_valid = _Validator({"$defs": schema()["$defs"], **rule}).is_valid
        hint = value_hint(value, is_valid, rule.get("enum", ()))
        yield f"{_place(*path)}: found {shown(value)}, expected {in_words(rule)}.{hint}"


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
            for name in (name for name in _names(entry.get(key)) if name not in allowed):
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
                    f"{_place('datasets', name, 'units', unknown)}: there is no such channel."
                    f"{did_you_mean(unknown, map(str, channels))} Channels: {listed(channels)}."
                )


def _entries(config: Any, section: str) -> Iterator[tuple[str, dict]]:
    """Entries of a section that are mappings, by their names."""
    entries = config.get(section) if isinstance(config, dict) else None
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        if isinstance(entry, dict):
            yield name, entry


def _boolean_keys(config: Any) -> Iterator[str]:
    """Findings about channels and labels that YAML takes for true or false."""
    for name, dataset in _entries(config, "datasets"):
        for key in ("units", "label_names"):
            named = dataset.get(key)
            for wrong in (
                (k for k in named if isinstance(k, bool)) if isinstance(named, dict) else ()
            ):
                place = _place("datasets", name, key)
                yield f"{place}: found the key {shown(wrong)}, expected a name.{BOOLEAN_HINT}"


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
                yield f"{_place(section, name, key)}: {home_finding(path)}"


def _names(value: Any) -> list[str]:
    """Return the names in a value of an experiment, which is a name or a list of names."""
    listed = value if isinstance(value, list) else [value]
    return [name for name in listed if isinstance(name, str)]


def _filled(value: Any, rule: dict) -> Any:
    """Return a copy of a valid value with the defaults of its schema."""
    if isinstance(value, list):
        return list(value) if "items" not in rule else [_filled(v, rule["items"]) for v in value]
    if not isinstance(value, dict):
        return value
    for branch in rule.get("allOf", ()):
        if _Validator(branch["if"]).is_valid(value):
            rule = branch["then"]
    known, others = rule.get("properties", {}), rule.get("additionalProperties")
    defaults = {key: r["default"] for key, r in known.items() if "default" in r}
    given = {**defaults, **value}
    order = [key for key in known if key in given] + [key for key in given if key not in known]
    return {key: _filled(given[key], known.get(key, others)) for key in order}
