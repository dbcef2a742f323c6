"""Write the table of all experiments: sizes, accuracy, time and memory of every stage."""

import csv
import json
from pathlib import Path

from memwave import process
from memwave.files import replacing
from memwave.model_file import load_model
from memwave.projection_file import open_projection
from memwave.summary import COLUMNS, stage_columns


def write_summary(*, experiments: list[dict], usage: list[str], summary: str) -> None:
    """Write the summary.

    Parameters
    ----------
    experiments : list of dict
        Names of dataset, features and model, bytes of the features, paths of model and
        projection.
    usage : list of path
        What every job measured of itself (JSON).
    summary : path
        The TSV file to write.
    """
    measured = {path: json.loads(Path(path).read_text(encoding="utf-8")) for path in usage}
    stages = list(dict.fromkeys(use["stage"] for use in measured.values()))
    with (
        replacing(summary) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        rows = [{**describe(e), **stage_columns(e, measured, stages)} for e in experiments]
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)


def describe(experiment: dict) -> dict:
    """Everything about an experiment that does not depend on the machine."""
    model = load_model(experiment["model_file"])
    with open_projection(experiment["projection_file"]) as projection:
        facts = {
            "windows": len(projection["scores"]),
            "largest_residual": float(projection["residual"][()].max()),
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
    return {name: experiment.get(name, facts.get(name)) for name in COLUMNS}


if "snakemake" in globals():
    with process.stage(
        "write_summary",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        write_summary(
            experiments=snakemake.params.experiments,
            usage=snakemake.input.usage,
            summary=snakemake.output.summary,
        )
