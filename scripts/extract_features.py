"""Write the wavelet features of one shard's windows into a memory-mapped file.

Recordings are read stretch by stretch, features are computed block by block straight into the map;
nothing in memory grows with either.
"""

from memwave.features.feature_blocks import feature_blocks
from memwave.features.spec import FeatureSpec
from memwave.recordings.channel_table import load_scaling
from memwave.recordings.gap_file import pieces_left
from memwave.recordings.prepared import load_reading
from memwave.storage.shards import create_shard
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged
from memwave.workflow.stage import Progress


def extract_features(
    *,
    shard: str,
    features: dict,
    windows: list[dict],
    block_rows: int,
    channel_table: str | None = None,
    kept: str | None = None,
) -> None:
    """Extract a shard.

    Parameters
    ----------
    shard : path
        The .npy file to write.
    features : dict
        A feature set and the names of the channels; see `FeatureSpec`.
    windows : list of dict
        What the shard holds, recording after recording: name, path, dtype, rows, first window,
        count.
    block_rows : int
        Windows computed at once.
    channel_table : path, optional
        What `measure_channels` wrote, where the channels are scaled.
    kept : path, optional
        What `find_gaps` wrote, where windows are left out.

    Raises
    ------
    MemwaveError
        If a recording is not what was planned, has a value that is not finite, or a feature
        overflows the dtype; names recording, row and channel.
    """
    spec = FeatureSpec.from_settings(features, features["channels"])
    scaling = load_scaling(spec.scale, channel_table)
    windows = pieces_left(windows, kept)
    n_rows = sum(piece["count"] for piece in windows)
    progress = Progress(n_rows, f"extract_features {shard}")
    with create_shard(shard, (n_rows, spec.n_features), spec.dtype) as target:
        for block in feature_blocks(spec, windows, block_rows, scaling, target.next_rows):
            progress.add(len(block))
            del block  # its pages go with it
    progress.close()


if "snakemake" in globals():
    load_reading(snakemake.params.windows)
    with (
        stage.stage(
            "extract_features",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        extract_features(
            shard=snakemake.output.shard,
            features=snakemake.params.features,
            windows=snakemake.params.windows,
            block_rows=snakemake.params.block_rows,
            channel_table=next(iter(snakemake.input.channels), None),
            kept=next(iter(snakemake.input.kept), None),
        )
