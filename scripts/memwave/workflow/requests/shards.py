"""How jobs open the shards that are named in their requests."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from memwave.core.ranges import Range
from memwave.features.columns import MatrixShard
from memwave.readers import load_libraries
from memwave.storage.rows import Rows
from memwave.storage.shards import Shard


def open_shard(
    path: str | None, rows: MatrixShard | None, valid: Sequence[Range] | None = None
) -> AbstractContextManager[Rows]:
    """Open the rows of a shard: a file of features, or the valid ones of a range of a matrix."""
    if rows is not None:
        return rows.open(valid)
    assert path is not None
    return Shard(path)


def load_matrix_readers(shards: Iterable[MatrixShard | None]) -> None:
    """Import the libraries that read matrices, before memory is limited."""
    for shard in shards:
        if shard is not None:
            load_libraries(segment.recording.path for segment in shard.segments)
