"""Find the valid windows of a shard: those without missing values.

The recordings are read in chunks. Only the list of gaps grows with their length.
"""

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress, log
from memwave.core.ranges import Range, count_rows
from memwave.features.columns import MatrixShard
from memwave.readers.matrices.row_range import complete_rows
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import count_windows, recordings_of
from memwave.recordings.valid_windows import find_valid, save_valid
from memwave.workflow.process.stage import run_script, warn
from memwave.workflow.requests.features import GapSearch
from memwave.workflow.requests.shards import load_matrix_readers


def find_gaps(request: GapSearch, *, valid: str) -> None:
    """Find valid windows.

    Parameters
    ----------
    request : GapSearch
    valid : path
        The HDF5 file to write: ranges of the planned rows of the shard that are valid windows.

    Raises
    ------
    MemwaveError
        If there are more than `max_ranges` ranges, or a recording differs from the plan or has an
        infinite value.
    """
    if request.rows is not None:
        save_valid(valid, complete_rows_of(request.rows, request, valid))
        return
    spec, windows = request.spec, request.spec.windows
    total = sum(windows.n_rows(segment.count) for segment in request.segments)
    progress = Progress(total, f"find_gaps {valid}")
    found: list[Range] = []
    for segment in request.segments:
        offset = segment.row - segment.first
        for low, high in find_valid(
            segment, windows, spec.channels, request.block_rows, progress.add
        ):
            found.append((offset + low, offset + high))
            if len(found) > request.max_ranges:
                raise MemwaveError(
                    f"{segment.recording}: missing values divide the windows of one shard into "
                    f"more than {request.max_ranges} runs. Use missing: interpolate, or fewer "
                    "shards."
                )
    progress.close()
    planned, left = count_windows(request.segments), count_rows(found)
    if planned and not left:
        names = ", ".join(segment.recording.name for segment in request.segments)
        warn(f"all {planned} windows of a shard (of {names}) contain a missing value")
    log.info("%d of %d windows are dropped", planned - left, planned)
    save_valid(valid, found)


def complete_rows_of(shard: MatrixShard, request: GapSearch, valid: str) -> list[Range]:
    """Rows of a shard of a matrix that have no missing value."""
    with shard.open() as rows:
        progress = Progress(rows.shape[0], f"find_gaps {valid}")
        found = complete_rows(rows, request.block_rows, request.max_ranges, progress.add)
        progress.close()
        planned, left = rows.shape[0], count_rows(found)
        if not left:
            warn(f"all {planned} rows of a shard (of {rows.path}) contain a missing value")
        log.info("%d of %d rows are dropped", planned - left, planned)
    return found


def load(request: GapSearch) -> None:
    """Import what reading needs."""
    if request.rows is not None:
        load_matrix_readers([request.rows])
    else:
        load_reading(recordings_of(request.segments))


if "snakemake" in globals():
    run_script(snakemake, find_gaps, load=load)
