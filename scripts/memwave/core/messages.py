"""Text for error messages and the configuration reference: values, types, closest matches."""

import difflib
import json
from collections.abc import Iterable
from os.path import expanduser
from typing import Any

LONGEST_SHOWN = 80
LONGEST_MESSAGE = 200


def shown(value: Any) -> str:
    """Return a value as it is written in the configuration, shortened if it is long."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif value is None or isinstance(value, bool):
        text = json.dumps(value)
    else:
        text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def printable(message: object) -> str:
    """Return a library's message as one line of printable characters, shortened if it is long."""
    text = "".join(c if c.isprintable() else " " for c in str(message))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."


def rate_text(rate: float) -> str:
    """Return a sampling rate with all its digits, and no more."""
    return repr(float(rate)).removesuffix(".0")


def either(words: Iterable[str]) -> str:
    """Join alternatives: ``a``, ``a or b``, ``a, b or c``."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def listed(words: Iterable[Any]) -> str:
    """Join items with commas; return ``nothing`` if there are none."""
    return ", ".join(str(word) for word in words) or "nothing"


def did_you_mean(word: Any, known: Iterable[Any]) -> str:
    """Return `` Did you mean "..."?`` with the closest known word, or "" if none is close."""
    lowered = {name.lower(): name for name in known if isinstance(name, str)}
    close = difflib.get_close_matches(str(word).lower(), lowered, n=1)
    return f" Did you mean {shown(lowered[close[0]])}?" if close else ""


def home_finding(path: str) -> str:
    """What to write instead of a path that begins with ``~``, which only a shell replaces."""
    return f"{path} begins with ~, which is not replaced here. Write {expanduser(path)}."


def path_hint(path: str) -> str:
    """Return what is probably wrong with a path at which there is no file, or ""."""
    if path.startswith("~"):
        return f" {home_finding(path)}"
    if "://" in path:
        return " Addresses are not read: download the file, and write its path."
    if "*" in path:
        return " Patterns are not expanded: a sheet has a line for each file."
    if "$" in path or path.startswith("%"):
        return " Variables are not replaced: write the path in full."
    return " Write / between folders, not \\." if "\\" in path else ""


def in_words(schema: dict) -> str:
    """Describe the values that a JSON schema allows.

    Parameters
    ----------
    schema : dict
        Uses only the keywords of the configuration's schema. A ``title`` replaces the rest.
    """
    if "title" in schema:
        return schema["title"]
    if "const" in schema:
        return shown(schema["const"])
    if "enum" in schema:
        return either(shown(value) for value in schema["enum"])
    if "anyOf" in schema:
        return either(in_words(choice) for choice in schema["anyOf"])
    kinds = schema.get("type", "object")
    if isinstance(kinds, list):
        return either(in_words({**schema, "type": kind}) for kind in kinds)
    if kinds == "array":
        return f"a list of at least one item, each {in_words(schema['items'])}"
    return _KINDS[kinds] + (_range(schema) if kinds in ("integer", "number") else "")


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "null": "null",
    "object": "a mapping of keys to values",
}

_LIMITS = {
    "minimum": "of at least",
    "exclusiveMinimum": "greater than",
    "maximum": "of at most",
    "exclusiveMaximum": "less than",
}


def _range(schema: dict) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']} to {schema['maximum']}"
    limits = [f"{words} {schema[key]}" for key, words in _LIMITS.items() if key in schema]
    return f" {' and '.join(limits)}" if limits else ""
