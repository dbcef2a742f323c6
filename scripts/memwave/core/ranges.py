"""Ranges of rows: shards, blocks and runs, as pure functions of sizes."""

from collections.abc import Iterator, Sequence

import numpy as np

MEGABYTE = 1_000_000

# First row, and the row after the last.
Range = tuple[int, int]
Ranges = Sequence[Range]


# Size of a shard, and most shards, where their number follows from the size of the features.
SHARD_MB, MOST_SHARDS = 256, 10_000

# Features of up to this size have short steps. One job does them for all shards, unless the number
# of shards is given: it is done before a job for each would have started.
TOGETHER_MB = 8 * SHARD_MB

# Shards whose boundaries follow recordings, so that others stay as they are when one is added.
BY_RECORDING = "by-recording"


def count_shards(wanted: int | str, n_rows: int, row_bytes: int) -> int:
    """Number of shards of `n_rows` rows: as wanted, or from their size alone for ``"auto"``."""
    if isinstance(wanted, int):
        return wanted
    parts = -(-n_rows * row_bytes // (SHARD_MB * MEGABYTE))
    return max(1, min(parts, n_rows, MOST_SHARDS))


def are_together(wanted: int | str, n_shards: int, n_bytes: int) -> bool:
    """Whether one job does the short steps of all shards, whose features have so many bytes."""
    is_given = isinstance(wanted, int)
    return n_shards == 1 or (not is_given and n_bytes <= TOGETHER_MB * MEGABYTE)


def shard_range(n_rows: int, shard: int, n_shards: int, grain: int = 1) -> tuple[int, int]:
    """First and one past last row of shard `shard` (0-based) of a matrix of `n_rows` rows.

    Where `grain` rows are stored together, shards are cut between them, if there are enough.
    """
    units = -(-n_rows // grain)
    if units < n_shards:
        units, grain = n_rows, 1
    cuts = (units * i // n_shards * grain for i in (shard, shard + 1))
    start, stop = (min(cut, n_rows) for cut in cuts)
    return start, stop


def recording_ranges(counts: Sequence[int], row_bytes: int, grain: int = 1) -> list[list[Range]]:
    """Ranges of rows of shards that each hold rows of one recording.

    Parameters
    ----------
    counts : sequence of int
        Rows of every recording.
    row_bytes : int
        Size of a row. A recording of more than `SHARD_MB` is cut, always at the same rows.
    grain : int
        Rows that are stored together.

    Returns
    -------
    list of list of (start, stop)
        Of every recording, counted from its own first row.
    """
    most = max(1, SHARD_MB * MEGABYTE // row_bytes // grain) * grain
    return [list(spans(0, count, most)) for count in counts]


def rows_per_block(block_mb: float, n_features: int, dtype: str) -> int:
    """Return how many rows of `n_features` values fit into `block_mb` megabytes, at least 1."""
    return max(1, int(block_mb * MEGABYTE) // (n_features * np.dtype(dtype).itemsize))


def spans(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut ``start:stop`` into consecutive ranges of at most `size` rows."""
    for low in range(start, stop, size):
        yield low, min(low + size, stop)


# Places that rows are sampled from at least, however many rows are stored together.
PLACES = 4


def spread(n_rows: int, wanted: int, grain: int = 1) -> Iterator[tuple[int, int]]:
    """Runs of `wanted` rows of `n_rows`, evenly distributed.

    They are taken one by one, or in longer runs where `grain` rows are stored together.
    """
    places = wanted if grain == 1 else min(wanted, max(PLACES, wanted // grain))
    for i in range(places):
        first = i * n_rows // places
        yield first, first + (i + 1) * wanted // places - i * wanted // places


# 2**64 divided by the golden ratio. Its multiples modulo 2**64 are evenly distributed.
GOLDEN = 0x9E3779B97F4A7C15


def interleave(n_rows: int, run_rows: int, n_combs: int) -> Iterator[tuple[int, int]]:
    """Yield runs of rows, reordered so that consecutive runs sample the whole range.

    The rows are cut into runs of `run_rows`, and the runs into groups of `n_combs`. A comb takes
    one run out of every group. Its place in the group varies without a period, so that a periodic
    signal is not always sampled at the same phase. The combs follow one another. Each row comes
    exactly once.

    Yields
    ------
    (start, stop) : tuple of int
    """
    n_runs = -(-n_rows // run_rows)
    for comb in range(n_combs):
        for group in range(-(-n_runs // n_combs)):
            turn = (group * GOLDEN % 2**64) * n_combs >> 64
            run = group * n_combs + (comb + turn) % n_combs
            if run < n_runs:
                yield run * run_rows, min((run + 1) * run_rows, n_rows)


def runs(flags: np.ndarray) -> np.ndarray:
    """Return the runs ``[start, stop)`` of set flags: boolean, shape (n,), to (runs, 2)."""
    edges = np.diff(flags.astype(np.int8), prepend=0, append=0)
    return np.column_stack([np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)])


def count_rows(ranges: Ranges) -> int:
    """Return the number of rows in all ranges."""
    return sum(stop - start for start, stop in ranges)


def located(run: tuple[int, int], ranges: Ranges) -> Iterator[tuple[int, int]]:
    """Translate a run that counts only the rows in `ranges` into ranges of rows of the shard."""
    passed = 0
    for start, stop in ranges:
        low = max(run[0] - passed, 0) + start
        high = min(run[1] - passed + start, stop)
        if low < high:
            yield low, high
        passed += stop - start
