"""What is computed where: windows, shards and blocks as pure functions of sizes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

MEGABYTE = 1_000_000


def count_windows(rows: int, window: int, step: int) -> int:
    """Number of whole windows of `window` rows, `step` rows apart, in a recording."""
    return 0 if rows < window else (rows - window) // step + 1


def shard_range(n_rows: int, shard: int, n_shards: int) -> tuple[int, int]:
    """First and one past last row of shard `shard` (0-based) of a matrix of `n_rows` rows."""
    return n_rows * shard // n_shards, n_rows * (shard + 1) // n_shards


def rows_per_block(block_mb: float, n_features: int, dtype: str) -> int:
    """Rows of `n_features` values of `dtype` that fit into `block_mb` megabytes, at least one."""
    return max(1, int(block_mb * MEGABYTE) // (n_features * np.dtype(dtype).itemsize))


@dataclass(frozen=True)
class Piece:
    """Consecutive windows of one recording that a shard holds.

    Attributes
    ----------
    recording : int
        Its place in the sheet, counted from 0.
    first : int
        The first window, counted in its recording.
    count : int
        Number of windows.
    row : int
        Row of the shard where they begin.
    """

    recording: int
    first: int
    count: int
    row: int


def pieces(windows: Sequence[int], shard: int, n_shards: int) -> tuple[Piece, ...]:
    """The windows of a shard, recording by recording.

    Parameters
    ----------
    windows : sequence of int
        Number of windows of every recording, in sheet order.
    shard, n_shards : int
        Which shard (0-based) of how many.
    """
    start, stop = shard_range(sum(windows), shard, n_shards)
    found, begin = [], 0
    for recording, count in enumerate(windows):
        low, high = max(start, begin), min(stop, begin + count)
        if low < high:
            found.append(Piece(recording, low - begin, high - low, low - start))
        begin += count
    return tuple(found)


def spans(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut ``start:stop`` into consecutive pieces of at most `size`."""
    for low in range(start, stop, size):
        yield low, min(low + size, stop)


# 2**64 over the golden ratio: its multiples fall evenly into 2**64, whatever their number.
GOLDEN = 0x9E3779B97F4A7C15


def interleave(n_rows: int, run_rows: int, n_combs: int) -> Iterator[tuple[int, int]]:
    """Runs of rows, reordered so that every stretch of them samples the whole range.

    The rows are cut into runs of `run_rows`, and the runs into stretches of `n_combs`; a comb takes
    one run out of every stretch. Which one varies from stretch to stretch without a period, so that
    no tone in the recording falls in step with it. The combs follow one another. Each row comes
    exactly once.

    Yields
    ------
    (start, stop) : tuple of int
    """
    n_runs = -(-n_rows // run_rows)
    for comb in range(n_combs):
        for stretch in range(-(-n_runs // n_combs)):
            turn = (stretch * GOLDEN % 2**64) * n_combs >> 64
            run = stretch * n_combs + (comb + turn) % n_combs
            if run < n_runs:
                yield run * run_rows, min((run + 1) * run_rows, n_rows)
