"""Project one shard onto a model, and measure the model on the way."""

from memwave.pca.projection import Projector
from memwave.pca.streaming import blocks
from memwave.recordings.gap_file import ranges_left
from memwave.results.model_file import load_model
from memwave.results.projection_file import PartWriter, part_size
from memwave.storage import hdf5
from memwave.storage.shards import Shard
from memwave.workflow import stage
from memwave.workflow.stage import Progress


def project_features(
    *,
    shard: str,
    model_path: str,
    part: str,
    train_ranges: list[tuple[int, int]],
    first_row: int,
    n_windows: int,
    block_rows: int,
    dtype: str,
    score_dtype: str,
    kept: str | None = None,
) -> None:
    """Project a shard.

    Parameters
    ----------
    shard : path
        Features, .npy.
    model_path : path
        The fitted model.
    part : path
        The HDF5 file to write: scores, reconstruction errors, and what certifies the model.
    train_ranges : list of (start, stop)
        Rows, as planned, of the shard that PCA was fitted on.
    first_row, n_windows : int
        Where the shard was planned to begin among the rows of the feature matrix, and how many
        that was planned to have. Chunks lie accordingly; nothing else depends on it.
    block_rows : int
        Rows loaded at once.
    dtype, score_dtype : {"float32", "float64"}
        Type that is computed in, and type that scores are stored in.
    kept : path, optional
        What `find_gaps` wrote, where windows are left out.
    """
    train_ranges = ranges_left(train_ranges, kept)
    model = load_model(model_path)
    projector = Projector(model, dtype)
    with Shard(shard, n_features=model.n_features) as features:
        n_rows, d = features.shape
        progress = Progress(n_rows, f"project_features {shard}")
        products_size = 8 * (d + 1) * (model.n_components + 2) * 2
        size = part_size(n_rows, model.n_components, score_dtype) + products_size
        with hdf5.create(part, size) as file:
            writer = PartWriter(file, first_row, n_rows, n_windows, model.n_components, score_dtype)
            for start, stop, is_train in labelled_ranges(n_rows, train_ranges):
                runs = iter([(start, stop)])
                for block in blocks(
                    features, runs, projector.shift, dtype, block_rows, projector.load
                ):
                    scores, errors = projector.project(block, is_train=is_train)
                    writer.append(scores, errors)
                    progress.add(len(block))
            writer.finish(projector)
        progress.close()


def labelled_ranges(
    n_rows: int, train_ranges: list[tuple[int, int]]
) -> list[tuple[int, int, bool]]:
    """Cut all rows at the borders of the train ranges: (start, stop, is_train)."""
    ranges, done = [], 0
    for start, stop in train_ranges:
        ranges += [(done, start, False), (start, stop, True)]
        done = stop
    ranges.append((done, n_rows, False))
    return [r for r in ranges if r[0] < r[1]]


if "snakemake" in globals():
    with stage.stage(
        "project_features",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        project_features(
            shard=snakemake.input.shard,
            model_path=snakemake.input.model,
            part=snakemake.output.part,
            train_ranges=snakemake.params.train_ranges,
            first_row=snakemake.params.first_row,
            n_windows=snakemake.params.n_windows,
            block_rows=snakemake.params.block_rows,
            dtype=snakemake.params.dtype,
            score_dtype=snakemake.params.score_dtype,
            kept=next(iter(snakemake.input.kept), None),
        )
