"""Recordings in a notebook: features of windows, scores of a model, and back to the signal."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from memwave.api.fitting import computing
from memwave.api.planning import InvalidParameter
from memwave.api.recordings.projecting import project_recording
from memwave.api.recordings.reconstructing import reconstruct_recording
from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress
from memwave.features.extract import feature_blocks
from memwave.features.spec import FeatureSpec
from memwave.readers import file_of, open_array
from memwave.recordings.segments import PlannedRecording, Segment
from memwave.storage.atomic import require_unread
from memwave.storage.shards import create_shard
from memwave.workflow.config.checks.features import feature_findings
from memwave.workflow.config.settings import complete_features, feature_set_findings
from memwave.workflow.planning.memory.blocks import extraction_rows


def extract_features(
    recording: str | os.PathLike,
    out: str | os.PathLike,
    *,
    window: int,
    channels: Sequence[str] | None = None,
    recording_dtype: str | None = None,
    block_mb: float = 32,
    verbose: bool = False,
    **features: Any,
) -> np.memmap:
    """Compute wavelet features of all windows of a recording, into a file.

    Parameters
    ----------
    recording : path
        A file of rows x channels that is read by slices: ``.npy``, raw, ``x.h5::/path``, ...
    out : path
        The ``.npy`` file to write, and ``<out>.xxh3`` with its checksums.
    window : int
        Rows of a window.
    channels : sequence of str, optional
        Channels to read, by name where the file names them. By default all columns of a file that
        tells how many it has.
    recording_dtype : str, optional
        Type of the values of a raw file.
    block_mb : float
        Size of the blocks that are computed at once; the memory needed is a few times that.
    verbose : bool
        Draw a progress bar on standard error.
    **features
        Further keys of a feature set, as in the configuration: ``step``, ``wavelet``, ``level``,
        ``bands``, ``layout``, ``mode``, ``dtype``.

    Returns
    -------
    memmap, shape (n_windows, n_features)
        Read-only; `memwave.PCA` reads it through its file.

    Raises
    ------
    MemwaveError
        If a key is unknown, the recording is shorter than a window, or has a value that is not
        finite; names row and channel.

    Examples
    --------
    >>> import memwave, numpy, os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> path, out = os.path.join(folder, "x.npy"), os.path.join(folder, "features.npy")
    >>> numpy.save(path, numpy.random.default_rng(0).normal(size=(1000, 4)))
    >>> features = memwave.extract_features(
    ...     path, out, window=64, wavelet="db2", level=1, bands=["a1"]
    ... )
    >>> features.shape
    (937, 132)
    >>> memwave.PCA(n_components=3).fit(features).transform(features).shape
    (937, 3)
    """
    path, out = os.fspath(recording), os.fspath(out)
    require_unread(out, [file_of(path)])
    settings = _complete({"window": window, **features})
    with open_array(path, recording_dtype, channels) as source:
        shape = source.shape
    if len(shape) != 2:
        raise MemwaveError(f"{path}: has shape {shape}, expected rows x channels.")
    names = tuple(channels or (f"channel {i}" for i in range(shape[1])))
    if len(names) != shape[1]:
        raise MemwaveError(
            f"{path}: has {shape[1]} columns, expected {len(names)}: one for each of channels."
        )
    findings = list(feature_findings("", settings, names))
    if findings:
        raise InvalidParameter(" ".join(text.removeprefix("features..") for text in findings))
    spec = FeatureSpec.from_settings(settings, names)
    planned = PlannedRecording(os.path.basename(path), path, recording_dtype, shape[0])
    count = spec.windows.count(shape[0])
    if not count:
        raise MemwaveError(
            f"{path}: has {shape[0]} rows, expected at least a window of {window} rows."
        )
    progress = Progress(count, "extract_features", on_terminal=verbose)
    whole = [Segment(planned, 0, count, 0)]
    block_rows = extraction_rows(spec, block_mb)
    with computing(), create_shard(out, (count, spec.n_features), spec.dtype) as target:
        for block in feature_blocks(spec, whole, block_rows, None, target.next_rows):
            progress.add(len(block))
            del block  # a file map releases its pages
    progress.close()
    return np.load(out, mmap_mode="r")


def _complete(settings: dict) -> dict:
    findings = feature_set_findings(settings)
    if findings:
        raise InvalidParameter(" ".join(findings))
    return complete_features(settings)


def project(
    model: str | os.PathLike,
    recording: str | os.PathLike,
    out: str | os.PathLike,
    *,
    recording_dtype: str | None = None,
    sampling_rate: float | None = None,
    step: int | None = None,
    verbose: bool = False,
) -> None:
    """Project a recording onto a model that the workflow fitted to recordings.

    Parameters
    ----------
    model : path
        A ``model.h5``, which contains the options of its features.
    recording : path
        With the model's channels.
    out : path
        The ``projection.h5`` to write: scores, errors, and the first row of each window.
    recording_dtype : str, optional
        Type of the values of a raw file.
    sampling_rate : float, optional
        Rows a second, if the file does not state it and the model's dataset was resampled.
    step : int, optional
        Rows from window to window; by default as in the model.
    verbose : bool
        Draw a progress bar on standard error.

    Raises
    ------
    MemwaveError
        If the recording does not go with the model.
    """
    with computing():
        project_recording(
            model_path=os.fspath(model),
            recording=os.fspath(recording),
            projection=os.fspath(out),
            dtype=recording_dtype,
            sampling_rate=sampling_rate,
            step=step,
            verbose=verbose,
        )


def reconstruct(
    model: str | os.PathLike,
    projection: str | os.PathLike,
    recording: str,
    out: str | os.PathLike,
) -> np.memmap:
    """Go back from the scores of a recording to its rows.

    Parameters
    ----------
    model, projection : path
        A ``model.h5`` of recordings, and a projection onto it.
    recording : str
        Its name in the projection.
    out : path
        The ``.npy`` file to write.

    Returns
    -------
    memmap, shape (n_rows, n_channels), float64
        Read-only; NaN where there is no window.
    """
    with computing():
        reconstruct_recording(
            model_path=os.fspath(model),
            projection=os.fspath(projection),
            recording=recording,
            output=os.fspath(out),
        )
    return np.load(out, mmap_mode="r")
