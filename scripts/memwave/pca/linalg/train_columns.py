"""The rows of a fit by blocks of columns: all rows of some features at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from memwave.core.precision import load_shifted
from memwave.core.ranges import Ranges, count_rows, spans
from memwave.core.workers import share
from memwave.storage.rows import Rows
from memwave.storage.shards import Shard

# Columns of a block are a multiple of this, so that no page of a file is read twice.
ALIGNED = 1024

# Rows of a shard that are checked, or copied, at once.
ROWS = 256


class TrainColumns:
    """Reads shards column by column.

    Checksums of shards are those of rows. So all rows of shards are checked once, before anything
    is read by columns. The values of a matrix are checked in every read.

    Parameters
    ----------
    shards : sequence of Rows
    ranges : sequence of sequence of (start, stop)
        Rows of every shard that PCA is fitted on.
    block_rows : int
        Whole rows that would be loaded at once; a block has as many values.

    Raises
    ------
    DamagedFile
        If rows are not as they were written.
    """

    def __init__(self, shards: Sequence[Rows], ranges: Sequence[Ranges], block_rows: int):
        self._runs = [
            (shard, start, stop)
            for shard, own in zip(shards, ranges, strict=True)
            for start, stop in own
        ]
        self.n_rows = sum(map(count_rows, ranges))
        self.n_features = shards[0].shape[1]
        self._width = block_columns(self.n_rows, self.n_features, block_rows)
        for shard, start, stop in self._runs:
            for low, high in spans(start, stop, ROWS) if isinstance(shard, Shard) else ():
                shard.rows(low, high)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All rows of some columns after the other.

        Yields
        ------
        columns : slice
        block : ndarray, shape (n_rows, columns), float64
            Valid until the next one is requested; may be written to.
        """
        buffer = np.empty(self.n_rows * min(self._width, self.n_features))
        for low, high in spans(0, self.n_features, self._width):
            block = buffer[: self.n_rows * (high - low)].reshape(self.n_rows, -1)
            self._load(low, high, block)
            yield slice(low, high), block

    def _load(self, low: int, high: int, block: np.ndarray) -> None:
        """Load columns ``low:high`` of all rows into a block."""
        nothing, row, parts = np.zeros(high - low), 0, []
        for shard, start, stop in self._runs:
            for first, last in spans(start, stop, rows_together(shard.grain)):
                parts.append((shard, first, last, row))
                row += last - first

        def load(part: tuple[Rows, int, int, int]) -> None:
            shard, first, last, row = part
            stored = shard.columns(first, last, low, high)
            load_shifted(stored, nothing, block[row : row + last - first])

        if all(isinstance(shard, Shard) for shard, _, _ in self._runs):
            share(load, parts)
        else:  # not every library reads a file in several threads
            for part in parts:
                load(part)


def rows_together(grain: int) -> int:
    """Rows that are read at once: a multiple of those that are stored together."""
    return max(1, ROWS // grain) * grain


def block_columns(n_rows: int, d: int, block_rows: int) -> int:
    """Columns of a block: as many as have the values of `block_rows` rows, at least `ALIGNED`."""
    fitting = block_rows * d // max(1, n_rows)
    return max(ALIGNED, fitting - fitting % ALIGNED)


def block_width(n_rows: int, d: int, block_rows: int) -> int:
    """Columns of the widest block."""
    return min(d, block_columns(n_rows, d, block_rows))


def column_bytes(n_rows: int, d: int, block_rows: int) -> int:
    """Memory of `TrainColumns`: a block, and a few rows of it in their own type."""
    width = block_width(n_rows, d, block_rows)
    return 8 * n_rows * width + 2 * 8 * ROWS * width
