"""``memwave inverse MODEL SCORES OUTPUT``: go back from scores to rows."""

import argparse
import sys
from pathlib import Path

from memwave.api.estimator import load_model
from memwave.api.recordings.reconstructing import (
    distances,
    reading_of,
    reconstruct_recording,
    resampling_of,
)
from memwave.core.errors import MemwaveError
from memwave.readers import file_of
from memwave.results.extraction import load_extraction
from memwave.results.model_file import is_of_recordings
from memwave.storage.atomic import require_unread
from memwave.workflow.process.stage import one_blas_thread


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a model.h5")
    parser.add_argument("scores", help="a projection onto it, .h5; of a matrix also scores, .npy")
    parser.add_argument("output", help="the .npy file to write")
    parser.add_argument("--recording", help="name of a recording in the projection")
    parser.add_argument("--original", help="the recording itself, to measure the distance")
    parser.add_argument("--dtype", help="type of the values of a raw original")
    parser.add_argument(
        "--sampling-rate", type=float, help="rows a second of an original that was resampled"
    )


def run(given: argparse.Namespace) -> int:
    """Reconstruct rows from scores and write them."""
    if Path(given.output).suffix != ".npy":
        raise MemwaveError(f"{given.output}: cannot be written, expected a name that ends in .npy.")
    if not is_of_recordings(given.model):
        for name in ("recording", "original", "dtype", "sampling_rate"):
            if getattr(given, name) is not None:
                raise MemwaveError(
                    f"{given.model}: is of a matrix, expected no --{name.replace('_', '-')}."
                )
        is_projection = given.scores.endswith(".h5") and "::" not in given.scores
        scores = f"{given.scores}::/scores" if is_projection else given.scores
        pca = load_model(given.model).set_params(verbose=sys.stderr.isatty())
        pca.inverse_transform(scores, out=given.output)
        print(f"wrote {given.output}")
        return 0
    if given.original:
        require_unread(given.output, [file_of(given.original)])
    if not given.recording:
        raise MemwaveError(
            f"{given.model}: is of recordings. Name one of {given.scores} by --recording."
        )
    with one_blas_thread():
        reconstruct_recording(
            model_path=given.model,
            projection=given.scores,
            recording=given.recording,
            output=given.output,
        )
        print(f"wrote {given.output}")
        if given.original:
            print_distances(given)
    return 0


def print_distances(given: argparse.Namespace) -> None:
    """Print the distance of the reconstruction of each channel from the original."""
    names = load_extraction(given.model)[0].channels
    ratio = resampling_of(given.scores, given.sampling_rate)
    options = reading_of(given.scores, given.original)
    shares = distances(given.original, given.output, names, given.dtype, ratio, options)
    print("share of each channel's variance that is lost:")
    for name, share in zip(names, shares, strict=True):
        print(f"  {name}\t{share:.3g}")
