"""Summarize one shard for a solver that reads the features once."""

from collections.abc import Sequence

from memwave.core.progress import Progress
from memwave.core.ranges import count_rows
from memwave.pca.solvers import load_libraries, make_solver
from memwave.pca.standardizer import load_standardizer
from memwave.pca.streaming import summarize
from memwave.recordings.valid_windows import valid_ranges, valid_rows
from memwave.storage import hdf5
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.model import FeatureSummary
from memwave.workflow.requests.shards import load_matrix_readers, open_shard


def summarize_features(
    request: FeatureSummary,
    *,
    summary: str,
    shard: str | None = None,
    measures: Sequence[str] = (),
    valid: str | None = None,
) -> None:
    """Summarize a shard.

    Parameters
    ----------
    request : FeatureSummary
    shard : path, optional
        Features, .npy, if they are not the rows of a matrix.
    summary : path
        The HDF5 file to write: the summary for the solver to merge.
    measures : sequence of path
        Outputs of `measure_features` for all shards, if the model standardizes.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.
    """
    ranges = valid_ranges(request.train_ranges, valid)
    with open_shard(shard, request.rows, valid_rows(valid)) as features:
        solver = make_solver(
            request.model["solver"], features.shape[1], request.model, request.dtype
        )
        progress = Progress(count_rows(ranges), f"summarize_features {features.path}")
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


def load(request: FeatureSummary) -> None:
    """Import what a job needs."""
    load_libraries(request.model["solver"])
    load_matrix_readers([request.rows])


if "snakemake" in globals():
    run_script(snakemake, summarize_features, load=load)
