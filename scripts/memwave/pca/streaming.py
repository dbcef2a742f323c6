"""Reading shards block by block in the order of a solver, and running its passes."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np

from memwave.core.precision import Load, load_shifted, needed_shift, require_digits
from memwave.core.progress import Progress
from memwave.core.ranges import Ranges, count_rows, located, spans, spread
from memwave.core.workers import started_pool, working
from memwave.pca.linalg.train_columns import TrainColumns
from memwave.pca.model import Model
from memwave.pca.solvers import PcaSolver, Summary, make_solver, reads_columns
from memwave.pca.standardizer import Standardizer
from memwave.storage.rows import Rows

# Number of rows for a first estimate of the mean.
SAMPLE = 256


def sample_shift(shard: Rows, ranges: Ranges, dtype: str) -> np.ndarray:
    """Choose a shift, float64, shape (d,), that keeps the digits of a shard's sums of squares.

    It is the mean of up to `SAMPLE` rows, evenly distributed over the ranges, or zeros if no shift
    is needed (`needed_shift`).

    Raises
    ------
    MemwaveError
        If the rows are so small that their squares lose digits in `dtype`.
    """
    n_rows = count_rows(ranges)
    total, squares = np.zeros(shard.shape[1]), 0.0
    wanted = min(SAMPLE, n_rows)
    for start, stop in spread(n_rows, wanted, shard.grain):
        for low, high in located((start, stop), ranges):
            for row in shard.rows(low, high).astype(np.float64):
                total += row
                squares += float(row @ row)
    mean = total / max(wanted, 1)
    variance = squares / max(wanted, 1) - float(mean @ mean)
    require_digits(variance / len(mean), dtype, str(shard.path))
    return needed_shift(mean, variance)


def blocks(
    shard: Rows,
    runs: Iterator[tuple[int, int]],
    shift: np.ndarray,
    dtype: str,
    block_rows: int,
    load: Load = load_shifted,
) -> Iterator[np.ndarray]:
    """Load shifted rows, block by block.

    A complete block that is stored in `dtype` and needs no shift is not copied: it is a memory map
    of the file. All other blocks are loaded into one buffer, which is reused.

    Parameters
    ----------
    shard : Rows
        Features, n x d.
    runs : iterator of (start, stop)
        Rows to load, in this order.
    shift : ndarray, shape (d,)
        Subtracted from each row.
    dtype : {"float32", "float64"}
        Type of the blocks.
    block_rows : int
        Rows of a block; the last one may have fewer.
    load : callable
        Converts stored rows to rows of a block.

    Yields
    ------
    ndarray, shape (m, d)
        Read-only by convention, and valid only until the next block is requested.
    """
    buffer = np.empty((min(block_rows, shard.shape[0]), shard.shape[1]), dtype)
    shift = shift.astype(dtype)
    as_stored = load is load_shifted and shard.dtype == np.dtype(dtype) and not shift.any()
    filled = 0
    for start, stop in read_ahead(shard, cut(runs, block_rows)):
        while start < stop:
            taken = min(stop - start, block_rows - filled)
            stored = shard.rows(start, start + taken)
            if as_stored and taken == block_rows:
                yield stored
                start += taken
                continue
            load(stored, shift, buffer[filled : filled + taken])
            del stored  # releases the pages of the memory map
            start, filled = start + taken, filled + taken
            if filled == block_rows:
                yield buffer
                filled = 0
    if filled:
        yield buffer[:filled]


def cut(runs: Iterator[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Divide runs into runs of at most `size` rows."""
    for start, stop in runs:
        yield from spans(start, stop, size)


