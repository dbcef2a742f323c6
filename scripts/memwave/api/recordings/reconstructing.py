"""Go back from scores to the signal of a recording, and say how near it comes."""

import json
from bisect import bisect_left, bisect_right

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import rate_text
from memwave.core.moments import Moments
from memwave.core.ranges import spans
from memwave.features.overlap_add import Overlap, windows_of
from memwave.pca.projection import features_of
from memwave.readers import DEFAULTS, Options, open_array, options_of
from memwave.recordings.prepared import open_recording
from memwave.recordings.resampling import Ratio, ratio_of, resampled_rows
from memwave.recordings.segments import PlannedRecording
from memwave.results.extraction import load_extraction
from memwave.results.model_file import load_given
from memwave.results.projection_file import open_projection
from memwave.storage import hdf5
from memwave.storage.atomic import replacing, require_unread
from memwave.workflow.planning.memory.blocks import extraction_rows

# Rows compared at once.
COMPARED_ROWS = 65_536


def reconstruct_recording(
    *, model_path: str, projection: str, recording: str, output: str, block_mb: float = 32
) -> None:
    """Reconstruct one recording, in blocks of windows.

    Parameters
    ----------
    model_path, projection : path
        A model.h5, and a projection onto it.
    recording : str
        Name of the recording in the projection.
    output : path
        The .npy file to write, float64, rows x channels, up to the last row of the last window.
        Rows that no window covers are NaN. Bands that are not features count as zeros.
    block_mb : float
        Size of a block of features, in MB. Memory is a few times this size, plus the model.

    Raises
    ------
    MemwaveError
        If the recording is not in the projection, or the projection is of another model.
    """
    require_unread(output, (model_path, projection))
    model = load_given(model_path)
    spec, scaling = load_extraction(model_path)
    with (
        hdf5.given(projection, "projection.h5"),
        open_projection(projection) as file,
        replacing(output) as temporary,
    ):
        names = list(file["recording_names"].asstr()[:])
        if recording not in names:
            raise MemwaveError(f"{projection}: has no recording {recording!r}, but {names}.")
        number, column = names.index(recording), file["recording"]
        first, last = bisect_left(column, number), bisect_right(column, number)
        if file["scores"].shape[1] != model.n_components or first == last:
            raise MemwaveError(
                f"{projection}: has {last - first} windows of {recording!r} with "
                f"{file['scores'].shape[1]} scores, expected some with {model.n_components}, as "
                f"{model_path} has components."
            )
        overlap = Overlap(spec)
        with open(temporary, "wb") as out:
            shape = (int(file["start_row"][last - 1]) + spec.window, spec.n_channels)
            header = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(out, header)
            for low, high in spans(first, last, extraction_rows(spec, block_mb)):
                features = features_of(model, file["scores"][low:high])
                windows = windows_of(spec, features, scaling)
                overlap.add(file["start_row"][low:high], windows).tofile(out)
            overlap.rest().tofile(out)


def resampling_of(projection: str, rate: float | None) -> Ratio | None:
    """Return the ratio by which recordings of a projection were resampled; None if they were not.

    `rate` is the sampling rate of the original, in Hz.

    Raises
    ------
    MemwaveError
        If the dataset was resampled, and `rate` is missing or cannot be resampled to its rate.
    """
    for name, dataset in _datasets(projection).items():
        if dataset.get("resample", "none") != "none":
            wanted = dataset["sampling_rate"]
            ratio = ratio_of(rate, wanted) if rate and rate > 0 else None
            if ratio is None:
                raise MemwaveError(
                    f"{projection}: the recordings of {name} were resampled to {rate_text(wanted)} "
                    "rows per second. Give the rate of the original by --sampling-rate."
                )
            return None if ratio == (1, 1) else ratio
    return None


def reading_of(projection: str, original: str) -> Options:
    """Return how the dataset of a projection reads a file."""
    return options_of(original, next(iter(_datasets(projection).values()), {}))


def _datasets(projection: str) -> dict:
    """Return the datasets of the configuration that a projection was made with."""
    with open_projection(projection) as file:
        made = json.loads(file.attrs["provenance"])
    return made.get("configuration", {}).get("datasets", {})


def distances(
    original: str,
    output: str,
    channels: tuple[str, ...],
    dtype: str | None = None,
    ratio: Ratio | None = None,
    options: Options = DEFAULTS,
) -> np.ndarray:
    """Measure the distance of a reconstruction from the recording.

    Parameters
    ----------
    original, output : path
        The recording, and the output of `reconstruct_recording`.
    channels : tuple of str
    dtype : str, optional
        Type of the values of a raw recording.
    ratio : (up, down), optional
        Resampling ratio.
    options : Options
        How the recording is read.

    Returns
    -------
    ndarray, shape (n_channels,), float64
        Mean squared distance over the reconstructed rows, as a share of the variance of the
        channel. 0 is a perfect reconstruction; 1 is the error of the mean.

    Raises
    ------
    MemwaveError
        If the recording is shorter than its reconstruction, or has other channels.
    """
    made = np.load(output, mmap_mode="r")
    variance, error = Moments(len(channels)), Moments(len(channels))
    with open_array(original, dtype, channels, options) as source:
        shape = resampled_rows(source.shape[0], ratio), *source.shape[1:]
    if shape[0] < len(made) or shape[1:] != made.shape[1:]:
        raise MemwaveError(
            f"{original}: has shape {shape}, expected {made.shape} as {output}, or more rows."
        )
    recording = PlannedRecording(original, original, dtype, shape[0], ratio, options=options)
    with open_recording(recording, channels) as source:
        for start, stop in spans(0, len(made), COMPARED_ROWS):
            rows = source.read(start, stop).astype(np.float64)
            rows[np.isnan(made[start:stop])] = np.nan
            variance.update(rows)
            error.update((rows - made[start:stop]) ** 2)
    return error.mean * error.count / np.maximum(variance.squares, np.finfo(float).tiny)
