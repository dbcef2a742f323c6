"""Paths of results and logs, each defined once: patterns with the wildcards of the rules."""

from collections.abc import Iterable

DATASET = "results/{dataset}"
FEATURE_SET = f"{DATASET}/{{features}}"
EXPERIMENT = f"{FEATURE_SET}/{{model}}"

CONVERTED_RECORDING = f"{DATASET}/recordings/{{recording}}.npy"
CONVERTED_CHECKSUMS = f"{CONVERTED_RECORDING}.xxh3"
CONVERTED_LABELS = f"{DATASET}/labels/{{recording}}.h5"
CHANNELS = f"{DATASET}/channels.tsv"

VALID_WINDOWS = f"{FEATURE_SET}/gaps/{{shard}}.h5"
SHARD = f"{FEATURE_SET}/features/{{shard}}.npy"
SHARD_CHECKSUMS = f"{SHARD}.xxh3"
FEATURE_MEASURES = f"{FEATURE_SET}/measures/{{shard}}.h5"

FEATURE_SUMMARY = f"{EXPERIMENT}/summaries/{{shard}}.h5"
LAG_SUMMARY = f"{EXPERIMENT}/lags/{{shard}}.h5"
MODEL = f"{EXPERIMENT}/model.h5"
FEATURE_PROJECTION = f"{EXPERIMENT}/parts/{{shard}}.h5"
RECORDING_PROJECTION = f"{EXPERIMENT}/scores/{{shard}}.h5"
PROJECTION = f"{EXPERIMENT}/projection.h5"
PROVENANCE = f"{EXPERIMENT}/provenance.json"
LIMITS = f"{EXPERIMENT}/limits.tsv"
ALARMS = f"{EXPERIMENT}/alarms.tsv"
CONTRIBUTIONS = f"{EXPERIMENT}/contributions.h5"

SPECTRUM = f"{EXPERIMENT}/plots/spectrum.svg"
COMPONENTS = f"{EXPERIMENT}/plots/components.svg"
SCORES = f"{EXPERIMENT}/plots/scores.svg"
SCORES_IN_TIME = f"{EXPERIMENT}/plots/scores-in-time.svg"
RECONSTRUCTION = f"{EXPERIMENT}/plots/reconstruction.svg"
MONITORING = f"{EXPERIMENT}/plots/monitoring.svg"
HIGHEST = f"{EXPERIMENT}/plots/highest-windows.svg"
EXPLORE = f"{EXPERIMENT}/explore.html"
FIGURES = (SPECTRUM, COMPONENTS, SCORES, SCORES_IN_TIME, RECONSTRUCTION, MONITORING, HIGHEST)

# What compares all experiments of a configuration; `run` is "", or of a configuration with a name.
RUN = "results{run}"
SUMMARY = f"{RUN}/summary.tsv"
SUMMARY_PAGE = f"{RUN}/summary.html"
COMPARISON = f"{RUN}/plots/comparison.svg"
MEMORY = f"{RUN}/plots/memory.svg"

# What the report says of a figure of an experiment.
LABELS = {"dataset": "{dataset}", "features": "{features}", "model": "{model}"}

# Wildcards of the jobs of each stage: in the names of folders, and one in the name of a file.
SCOPES: dict[str, tuple[str, str | None]] = {
    "convert_recordings": (DATASET, "batch"),
    "convert_labels": (DATASET, "batch"),
    "measure_channels": (DATASET, None),
    "find_gaps": (FEATURE_SET, "shard"),
    "extract_features": (FEATURE_SET, "shard"),
    "measure_features": (FEATURE_SET, "shard"),
    "summarize_features": (EXPERIMENT, "shard"),
    "summarize_lags": (EXPERIMENT, "shard"),
    "fit_model": (EXPERIMENT, None),
    "adopt_model": (EXPERIMENT, None),
    "project_features": (EXPERIMENT, "shard"),
    "project_recordings": (EXPERIMENT, "shard"),
    "write_projection": (EXPERIMENT, None),
    "write_summary": (RUN, None),
    "plot_experiment": (EXPERIMENT, None),
    "plot_explore": (EXPERIMENT, None),
    "plot_summary": (RUN, None),
}

# Parts of jobs: each file that a batch converts has a receipt of its own.
PARTS: dict[str, str] = {
    "converted_recording": "convert_recordings",
    "converted_labels": "convert_labels",
}
SCOPES |= dict.fromkeys(PARTS, (DATASET, "recording"))

# Outputs of the jobs of a stage, other than their receipts.
OUTPUTS: dict[str, tuple[str, ...]] = {
    "convert_recordings": (),
    "convert_labels": (),
    "converted_recording": (CONVERTED_RECORDING, CONVERTED_CHECKSUMS),
    "converted_labels": (CONVERTED_LABELS,),
    "measure_channels": (CHANNELS,),
    "find_gaps": (VALID_WINDOWS,),
    "extract_features": (SHARD, SHARD_CHECKSUMS),
    "measure_features": (FEATURE_MEASURES,),
    "summarize_features": (FEATURE_SUMMARY,),
    "summarize_lags": (LAG_SUMMARY,),
    "fit_model": (MODEL,),
    "project_features": (FEATURE_PROJECTION,),
    "project_recordings": (RECORDING_PROJECTION,),
    "write_projection": (PROJECTION, PROVENANCE, LIMITS, ALARMS, CONTRIBUTIONS),
    "write_summary": (SUMMARY, SUMMARY_PAGE),
    "plot_experiment": FIGURES,
    "plot_explore": (EXPLORE,),
    "plot_summary": (COMPARISON, MEMORY),
}


def run_folder(name: str | None) -> str:
    """The part of a path that stands for ``run``: ``/runs/<name>``; empty without a name."""
    return f"/runs/{name}" if name else ""


def results_of(datasets: Iterable[str]) -> list[str]:
    """Folders of the results of datasets."""
    return [DATASET.format(dataset=dataset) for dataset in datasets]


def usage(stage: str) -> str:
    """Pattern of the receipts of the jobs of a stage, which also have their time and memory."""
    folder, each = SCOPES[stage]
    return f"{folder}/usage/{stage}/{{{each}}}.json" if each else f"{folder}/usage/{stage}.json"


def log(stage: str) -> str:
    """Pattern of the logs of a stage."""
    return f"{_of_job('logs', stage)}.log"


def message(stage: str) -> str:
    """The message when a job of a stage starts."""
    folder, each = SCOPES[stage]
    subject = "" if folder == RUN else folder.removeprefix("results/").replace("{", "{wildcards.")
    of = f": {subject}" if subject else ""
    which = f", {each} {{wildcards.{each}}}" if each else ""
    return f"{stage}{of}{which} ({{resources.mem_mb}} MB)"


def _of_job(folder: str, stage: str) -> str:
    scope, each = SCOPES[stage]
    path = f"{folder}/{stage}{scope.removeprefix('results')}"
    return f"{path}/{{{each}}}" if each else path
