"""Write the wavelet features of the windows of one shard into a memory-mapped file.

Recordings are read in chunks. Features are computed block by block, directly into the mapped file.
Memory depends neither on the length of the recordings nor on the number of windows.
"""

from memwave.core.progress import Progress
from memwave.features.extract import feature_blocks
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import count_windows, recordings_of
from memwave.recordings.valid_windows import valid_segments
from memwave.results.extraction import load_scaling
from memwave.storage.shards import create_shard
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.features import Extraction


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
        Output of `measure_channels`, or a model, if the channels are scaled.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.

    Raises
    ------
    MemwaveError
        If a recording differs from the plan or has a value that is not finite, or if a feature
        overflows the dtype. The message names recording, row and channel.
    """
    spec, segments = request.spec, valid_segments(request.segments, valid)
    scaling = load_scaling(spec.scale, channels, spec.channels)
    n_rows = count_windows(segments)
    progress = Progress(n_rows, f"extract_features {shard}")
    with create_shard(shard, (n_rows, spec.n_features), spec.dtype) as target:
        for block in feature_blocks(spec, segments, request.block_rows, scaling, target.next_rows):
            progress.add(len(block))
            del block  # the memory-mapped file releases its pages
    progress.close()


if "snakemake" in globals():
    run_script(snakemake, extract_features, load=lambda r: load_reading(recordings_of(r.segments)))