def read_ahead(shard: Rows, runs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield runs; start reading the following run in the background."""
    current = next(runs, None)
    while current is not None:
        following = next(runs, None)
        if following is not None:
            shard.read_ahead(*following)
        yield current
        current = following


def summarize(
    solver: PcaSolver,
    shard: Rows,
    ranges: Ranges,
    *,
    dtype: str,
    block_rows: int,
    progress: Callable[[int], None],
    standardizer: Standardizer | None = None,
) -> Summary:
    """Run one pass of a solver over one shard.

    Parameters
    ----------
    solver : PcaSolver
        Only its `start` and `row_order` are called.
    shard : Rows
        Features.
    ranges : sequence of (start, stop)
        Train rows of the shard.
    dtype, block_rows
        See `blocks`.
    progress : callable
        Called with the number of rows of each block.
    standardizer : Standardizer, optional
        Standardizes the rows, for a PCA on correlations.
    """
    if standardizer is None:
        known = solver.shift
        shift = sample_shift(shard, ranges, dtype) if known is None else known
        summary, load = solver.start(shift), load_shifted
    else:
        summary, load = solver.start(np.zeros(shard.shape[1])), standardizer.load
    row_bytes = shard.shape[1] * shard.dtype.itemsize
    order = solver.row_order(count_rows(ranges), row_bytes, shard.grain)
    runs = (place for run in order for place in located(run, ranges))
    for block in blocks(shard, runs, summary.shift, dtype, block_rows, load):
        summary.update(block)
        progress(len(block))
    summary.finish()
    return summary


def run_passes(
    solver: PcaSolver,
    summarize_shard: Callable[[int], Summary],
    n_shards: int,
    threads: int,
    end_of_pass: Callable[[], None] = lambda: None,
    abort: Callable[[], None] = lambda: None,
) -> None:
    """Run all passes of a solver, with `threads` shards at a time.

    Summaries are merged in the order of the shards, so the result does not depend on the number of
    threads. At most `threads` summaries exist at a time.

    Parameters
    ----------
    solver : PcaSolver
        Call its `finish` afterwards.
    summarize_shard : callable
        Returns the summary of shard i in the current pass.
    n_shards, threads : int
        Number of shards, and of threads.
    end_of_pass : callable
        Called when a pass is over.
    abort : callable
        Called after an error or an interrupt, while other threads still compute.
    """
    if threads == 1:
        while True:
            for shard in range(n_shards):
                solver.merge(summarize_shard(shard))
            end_of_pass()
            if not solver.next_pass():
                return
    with started_pool(threads) as pool:
        try:
            while True:
                _run_pass(solver, summarize_shard, n_shards, threads, pool)
                end_of_pass()
                if not solver.next_pass():
                    return
        except BaseException:
            abort()
            raise


def _run_pass(
    solver: PcaSolver,
    summarize_shard: Callable[[int], Summary],
    n_shards: int,
    threads: int,
    pool: ThreadPoolExecutor,
) -> None:
    waiting: deque[Future] = deque()
    for shard in range(n_shards):
        if len(waiting) == threads:
            solver.merge(waiting.popleft().result())
        waiting.append(pool.submit(summarize_shard, shard))
    while waiting:
        solver.merge(waiting.popleft().result())


def fit_shards(
    shards: Sequence[Rows],
    ranges: Sequence[Ranges],
    model: dict,
    *,
    dtype: str,
    block_rows: int,
    threads: int,
    progress: Progress,
    standardizer: Standardizer | None = None,
) -> Model:
    """Fit a solver that reads rows.

    Parameters
    ----------
    shards : sequence of Rows
        All of the same width.
    ranges : sequence of sequence of (start, stop)
        The rows of each shard that PCA is fitted on.
    model : dict
        Complete entry of ``models`` in the configuration.
    dtype, block_rows, standardizer
        See `summarize`.
    threads : int
        Shards read at once, and threads that compute the rest.
    progress : Progress
        Of one pass over the rows.

    Returns
    -------
    Model
        In units of the standardizer, if there is one; see `Standardizer.in_units`.
    """
    d = shards[0].shape[1]
    solver: Any = make_solver(model["solver"], d, model, dtype)
    if reads_columns(model["solver"]):
        columns = TrainColumns(shards, ranges, block_rows)
        n_rows = columns.n_rows
        return solver.fit_columns(columns, threads, lambda n: progress.add(n_rows * n // (2 * d)))
    solver.expect(sum(map(count_rows, ranges)))
    stopped = Event()

    def add(rows: int) -> None:
        if stopped.is_set():
            raise InterruptedError("another thread failed or was interrupted")
        progress.add(rows)

    def summarize_shard(i: int) -> Summary:
        return summarize(
            solver,
            shards[i],
            ranges[i],
            dtype=dtype,
            block_rows=block_rows,
            progress=add,
            standardizer=standardizer,
        )

    # An overflow raises a MemwaveError later, which says more than NumPy's warning.
    at_once = min(threads, len(shards))
    with np.errstate(over="ignore", invalid="ignore"), working(threads):
        run_passes(solver, summarize_shard, len(shards), at_once, progress.restart, stopped.set)
        fitted = solver.finish()
    return fitted if standardizer is None else standardizer.in_units(fitted)
