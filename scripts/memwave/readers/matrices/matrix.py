"""A matrix as a solver reads it: files and arrays stacked in order, cut into ranges of rows.

Files are opened read-only and read where they lie; nothing is copied on the disk, and no page of
them stays in this process.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from memwave.core.errors import InvalidMatrix
from memwave.core.ranges import Range, count_rows, shard_range
from memwave.readers.matrices.row_range import RowRange, complete_rows
from memwave.readers.matrices.stack import Part, Stack

# Most runs of complete rows of a matrix: all stages have memory for as many.
MOST_RUNS = 20_000


class Matrix(Stack):
    """Parts stacked in order, of which rows with missing values may be left out.

    Parameters
    ----------
    parts : sequence of Part
        Open files and arrays; closed with the matrix.

    Attributes
    ----------
    complete : list of (start, stop) or None
        Rows without missing values, once `drop_missing` has looked for them.
    """

    def __init__(self, parts: Sequence[Part]):
        super().__init__(parts)
        self.complete: list[Range] | None = None

    @property
    def n_rows(self) -> int:
        """Rows that there are: without those that were dropped."""
        return self.shape[0] if self.complete is None else count_rows(self.complete)

    def drop_missing(self, block_rows: int, progress: Callable[[int], None]) -> None:
        """Look for rows with missing values, which are left out from now on.

        Parameters
        ----------
        block_rows : int
            Rows read at once.
        progress : callable
            Called with the number of rows of each block.

        Raises
        ------
        InvalidMatrix
            If missing values divide the rows into too many runs.
        """
        whole = RowRange(self, 0, self.shape[0])
        self.complete = complete_rows(whole, block_rows, MOST_RUNS, progress)

    def require_rows(self) -> None:
        """Raise InvalidMatrix if all rows were dropped."""
        if not self.n_rows:
            raise InvalidMatrix(
                f"{self.path}: each of {self.shape[0]} rows has a missing value (NaN). Leave out "
                "the columns that have them, or fill them in."
            )

    def complete_parts(self) -> Iterator[tuple[int, int, int]]:
        """Runs of rows that there are: number of the part, and rows of it (start, stop)."""
        whole = [(0, self.shape[0])] if self.complete is None else self.complete
        for start, stop in whole:
            for piece in self.pieces(start, stop):
                yield piece.number, piece.start, piece.stop

    def flags(self) -> np.ndarray:
        """Flag the rows that there are: boolean, one a row."""
        found = np.ones(self.shape[0], bool)
        if self.complete is not None:
            found[:] = False
            for start, stop in self.complete:
                found[start:stop] = True
        return found

    def ranges(self, n_shards: int) -> list[RowRange]:
        """Cut the rows into shards, between rows that are stored together if possible."""
        n_shards = min(n_shards, self.shape[0])
        cuts = (shard_range(self.shape[0], i, n_shards, self.grain) for i in range(n_shards))
        return [RowRange(self, start, stop, self._complete(start, stop)) for start, stop in cuts]

    def _complete(self, start: int, stop: int) -> list[Range] | None:
        """Rows of a range that are complete, counted from its beginning."""
        if self.complete is None:
            return None
        cut = ((max(low, start), min(high, stop)) for low, high in self.complete)
        return [(low - start, high - start) for low, high in cut if low < high]

    def __enter__(self) -> "Matrix":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
