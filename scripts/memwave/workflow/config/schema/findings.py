"""What the schema does not allow, in plain words."""

import re
from collections.abc import Iterator
from typing import Any, cast

from jsonschema import ValidationError

from memwave.core.messages import in_words, listed, shown
from memwave.workflow.config.schema.composed import Validator, schema
from memwave.workflow.config.schema.hints import key_hint, name_hint, value_hint


def schema_findings(value: Any, rules: dict) -> Iterator[str]:
    """Yield what a schema does not allow in a value."""
    for error in Validator(rules).iter_errors(value):
        yield from _findings(error)


def _findings(error: ValidationError) -> Iterator[str]:
    """Describe one error of the validator in plain words."""
    path, value, rule = tuple(error.absolute_path), cast(Any, error.instance), error.schema
    assert isinstance(rule, dict)
    if error.validator == "additionalProperties":
        known = list(rule["properties"])
        for key in (key for key in value if key not in known):
            hint = key_hint(key, value[key], known)
            yield f"{place(*path, key)}: unknown key.{hint} Valid keys here: {listed(known)}."
    elif error.validator == "required":
        for key in (key for key in rule["required"] if key not in value):
            expected = in_words(rule["properties"][key])
            yield f"{place(*path, key)}: missing. Expected {expected}; add it."
    elif "propertyNames" in error.absolute_schema_path:
        expected = in_words(rule)
        yield (
            f"{place(*path)}: {shown(value)} cannot be used as a name. Expected {expected}."
            f"{name_hint(value)}"
        )
    elif error.validator == "uniqueItems":
        for item in dict.fromkeys(shown(item) for item in value if value.count(item) > 1):
            yield f"{place(*path)}: {item} is listed more than once. List it once."
    else:
        is_valid = Validator({"$defs": schema()["$defs"], **rule}).is_valid
        hint = value_hint(value, is_valid, rule.get("enum", ()))
        yield f"{place(*path)}: found {shown(value)}, expected {in_words(rule)}.{hint}"


def place(*steps: Any) -> str:
    """Return the place of a value in the configuration, such as ``features.haar.bands[0]``."""
    text = ""
    for step in steps:
        plain = isinstance(step, str) and re.fullmatch(r"[\w-]+", step)
        text += f".{step}" if plain else f"[{shown(step)}]"
    return text.removeprefix(".") or "the configuration"
