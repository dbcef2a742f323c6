"""Summarise one shard for a solver that reads the features once."""

from memwave.pca.feature_measures import load_standardizer
from memwave.pca.solvers import load_libraries, make_solver
from memwave.pca.streaming import count_rows, summarize
from memwave.recordings.gap_file import ranges_left
from memwave.storage import hdf5
from memwave.storage.shards import Shard
from memwave.workflow import stage
from memwave.workflow.stage import Progress


def summarize_features(
    *,
    shard: str,
    summary: str,
    model: dict,
    train_ranges: list[tuple[int, int]],
    block_rows: int,
    dtype: str,
    measures: list[str] | None = None,
    kept: str | None = None,
) -> None:
    """Summarise a shard.

    Parameters
    ----------
    shard : path
        Features, .npy.
    summary : path
        The HDF5 file to write; it holds what the solver will merge.
    model : dict
        Complete entry of ``models`` in the configuration.
    train_ranges : list of (start, stop)
        Rows, as planned, of the shard that PCA is fitted on.
    block_rows : int
        Rows loaded at once.
    dtype : {"float32", "float64"}
        Type that is computed in.
    measures : list of path, optional
        What `measure_features` wrote for all shards, where the model standardizes.
    kept : path, optional
        What `find_gaps` wrote, where windows are left out.
    """
    train_ranges = ranges_left(train_ranges, kept)
    standardizer = load_standardizer(measures or [], dtype)
    with Shard(shard) as features:
        solver = make_solver(model["solver"], features.shape[1], model, dtype)
        progress = Progress(count_rows(train_ranges), f"summarize_features {shard}")
        part = summarize(
            solver,
            features,
            train_ranges,
            dtype=dtype,
            block_rows=block_rows,
            tell=progress.add,
            standardizer=standardizer,
        )
        progress.close()
    hdf5.save_arrays(summary, part.arrays())


if "snakemake" in globals():
    load_libraries(snakemake.params.model["solver"])
    with stage.stage(
        "summarize_features",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        summarize_features(
            shard=snakemake.input.shard,
            summary=snakemake.output.summary,
            model=snakemake.params.model,
            train_ranges=snakemake.params.train_ranges,
            block_rows=snakemake.params.block_rows,
            dtype=snakemake.params.dtype,
            measures=list(snakemake.input.measures),
            kept=next(iter(snakemake.input.kept), None),
        )
