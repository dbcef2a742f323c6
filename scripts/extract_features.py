"""Write the wavelet features of one shard's windows into a memory-mapped file.

Recordings are read in chunks, and features are computed block by block straight into the map.
Nothing in memory grows with either.
"""

from memwave.core.progress import Progress
from memwave.features.extract import feature_blocks
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import count_windows
from memwave.recordings.valid_windows import valid_segments
from memwave.results.model_file import load_scaling
from memwave.storage.shards import create_shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests import Extraction, recordings_of


def extract_features(
    request: Extraction, *, shard: str, channels: str | None = None, valid: str | None = None
) -> None:
    """Extract a shard.

    Parameters
    ----------
    request : Extraction
    shard : path
        The .npy file to write.
    channels : path, optional
        What `measure_channels` wrote, or a model, where the channels are scaled.
    valid : path, optional
        What `find_gaps` wrote, where windows are left out.

    Raises
    ------
    MemwaveError
        If a recording is not what was planned, has a value that is not finite, or a feature
        overflows the dtype; names recording, row and channel.
    """
    spec, segments = request.spec, valid_segments(request.segments, valid)
    scaling = load_scaling(spec.scale, channels, spec.channels)
    n_rows = count_windows(segments)
    progress = Progress(n_rows, f"extract_features {shard}")
    with create_shard(shard, (n_rows, spec.n_features), spec.dtype) as target:
        for block in feature_blocks(spec, segments, request.block_rows, scaling, target.next_rows):
            progress.add(len(block))
            del block  # a file map releases its pages
    progress.close()


if "snakemake" in globals():
    run_script(snakemake, extract_features, load=lambda r: load_reading(recordings_of(r)))
