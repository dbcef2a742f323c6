"""Write the tables of all experiments: sizes, accuracy, time and memory of every stage."""

import csv
from collections.abc import Sequence

import h5py
import numpy as np

from memwave.pca.diagnostics.comparison import compare, most_exact
from memwave.results.model_file import load_model
from memwave.results.projection_file import open_projection
from memwave.results.summary.columns import COLUMNS, FIRST_COLUMNS, fit_columns, stage_columns
from memwave.results.summary.table import table_page
from memwave.storage.atomic import replacing
from memwave.storage.receipts import load_receipt
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.summary import SummarizedExperiment


def write_summary(
    experiments: Sequence[SummarizedExperiment],
    *,
    usages: Sequence[str],
    summary: str,
    table: str,
) -> None:
    """Write the summary.

    Parameters
    ----------
    experiments : sequence of SummarizedExperiment
    usages : sequence of path
        Usage files of all jobs, with measured time and memory (JSON).
    summary : path
        The TSV file to write.
    table : path
        The HTML file to write: the same table, which can be sorted and searched.
    """
    measured = {path: load_receipt(path) for path in usages}
    stages = list(dict.fromkeys(use["stage"] for use in measured.values()))
    rows = [describe(experiment) for experiment in experiments]
    add_accuracy(rows, experiments)
    for row, experiment in zip(rows, experiments, strict=True):
        columns = stage_columns(experiment.folders, measured, stages)
        row |= fit_columns(columns) | columns
    with (
        replacing(summary) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
    page = table_page("memwave: all experiments", rows, FIRST_COLUMNS)
    with replacing(table) as temporary:
        temporary.write_text(page, encoding="utf-8")


def describe(experiment: SummarizedExperiment) -> dict:
    """Return the columns of an experiment that do not depend on the machine."""
    model = load_model(experiment.model_file)
    with open_projection(experiment.projection_file) as projection:
        facts = {
            "windows": len(projection["scores"]),
            "feature_bytes": len(projection["scores"]) * experiment.row_bytes,
            "largest_residual": float(projection["residual"][()].max()),
            "largest_error_bound": float(error_bound(projection).max()),
            "reconstruction_error_train": projection.attrs.get("reconstruction_error_train", ""),
            "reconstruction_error_test": projection.attrs.get("reconstruction_error_test", ""),
        }
    facts |= {
        "n_features": model.n_features,
        "n_components": model.n_components,
        "solver": model.solver,
        "explained_variance_ratio": float(model.explained_variance_ratio.sum()),
        "largest_eigenvalue": float(model.explained_variance[0]),
        "eigenvalue_error_bound": model.eigenvalue_error_bound,
    }
    facts |= model.selection.get("suggested", {})
    facts |= {
        "dataset": experiment.dataset,
        "features": experiment.features,
        "model": experiment.model,
    }
    return {name: facts.get(name, "") for name in COLUMNS}


def error_bound(projection: h5py.File) -> np.ndarray:
    """Error bounds of the explained variances; nan in files of older versions."""
    if "error_bound" in projection:
        return projection["error_bound"][()]
    return np.full(len(projection["component"]), np.nan)


def add_accuracy(rows: list[dict], experiments: Sequence[SummarizedExperiment]) -> None:
    """Compare every model with the most accurate one of the same features."""
    groups: dict[tuple, list[int]] = {}
    for i, experiment in enumerate(experiments):
        # Components of correlations and of covariances cannot be compared.
        kind = (experiment.dataset, experiment.features, is_standardized(experiment))
        groups.setdefault(kind, []).append(i)
    for group in groups.values():
        bounds = [rows[i]["largest_error_bound"] for i in group]
        best = group[most_exact(bounds, [rows[i]["n_components"] for i in group])]
        reference = measured_model(experiments[best])
        for i in group:
            rows[i]["reference"] = experiments[best].model
            rows[i] |= compare(*measured_model(experiments[i]), *reference)


def is_standardized(experiment: SummarizedExperiment) -> bool:
    """Whether a model was fitted to standardized features."""
    with h5py.File(experiment.model_file, "r", locking=False) as file:
        return "scale" in file


def measured_model(experiment: SummarizedExperiment) -> tuple:
    """Return a model and the variances of its scores."""
    with open_projection(experiment.projection_file) as projection:
        captured = projection["captured_variance"][()]
    return load_model(experiment.model_file), captured


if "snakemake" in globals():
    run_script(snakemake, write_summary)
