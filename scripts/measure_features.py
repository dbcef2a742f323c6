"""Measure mean and standard deviation of every feature of a shard, for models that standardize."""

from memwave.core.moments import Moments
from memwave.core.progress import Progress
from memwave.core.ranges import count_rows
from memwave.pca.standardizer import save_moments
from memwave.pca.streaming import blocks
from memwave.recordings.valid_windows import valid_ranges, valid_rows
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.features import FeatureMeasurement
from memwave.workflow.requests.shards import load_matrix_readers, open_shard


def measure_features(
    request: FeatureMeasurement,
    *,
    measures: str,
    shard: str | None = None,
    valid: str | None = None,
) -> None:
    """Measure features.

    Parameters
    ----------
    request : FeatureMeasurement
    shard : path, optional
        Features, .npy, if they are not the rows of a matrix.
    measures : path
        The HDF5 file to write.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.
    """
    ranges = valid_ranges(request.train_ranges, valid)
    with open_shard(shard, request.rows, valid_rows(valid)) as features:
        moments = Moments(features.shape[1])
        progress = Progress(count_rows(ranges), f"measure_features {features.path}")
        for block in blocks(features, iter(ranges), moments.mean, "float64", request.block_rows):
            moments.update(block)
            progress.add(len(block))
        progress.close()
    save_moments(measures, moments)


if "snakemake" in globals():
    run_script(snakemake, measure_features, load=lambda r: load_matrix_readers([r.rows]))
