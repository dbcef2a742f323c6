"""The configuration: validated, all problems reported at once, defaults added."""

from dataclasses import dataclass
from itertools import product
from typing import Any

from memwave.core.errors import ConfigurationError
from memwave.workflow.config.grids import expand_grids
from memwave.workflow.config.matrices import (
    NO_RECORDINGS,
    matrix_findings,
    names_in,
    with_columns_as_features,
)
from memwave.workflow.config.names import SECTIONS, name_findings
from memwave.workflow.config.schema.composed import filled, schema
from memwave.workflow.config.schema.findings import schema_findings

# Most entries of a configuration, including aliases. Real ones have fewer than a thousand.
MOST_ENTRIES = 100_000


@dataclass(frozen=True)
class Experiment:
    """Names of the dataset, the feature set and the model of one experiment."""

    dataset: str
    features: str
    model: str


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
    findings = [*schema_findings(config, schema()), *name_findings(config)]
    findings += matrix_findings(config)
    if findings:
        raise ConfigurationError(tuple(dict.fromkeys(findings)))
    settings = filled(config, schema())
    for dataset in filter(is_matrix, settings["datasets"].values()):
        dataset.update({key: value for key, value in NO_RECORDINGS.items() if key not in dataset})
    return settings


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
    return filled(model, schema()["properties"]["models"]["additionalProperties"])


def complete_features(features: dict) -> dict:
    """Fill in the defaults of one valid entry of ``features``."""
    return filled(features, schema()["properties"]["features"]["additionalProperties"])


def model_findings(model: dict) -> list[str]:
    """Return what the schema does not admit in one entry of ``models``."""
    return _findings_of(model, "models")


def feature_set_findings(features: dict) -> list[str]:
    """Return what the schema does not admit in one entry of ``features``."""
    return _findings_of(features, "features")


def _findings_of(entry: dict, section: str) -> list[str]:
    rules = schema()["properties"][section]["additionalProperties"]
    return list(dict.fromkeys(schema_findings(entry, rules)))


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
        for names in product(*(names_in(entry[key]) for key in SECTIONS))
    )
    return tuple(dict.fromkeys(found))
