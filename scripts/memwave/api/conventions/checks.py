"""Checks of the parameters of an estimator that are not those of its solver."""

import math
from typing import Any

from memwave.core.messages import either, shown

# What is done with rows that have missing values.
MISSING = ("error", "drop")


def findings_of(params: dict[str, Any]) -> list[str]:
    """Say what is wrong with parameters of `memwave.PCA`; empty if nothing is."""
    valid = {
        "threads": (_is_whole(params["threads"], 1), "a whole number of at least 1"),
        "max_mem_mb": (_is_whole(params["max_mem_mb"], 1), "a whole number of at least 1"),
        "max_components": (_is_whole(params["max_components"], 1), "a whole number of at least 1"),
        "random_state": (
            params["random_state"] is None or _is_whole(params["random_state"], 0),
            "a whole number of at least 0, or None",
        ),
        "missing": (params["missing"] in MISSING, either(map(shown, MISSING))),
        "shards": (
            params["shards"] == "auto" or _is_whole(params["shards"], 1),
            "a whole number of at least 1, or 'auto'",
        ),
        "block_mb": (_is_size(params["block_mb"]), "a number above 0"),
        "certify": (isinstance(params["certify"], bool), "True or False"),
        "verbose": (isinstance(params["verbose"], bool | int), "True or False"),
    }
    return [
        f"{name}: found {shown(params[name])}, expected {expected}."
        for name, (is_valid, expected) in valid.items()
        if not is_valid
    ]


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf
