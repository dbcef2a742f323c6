"""The closed schema of the configuration: validation, and defaults.

It is ``schema.yaml`` in this folder plus the options of every solver, which its module defines as
``OPTIONS``.
"""

import math
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from memwave.pca.solvers import solver_module, solver_names
from memwave.workflow.config.matrices import OF_MATRIX, OF_MATRIX_ALONE

SCHEMA_FILE = files(__package__) / "schema.yaml"


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


def _is_integer(_: Any, value: Any) -> bool:
    # Standard JSON schema accepts 128.0 as an integer, but range() does not.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def filled(value: Any, rule: dict) -> Any:
    """Return a copy of a valid value with the defaults of its schema."""
    if isinstance(value, list):
        return list(value) if "items" not in rule else [filled(v, rule["items"]) for v in value]
    if not isinstance(value, dict):
        return value
    for branch in rule.get("allOf", ()):
        if Validator(branch["if"]).is_valid(value):
            rule = branch["then"]
    known, others = rule.get("properties", {}), rule.get("additionalProperties")
    defaults = {key: r["default"] for key, r in known.items() if "default" in r}
    given = {**defaults, **value}
    order = [key for key in known if key in given] + [key for key in given if key not in known]
    return {key: filled(given[key], known.get(key, others)) for key in order}
