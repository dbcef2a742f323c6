"""The columns of results/summary.tsv."""

from collections.abc import Sequence

from memwave.pca.diagnostics.comparison import FIGURES
from memwave.pca.model import CRITERIA

COLUMNS = (
    "dataset",
    "features",
    "model",
    "solver",
    "windows",
    "n_features",
    "feature_bytes",
    "n_components",
    *CRITERIA,
    "explained_variance_ratio",
    "reconstruction_error_train",
    "reconstruction_error_test",
    "largest_eigenvalue",
    "eigenvalue_error_bound",
    "largest_residual",
    "largest_error_bound",
    "reference",
    *FIGURES,
)

# Columns that the report shows first.
FIRST_COLUMNS = (
    "dataset",
    "features",
    "model",
    "solver",
    "windows",
    "n_features",
    "explained_variance_ratio",
    "reconstruction_error_test",
    "reference",
    *FIGURES,
    "fit_seconds",
    "fit_peak_mb",
)

FIT = ("summarize_features", "summarize_lags", "fit_model")


def stage_columns(folders: Sequence[str], measured: dict[str, dict], stages: list[str]) -> dict:
    """Return time and memory of the stages of one experiment.

    Parameters
    ----------
    folders : sequence of path
        Result folders of the experiment: of its dataset, its feature set, its model.
    measured : dict
        Measured usage of each job, by the path of its usage file.
    stages : list of str
        Names of all stages.

    Returns
    -------
    dict
        ``<stage>_seconds``, summed over the jobs, ``<stage>_peak_mb`` of the largest job, and
        ``<stage>_predicted_mb``. Values are "" if the experiment has no such stage.
    """
    own = tuple(f"{folder}/usage/" for folder in folders)
    columns: dict = {}
    for stage in stages:
        jobs = [
            use for path, use in measured.items() if path.startswith(own) and use["stage"] == stage
        ]
        columns[f"{stage}_seconds"] = round(sum(job["seconds"] for job in jobs), 3) if jobs else ""
        for name in ("peak", "predicted"):
            key = "peak_anonymous_mb" if name == "peak" else "predicted_mb"
            columns[f"{stage}_{name}_mb"] = max((job[key] for job in jobs), default="")
    return columns


def fit_columns(stages: dict) -> dict:
    """Return total time and peak memory of a fit, from the columns of the stages."""
    seconds = [stages.get(f"{stage}_seconds") or 0.0 for stage in FIT]
    peaks = [stages.get(f"{stage}_peak_mb") or 0.0 for stage in FIT]
    return {"fit_seconds": round(sum(seconds), 3), "fit_peak_mb": max(peaks)}
