"""Project a recording onto a fitted model, without the workflow.

Missing values, sampling rate and scaling of the channels are treated as for the dataset that the
model was fitted on, and features are computed in the same way. Nothing is fitted.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from memwave import __version__
from memwave.core.errors import MemwaveError
from memwave.core.messages import shown
from memwave.core.precision import compute_dtype
from memwave.core.progress import Progress
from memwave.features.spec import FeatureSpec
from memwave.pca.diagnostics.monitored import LEVELS
from memwave.pca.lags.recording_scores import FeatureScoring
from memwave.pca.projection import Projector
from memwave.readers import file_of, open_array, options_of
from memwave.recordings.channels.groups import channel_groups, group_rows
from memwave.recordings.resampling import Ratio, ratio_of, resampled_rows
from memwave.recordings.segments import ChannelGroup, PlannedRecording, Segment
from memwave.recordings.valid_windows import find_valid
from memwave.results.extraction import load_extraction
from memwave.results.model_file import fitted_dataset, load_given, load_provenance
from memwave.results.monitoring.limits import QUANTILE, Limits
from memwave.results.monitoring.tables import load_quantiles
from memwave.results.partial_projection import require_visible
from memwave.results.projection_file import ProjectionWriter, projection_size
from memwave.storage import hdf5
from memwave.storage.atomic import require_unread
from memwave.workflow import paths
from memwave.workflow.planning.memory.blocks import extraction_rows, measuring_rows


def project_recording(
    *,
    model_path: str,
    recording: str,
    projection: str,
    dtype: str | None = None,
    sampling_rate: float | None = None,
    step: int | None = None,
    score_dtype: str = "float32",
    block_mb: float = 32,
    verbose: bool = False,
) -> None:
    """Project one recording.

    Parameters
    ----------
    model_path : path
        A model.h5.
    recording : path
        As in a recordings sheet, in a format that can be read by slices.
    projection : path
        The HDF5 file to write. All windows have split test.
    dtype : str, optional
        Type of the values of a raw file.
    sampling_rate : float, optional
        Rows per second, in Hz. Needed if the dataset of the model was resampled and the file does
        not contain its rate.
    step : int, optional
        Rows from the start of one window to the start of the next; by default that of the model.
    score_dtype : {"float32", "float64"}
        Type of the scores.
    block_mb : float
        Size of the blocks of features. The memory needed is a few times that and the model.
    verbose : bool
        Draw a progress bar on standard error.

    Raises
    ------
    MemwaveError
        If the recording has other channels, is shorter than a window, or has a value that is not
        finite and that the dataset of the model does not allow, or if a feature overflows its type.
    """
    require_unread(projection, (model_path, file_of(recording)))
    _require_numbers(step, sampling_rate)
    model = load_given(model_path)
    spec, scaling = load_extraction(model_path)
    spec = replace(spec, step=step or spec.step)
    planned = plan_recording(model_path, recording, spec, dtype, sampling_rate)
    segments = segments_of(planned, spec)
    count = sum(segment.count for segment in segments)
    computed = compute_dtype("auto", spec.dtype)
    projector = Projector(model, computed)
    block_rows = extraction_rows(spec, block_mb)
    scoring = FeatureScoring(spec, scaling, projector, min(block_rows, count), computed)
    progress = Progress(count, f"transform {planned.name}", on_terminal=verbose)
    with hdf5.create(projection, projection_size(count, model.n_components, score_dtype)) as file:
        writer = ProjectionWriter(
            file, count, model.n_components, score_dtype, [planned.name], labels=None
        )
        for segment in segments:
            writer.append_windows(
                segment.count, first=segment.first, recording=0, step=spec.step, split="test"
            )
            for scores, errors in scoring.project(segment, is_train=False):
                writer.append_scores(scores, errors, projector.hotelling_t2(scores))
                progress.add(len(scores))
        progress.close()
        require_visible(projector, count, score_dtype)
        writer.monitor(model, LEVELS, QUANTILE, limits_of(model_path))
        total, error = projector.error_sums[1]
        share = float(error / total) if total > 0 else 0.0
        facts = {"solver": model.solver, "window": spec.window, "step": spec.step}
        made_by = {"model": load_provenance(model_path), "versions": {"memwave": __version__}}
        writer.finish({**facts, "reconstruction_error_test": share}, made_by)


def _require_numbers(step: Any, sampling_rate: Any) -> None:
    """Require numbers that can be a step and a rate, where they are given."""
    if step is not None and not (isinstance(step, Integral) and int(step) >= 1):
        raise MemwaveError(
            f"step is {shown(step)}, expected a whole number of rows, of at least 1."
        )
    is_rate = isinstance(sampling_rate, Real) and 0 < float(sampling_rate) < math.inf
    if sampling_rate is not None and not is_rate:
        raise MemwaveError(
            f"sampling_rate is {shown(sampling_rate)}, expected a number of rows a second above 0."
        )


def limits_of(model_path: str) -> Limits | None:
    """The limits in the table beside a model; None if there is no such table."""
    path = Path(model_path).with_name(Path(paths.LIMITS).name)
    return load_quantiles(path, LEVELS) if path.exists() else None


def plan_recording(
    model_path: str,
    path: str,
    spec: FeatureSpec,
    dtype: str | None,
    sampling_rate: float | None,
) -> PlannedRecording:
    """Plan a recording with the settings of the dataset on which the model was fitted.

    Raises
    ------
    MemwaveError
        If it has other channels, or its sampling rate is unknown or cannot be resampled.
    """
    dataset = fitted_dataset(model_path)
    rate = sampling_rate or dataset.get("sampling_rate")
    options = options_of(path, {**dataset, "sampling_rate": rate})

    def ratio_to_dataset(rate: float | None) -> Ratio | None:
        return _ratio(model_path, path, dataset, rate)

    groups: tuple[ChannelGroup, ...] = ()
    if sampling_rate is None and dataset.get("resample", "none") != "none":
        groups = channel_groups(path, spec.channels, ratio_to_dataset)
    if groups:
        rows, ratio = min(group_rows(path, group) for group in groups), groups[0].resample
    else:
        with open_array(path, dtype, spec.channels, options) as source:
            shape, rate = source.shape, sampling_rate or source.sampling_rate
        if len(shape) != 2 or shape[1] != spec.n_channels:
            raise MemwaveError(
                f"{path}: has shape {shape}, expected rows x {spec.n_channels}: {model_path} has "
                f"the channels {', '.join(spec.channels)}."
            )
        ratio = ratio_to_dataset(rate)
        rows = resampled_rows(shape[0], ratio)
    return PlannedRecording(
        name=Path(path).stem,
        path=path,
        dtype=dtype,
        rows=rows,
        resample=ratio,
        missing=dataset.get("missing", "error"),
        max_gap=dataset.get("max_gap"),
        options=options,
        groups=groups,
    )


def _ratio(model_path: str, path: str, dataset: dict, rate: float | None) -> Ratio | None:
    """Return the ratio that brings a rate to that of the dataset; None if none is needed."""
    if dataset.get("resample", "none") == "none":
        return None
    wanted = dataset["sampling_rate"]
    ratio = ratio_of(rate, wanted) if rate else None
    if ratio is None:
        raise MemwaveError(
            f"{path}: has a sampling rate of {rate} Hz, and {model_path} was fitted to "
            f"recordings resampled to {wanted:g} Hz. Give its exact rate by --sampling-rate."
        )
    return None if ratio == (1, 1) else ratio


def segments_of(recording: PlannedRecording, spec: FeatureSpec) -> Sequence[Segment]:
    """Return the windows that can be projected; raise MemwaveError if there are none."""
    count = spec.windows.count(recording.rows)
    if not count:
        raise MemwaveError(
            f"{recording.path}: has {recording.rows} rows, expected at least {spec.window}, the "
            "window of the model."
        )
    whole = Segment(recording, 0, count, 0)
    if recording.missing != "drop":
        return [whole]
    found, row = [], 0
    block_rows = measuring_rows(spec.n_channels)
    for start, stop in find_valid(whole, spec.windows, spec.channels, block_rows):
        found.append(Segment(recording, start, stop - start, row))
        row += stop - start
    if not found:
        raise MemwaveError(f"{recording.path}: every window contains a missing value.")
    return found
