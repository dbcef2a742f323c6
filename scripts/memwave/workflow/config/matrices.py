"""Datasets that are matrices: which keys they have, and the features of their experiments."""

from collections.abc import Iterator
from typing import Any

from memwave.core.messages import listed, shown

# The feature set of every matrix: its columns. No other one may have that name.
MATRIX = "matrix"

# Keys that a matrix has, and those that recordings do not have.
OF_MATRIX = ("matrix", "dtype", "columns", "missing", "values", "label_names")
OF_MATRIX_ALONE = ("matrix", "dtype", "columns")

# What the plan asks of recordings, as it is for a matrix.
NO_RECORDINGS: dict[str, Any] = {
    "channels": [],
    "sampling_rate": None,
    "resample": "none",
    "max_gap": None,
    "window_label": "last",
    "units": {},
}


def with_columns_as_features(config: Any) -> Any:
    """Give experiments without ``features`` those of a matrix; anything else is left as it is."""
    experiments = config.get("experiments") if isinstance(config, dict) else None
    if not isinstance(experiments, list):
        return config
    matrices = _matrices(config)

    def completed(entry: Any) -> Any:
        if not isinstance(entry, dict) or "features" in entry:
            return entry
        names = names_in(entry.get("dataset"))
        return {**entry, "features": MATRIX} if names and set(names) <= matrices else entry

    return {**config, "experiments": [completed(entry) for entry in experiments]}


def matrix_findings(config: Any) -> Iterator[str]:
    """Feature sets on matrices, recordings without feature sets, and the reserved name."""
    if not isinstance(config, dict):
        return
    features = config.get("features")
    if isinstance(features, dict) and MATRIX in features:
        yield (
            f"features.{MATRIX}: the name stands for the columns of a matrix. Give the feature set "
            "another name."
        )
    matrices, experiments = _matrices(config), config.get("experiments")
    for i, entry in enumerate(experiments if isinstance(experiments, list) else ()):
        if not isinstance(entry, dict):
            continue
        names = names_in(entry.get("dataset"))
        wanted = names_in(entry.get("features"))
        with_features = [name for name in wanted if name != MATRIX]
        on_matrices = [name for name in names if name in matrices]
        on_recordings = [name for name in names if name not in matrices]
        if on_matrices and with_features:
            yield (
                f"experiments[{i}].features: found {listed(map(shown, with_features))}, but "
                f"datasets.{on_matrices[0]} is a matrix, whose columns are the features. Remove "
                "features, or put the matrix into an experiment of its own."
            )
        elif on_recordings and ("features" not in entry or MATRIX in wanted):
            yield (
                f"experiments[{i}].features: missing. Expected the name of a feature set, since "
                f"datasets.{on_recordings[0]} has recordings; add it."
            )


def _matrices(config: dict) -> set[str]:
    datasets = config.get("datasets")
    found = datasets.items() if isinstance(datasets, dict) else ()
    return {name for name, entry in found if isinstance(entry, dict) and "matrix" in entry}


def names_in(value: Any) -> list[str]:
    """Return the names in a value of an experiment, which is a name or a list of names."""
    listed_names = value if isinstance(value, list) else [value]
    return [name for name in listed_names if isinstance(name, str)]
