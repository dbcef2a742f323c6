"""What to write instead of a key or a value that is not allowed, where that is easily guessed."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from memwave.core.messages import did_you_mean, listed, shown

# Hint for a boolean where a text is expected.
BOOLEAN_HINT = " YAML takes on, off, yes and no for true and false; write the word in quotes."


def key_hint(key: Any, value: Any, known: Iterable[str]) -> str:
    """Return what to write instead of an unknown key.

    A missing space after a colon, or a missing colon, joins key and value. In braces, a decimal
    comma ends the value, and what follows it becomes a key.
    """
    known = list(known)
    if value is None and not isinstance(key, str):
        return (
            " A comma in {...} ends a value: write a point for decimals, and texts with commas in "
            "quotes."
        )
    joined = re.fullmatch(r"(\w+)(?::|\s+)(.+)", key) if isinstance(key, str) else None
    if value is None and joined and joined[1] in known:
        return f" Write a colon and a space after the key: {joined[1]}: {joined[2]}."
    return did_you_mean(key, known)


def name_hint(name: Any) -> str:
    """Return what to write instead of a name that YAML does not take for a text."""
    if isinstance(name, bool):
        return BOOLEAN_HINT
    return "" if isinstance(name, str) else f" Write it in quotes: {shown(str(name))}."


def value_hint(value: Any, is_valid: Callable[[Any], bool], choices: Iterable[Any]) -> str:
    """Return what to write instead of a value that is not allowed.

    Parameters
    ----------
    value : object
    is_valid : callable
        Whether another value would be allowed.
    choices : iterable
        The words that are allowed, if only some are.
    """
    if isinstance(value, bool):
        return BOOLEAN_HINT if is_valid("x") else ""
    if isinstance(value, int | float):
        return name_hint(value) if is_valid(str(value)) else ""
    if not isinstance(value, str):
        return ""
    number = _number(value)
    if number is not None and is_valid(number):
        return f" Write {shown(number)}, a number without quotes."
    words = [word for word in re.split(r"[,\s]+", value) if word]
    if words and is_valid(words):
        return f" Write [{listed(words)}], a list in brackets."
    return did_you_mean(value, choices)


def _number(text: str) -> int | float | None:
    """Return the number that a text contains: 128, 1e2, 0,5 or 95%; 1,000 could be two numbers."""
    plain = text.strip().replace(",", ".")
    try:
        number = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        return None
    if not math.isfinite(number) or re.search(r",\d{3}$", text.strip()):
        return None
    return int(number) if number.is_integer() and "%" not in plain else number
