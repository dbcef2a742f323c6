"""Summarize one shard for a solver that reads the features once."""

from collections.abc import Sequence

from memwave.core.progress import Progress
from memwave.core.ranges import count_rows
from memwave.pca.solvers import load_libraries, make_solver
from memwave.pca.standardizer import load_standardizer
from memwave.pca.streaming import summarize
from memwave.recordings.valid_windows import valid_ranges
from memwave.storage import hdf5
from memwave.storage.shards import Shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import FeatureSummary


def summarize_features(
    request: FeatureSummary,
    *,
    shard: str,
    summary: str,
    measures: Sequence[str] = (),
    valid: str | None = None,
) -> None:
    """Summarize a shard.

    Parameters
    ----------
    request : FeatureSummary
    shard : path
        Features, .npy.
    summary : path
        The HDF5 file to write: the summary for the solver to merge.
    measures : sequence of path
        Outputs of `measure_features` for all shards, if the model standardizes.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.
    """
    ranges = valid_ranges(request.train_ranges, valid)
    with Shard(shard) as features:
        solver = make_solver(
            request.model["solver"], features.shape[1], request.model, request.dtype
        )
        progress = Progress(count_rows(ranges), f"summarize_features {shard}")
        summarized = summarize(
            solver,
            features,
            ranges,
            dtype=request.dtype,
            block_rows=request.block_rows,
            progress=progress.add,
            standardizer=load_standardizer(measures, request.dtype),
        )
        progress.close()
    hdf5.save_arrays(summary, summarized.arrays())


if "snakemake" in globals():
    run_script(snakemake, summarize_features, load=lambda r: load_libraries(r.model["solver"]))
