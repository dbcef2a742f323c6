"""Project one shard of features onto a model, and sum up what measures the model."""

from collections.abc import Iterator

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress
from memwave.core.ranges import Ranges
from memwave.pca.model import Model
from memwave.pca.projection import Projector
from memwave.pca.streaming import blocks
from memwave.recordings.valid_windows import valid_ranges, valid_rows
from memwave.results.model_file import load_model
from memwave.results.partial_projection import create_partial
from memwave.storage.rows import Rows
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.projection import Projection
from memwave.workflow.requests.shards import load_matrix_readers, open_shard


def project_features(
    request: Projection,
    *,
    model: str,
    partial: str,
    shard: str | None = None,
    valid: str | None = None,
) -> None:
    """Project a shard.

    Parameters
    ----------
    request : Projection
    shard : path, optional
        Features, .npy, if they are not the rows of a matrix.
    model : path
        The fitted model.
    partial : path
        The HDF5 file to write: scores, reconstruction errors, and sums that measure the model.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.
    """
    ranges = valid_ranges(request.train_ranges, valid)
    fitted = load_model(model)
    projector = Projector(fitted, request.dtype)
    with open_shard(shard, request.rows, valid_rows(valid)) as features:
        require_columns(features, fitted)
        n_rows = features.shape[0]
        progress = Progress(n_rows, f"project_features {features.path}")
        with create_partial(
            partial, projector, n_rows, request.first_row, request.n_windows, request.score_dtype
        ) as writer:
            for start, stop, is_train in split_ranges(n_rows, ranges):
                for block in blocks(
                    features,
                    iter([(start, stop)]),
                    projector.shift,
                    request.dtype,
                    request.block_rows,
                    projector.load,
                ):
                    scores, errors = projector.project(block, is_train=is_train)
                    writer.append(scores, errors, projector.hotelling_t2(scores))
                    progress.add(len(block))
        progress.close()


def require_columns(features: Rows, model: Model) -> None:
    """Require the features that a model was fitted to."""
    if features.shape[1] != model.n_features:
        raise MemwaveError(
            f"{features.path}: has {features.shape[1]} features a row, expected "
            f"{model.n_features} as the model has. Delete it and run again, if it is a result."
        )


def split_ranges(n_rows: int, train_ranges: Ranges) -> Iterator[tuple[int, int, bool]]:
    """Divide all rows at the borders of the train ranges; yield (start, stop, is_train)."""
    done = 0
    for start, stop in train_ranges:
        if done < start:
            yield done, start, False
        yield start, stop, True
        done = stop
    if done < n_rows:
        yield done, n_rows, False


if "snakemake" in globals():
    run_script(snakemake, project_features, load=lambda r: load_matrix_readers([r.rows]))
