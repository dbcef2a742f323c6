"""Project one shard of features onto a model, and sum up what measures the model."""

from collections.abc import Iterator

from memwave.core.progress import Progress
from memwave.core.ranges import Ranges
from memwave.pca.projection import Projector
from memwave.pca.streaming import blocks
from memwave.recordings.valid_windows import valid_ranges
from memwave.results.model_file import load_model
from memwave.results.partial_projection import create_partial
from memwave.storage.shards import Shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import Projection


def project_features(
    request: Projection, *, shard: str, model: str, partial: str, valid: str | None = None
) -> None:
    """Project a shard.

    Parameters
    ----------
    request : Projection
    shard : path
        Features, .npy.
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
    with Shard(shard, n_features=fitted.n_features) as features:
        n_rows = features.shape[0]
        progress = Progress(n_rows, f"project_features {shard}")
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
                    writer.append(*projector.project(block, is_train=is_train))
                    progress.add(len(block))
        progress.close()


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
    run_script(snakemake, project_features)
