"""Project a recording onto a model that was fitted before, without any workflow.

``python scripts/apply_model.py MODEL RECORDING OUTPUT`` writes a projection of the windows of one
recording. Its channels are scaled as those of the model were, and its features computed in the
same way; nothing is fitted.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from memwave import __version__
from memwave.core.errors import MemwaveError
from memwave.core.precision import compute_dtype
from memwave.core.ranges import count_windows, spans
from memwave.features.extraction import check_digits, check_features, check_rows
from memwave.features.sliding import FeatureBlocks
from memwave.pca.projection import Projector
from memwave.readers import ArraySource, open_array
from memwave.results.model_file import load_extraction, load_model
from memwave.results.projection_file import ProjectionWriter, projection_size
from memwave.storage import hdf5
from memwave.workflow import stage
from memwave.workflow.planning.memory import extraction_rows


def apply_model(
    *,
    model_path: str,
    recording: str,
    projection: str,
    dtype: str | None = None,
    step: int | None = None,
    score_dtype: str = "float32",
    block_mb: float = 32,
) -> None:
    """Project one recording.

    Parameters
    ----------
    model_path : path
        A model.h5.
    recording : path
        As in a recordings sheet: a format that is read piece by piece.
    projection : path
        The HDF5 file to write, a projection whose windows are all of split test.
    dtype : str, optional
        Type of the values of a raw file.
    step : int, optional
        Rows from one window to the next; by default as in the model.
    score_dtype : {"float32", "float64"}
        Type of the scores.
    block_mb : float
        Size of the blocks of features; what is needed in all is a few times that and the model.

    Raises
    ------
    MemwaveError
        If the recording has other channels, is shorter than a window, has a value that is not
        finite, or features that the type of the model's features cannot hold.
    """
    model = load_model(model_path)
    spec, scaling = load_extraction(model_path)
    spec = replace(spec, step=step or spec.step)
    piece = {"recording": Path(recording).stem, "path": recording}
    with open_array(recording, dtype, spec.channels) as source:
        count = windows_of(source, recording, model_path, spec)
        computed = compute_dtype("auto", spec.dtype)
        projector, blocks = Projector(model, computed), FeatureBlocks(spec)
        size = projection_size(count, model.n_components, score_dtype)
        with hdf5.create(projection, size) as file:
            names = [piece["recording"]]
            writer = ProjectionWriter(
                file, count, model.n_components, score_dtype, names, labels=None
            )
            writer.append_windows(count, recording=0, step=spec.step, split="test")
            for low, high in spans(0, count, extraction_rows(spec, block_mb)):
                start, stop = blocks.stretch(low, high - low)
                rows = source.read(start, stop)
                check_rows(rows, start, piece, spec.channels)
                if scaling is not None:
                    rows = scaling.apply(rows)
                features = np.empty((high - low, spec.n_features), spec.dtype)
                if not blocks.fill(rows, features):
                    check_features(features, low, piece, spec)
                block = np.empty(features.shape, computed)
                projector.load(features, projector.shift, block)
                writer.append_scores(*projector.project(block, is_train=False))
            check_digits(blocks, piece)
            total, lost = projector.losses[1]
            error = float(lost / total) if total > 0 else 0.0
            facts = {"solver": model.solver, "window": spec.window, "step": spec.step}
            writer.finish({**facts, "reconstruction_error_test": error}, provenance_of(model_path))


def windows_of(source: ArraySource, recording: str, model_path: str, spec) -> int:
    """Number of windows of a recording; raises MemwaveError if it is none for the model."""
    if len(source.shape) != 2 or source.shape[1] != spec.n_channels:
        raise MemwaveError(
            f"{recording}: has shape {source.shape}, expected rows x {spec.n_channels}: "
            f"{model_path} is of the channels {', '.join(spec.channels)}."
        )
    count = count_windows(source.shape[0], spec.window, spec.step)
    if not count:
        raise MemwaveError(
            f"{recording}: has {source.shape[0]} rows, expected at least a window of "
            f"{spec.window} rows, as {model_path} was fitted with."
        )
    return count


def provenance_of(model_path: str) -> dict:
    """What made the projection: the model's own provenance, and this program."""
    with hdf5.open_read_only(model_path, "memwave-model") as file:
        made = json.loads(file.attrs["provenance"])
    return {"model": made, "versions": {"memwave": __version__}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a model.h5")
    parser.add_argument("recording", help="x.npy, or another format that is read piece by piece")
    parser.add_argument("output", help="the projection to write, .h5")
    parser.add_argument("--dtype", help="type of the values of a raw file, such as float32")
    parser.add_argument("--step", type=int, help="rows from window to window, if not the model's")
    given = parser.parse_args()
    with stage.command():
        apply_model(
            model_path=given.model,
            recording=given.recording,
            projection=given.output,
            dtype=given.dtype,
            step=given.step,
        )
