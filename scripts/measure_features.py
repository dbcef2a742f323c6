"""Mean and deviation of every feature of one shard, for models that standardize."""

from memwave.core.moments import Moments
from memwave.pca.feature_measures import save_moments
from memwave.pca.streaming import blocks, count_rows
from memwave.recordings.gap_file import ranges_left
from memwave.storage.shards import Shard
from memwave.workflow import stage
from memwave.workflow.stage import Progress


def measure_features(
    *,
    shard: str,
    measures: str,
    train_ranges: list[tuple[int, int]],
    block_rows: int,
    kept: str | None = None,
) -> None:
    """Measure features.

    Parameters
    ----------
    shard : path
        Features, .npy.
    measures : path
        The HDF5 file to write.
    train_ranges : list of (start, stop)
        Rows, as planned, of the shard that PCA is fitted on.
    block_rows : int
        Rows loaded at once.
    kept : path, optional
        What `find_gaps` wrote, where windows are left out.
    """
    train_ranges = ranges_left(train_ranges, kept)
    with Shard(shard) as features:
        moments = Moments(features.shape[1])
        progress = Progress(count_rows(train_ranges), f"measure_features {shard}")
        for block in blocks(features, iter(train_ranges), moments.mean, "float64", block_rows):
            moments.update(block)
            progress.add(len(block))
        progress.close()
    save_moments(measures, moments)


if "snakemake" in globals():
    with stage.stage(
        "measure_features",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        measure_features(
            shard=snakemake.input.shard,
            measures=snakemake.output.measures,
            train_ranges=snakemake.params.train_ranges,
            block_rows=snakemake.params.block_rows,
            kept=next(iter(snakemake.input.kept), None),
        )
