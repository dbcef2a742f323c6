"""Checks of the options of a dataset: gaps, resampling, and the memory of conversions."""

from collections.abc import Iterator

from memwave.readers import library_bytes
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.planning.memory.stages import conversion_mb, labelling_mb


def gap_findings(name: str, dataset: dict) -> Iterator[str]:
    """Check that ``max_gap`` is set if gaps are filled, and only then."""
    most, missing = dataset["max_gap"], dataset["missing"]
    if missing == "interpolate" and most is None:
        yield (
            f"datasets.{name}.max_gap: missing: interpolate needs the length of the longest gap to "
            "fill, in rows; add it."
        )
    if missing != "interpolate" and most is not None:
        yield (
            f"datasets.{name}.max_gap: found {most}, but missing is {missing}: no gap is filled. "
            "Set missing: interpolate, or remove max_gap."
        )


def resample_findings(name: str, dataset: dict) -> Iterator[str]:
    """Check that a dataset with resampling has a sampling rate and allows no gaps."""
    if dataset["resample"] == "none":
        return
    if dataset["sampling_rate"] is None:
        yield (
            f"datasets.{name}.sampling_rate: resample: polyphase needs the rate to which all "
            "recordings are resampled, in Hz; add it."
        )
    if dataset["missing"] != "error":
        yield (
            f"datasets.{name}.resample: recordings with gaps cannot be resampled, but missing is "
            f"{dataset['missing']}. Set missing: error, or resample: none and a dataset for each "
            "sampling rate."
        )


def conversion_findings(recordings: tuple[CheckedRecording, ...], limit: int) -> Iterator[str]:
    """Find recordings and labels whose conversion needs more than ``max_mem_mb``."""
    needs = {}
    for recording in recordings:
        if recording.path != recording.source:
            need = conversion_mb(library_bytes([recording.source]))
            needs["convert_recordings", recording.source] = need
        if recording.label_source and recording.converts_labels:
            need = labelling_mb(library_bytes([recording.label_source]))
            needs["convert_labels", recording.label_source] = need
    for (stage, path), need in needs.items():
        if need > limit:
            yield (
                f"max_mem_mb: stage {stage} of {path} needs {need} MB, max_mem_mb is {limit}. "
                f"Raise it to {need}, or convert the file to .npy."
            )
