"""Measure mean and standard deviation of every feature of a shard, for models that standardize."""

from memwave.core.moments import Moments
from memwave.core.progress import Progress
from memwave.core.ranges import count_rows
from memwave.pca.standardizer import save_moments
from memwave.pca.streaming import blocks
from memwave.recordings.valid_windows import valid_ranges
from memwave.storage.shards import Shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import FeatureMeasurement


def measure_features(
    request: FeatureMeasurement, *, shard: str, measures: str, valid: str | None = None
) -> None:
    """Measure features.

    Parameters
    ----------
    request : FeatureMeasurement
    shard : path
        Features, .npy.
    measures : path
        The HDF5 file to write.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.
    """
    ranges = valid_ranges(request.train_ranges, valid)
    with Shard(shard) as features:
        moments = Moments(features.shape[1])
        progress = Progress(count_rows(ranges), f"measure_features {shard}")
        for block in blocks(features, iter(ranges), moments.mean, "float64", request.block_rows):
            moments.update(block)
            progress.add(len(block))
        progress.close()
    save_moments(measures, moments)


if "snakemake" in globals():
    run_script(snakemake, measure_features)
