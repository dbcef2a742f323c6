"""``memwave transform MODEL FILE OUTPUT``: project onto a model that was fitted before."""

import argparse
import sys
from pathlib import Path

from memwave.api.estimator import load_model
from memwave.api.recordings.projecting import project_recording
from memwave.cli.pca import add_missing, add_shape
from memwave.core.errors import MemwaveError
from memwave.core.messages import either
from memwave.readers import file_of
from memwave.results.model_file import is_of_recordings
from memwave.storage.atomic import require_unread
from memwave.workflow.process.stage import one_blas_thread


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a model.h5, of a matrix or of recordings")
    parser.add_argument("file", help="a matrix with the model's columns, or a recording")
    parser.add_argument("output", help="a projection, .h5; of a matrix also its scores alone, .npy")
    add_shape(parser)
    add_missing(parser)
    parser.add_argument(
        "--sampling-rate", type=float, help="rows a second of a recording, if it does not tell them"
    )
    parser.add_argument("--step", type=int, help="rows from window to window, if not the model's")


def require_output(given: argparse.Namespace) -> None:
    """Require a projection or scores to write, and no file that is read."""
    path = Path(given.output)
    endings = (".h5",) if is_of_recordings(given.model) else (".h5", ".npy")
    if path.suffix not in endings:
        raise MemwaveError(
            f"{path}: cannot be written, expected a name that ends in {either(endings)}."
        )
    require_unread(path, (given.model, file_of(given.file)))


def run(given: argparse.Namespace) -> int:
    """Project the file onto the model."""
    require_output(given)
    if is_of_recordings(given.model):
        if given.columns is not None:
            raise MemwaveError(f"{given.model}: is of recordings, expected no --columns.")
        if given.missing != "error":
            raise MemwaveError(f"{given.model}: is of recordings, expected no --missing.")
        with one_blas_thread():
            project_recording(
                model_path=given.model,
                recording=given.file,
                projection=given.output,
                dtype=given.dtype,
                sampling_rate=given.sampling_rate,
                step=given.step,
                verbose=sys.stderr.isatty(),
            )
        print(f"wrote {given.output}")
        return 0
    for name in ("sampling_rate", "step"):
        if getattr(given, name) is not None:
            raise MemwaveError(
                f"{given.model}: is of a matrix, expected no --{name.replace('_', '-')}."
            )
    pca = load_model(given.model).set_params(verbose=sys.stderr.isatty(), missing=given.missing)
    shape = {"dtype": given.dtype, "columns": given.columns}
    if Path(given.output).suffix == ".npy":
        pca.transform(given.file, out=given.output, **shape)
    else:
        pca.write_projection(given.output, given.file, **shape)
    print(f"wrote {given.output}")
    return 0
