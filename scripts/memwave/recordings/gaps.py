"""Gaps of recordings: rows with missing values (NaN), windows without gaps, interpolation."""

from collections.abc import Iterable, Iterator

import numpy as np

from memwave.core.ranges import Range, runs


def missing_rows(rows: np.ndarray) -> np.ndarray:
    """Flag the rows, shape (n, n_channels), with a missing value: boolean, shape (n,)."""
    if rows.dtype.kind != "f":
        return np.zeros(len(rows), bool)
    return np.isnan(rows).any(axis=1)


def gaps(blocks: Iterable[np.ndarray], first_row: int) -> Iterator[Range]:
    """Yield runs of rows with missing values, from consecutive blocks of a recording.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (n, n_channels)
    first_row : int
        Row of the recording at which the first block starts.

    Yields
    ------
    (start, stop) : tuple of int
        Rows of the recording.
    """
    waiting: Range | None = None
    for block in blocks:
        for start, stop in runs(missing_rows(block)) + first_row:
            if waiting is not None and waiting[1] == start:
                waiting = waiting[0], int(stop)
                continue
            if waiting is not None:
                yield waiting
            waiting = int(start), int(stop)
        first_row += len(block)
    if waiting is not None:
        yield waiting


def whole_windows(
    first: int, count: int, window: int, step: int, missing: Iterable[Range]
) -> Iterator[Range]:
    """Yield the windows that contain no row of a gap.

    Parameters
    ----------
    first, count : int
        The first window, and the number of consecutive windows, of a recording.
    window, step : int
        Rows of a window, and rows from the start of one to the start of the next.
    missing : iterable of (start, stop)
        Gaps in ascending order, with at least one row between them.

    Yields
    ------
    (start, stop) : tuple of int
        Runs of windows, within ``first`` to ``first + count``.
    """
    begin, end = first, first + count
    for start, stop in missing:
        # Window w has the rows w * step to w * step + window - 1.
        touched_from = max(begin, -(-(start - window + 1) // step))
        touched_to = min(end, (stop - 1) // step + 1)
        if touched_from >= touched_to:
            continue
        if begin < touched_from:
            yield begin, touched_from
        begin = touched_to
    if begin < end:
        yield begin, end


def renumbered(ranges: Iterable[Range], valid: Iterable[Range]) -> list[Range]:
    """Translate ranges of all rows into ranges of the valid rows.

    Parameters
    ----------
    ranges : iterable of (start, stop)
        Ranges of all rows, in ascending order.
    valid : iterable of (start, stop)
        The valid rows, in ascending order.

    Returns
    -------
    list of (start, stop)
        Ranges that count valid rows only. Adjacent ranges are joined.
    """
    found: list[Range] = []
    valid = list(valid)
    for start, stop in ranges:
        passed = 0
        for low, high in valid:
            begin, end = max(start, low), min(stop, high)
            if begin < end:
                place = passed + begin - low, passed + end - low
                if found and found[-1][1] == place[0]:
                    place = found.pop()[0], place[1]
                found.append(place)
            passed += high - low
    return found


def filled(rows: np.ndarray, most: int) -> np.ndarray:
    """Fill gaps of each channel by linear interpolation.

    Parameters
    ----------
    rows : ndarray, shape (n, n_channels)
        Consecutive rows; missing values are NaN.
    most : int
        Rows of the longest gap that is filled.

    Returns
    -------
    ndarray, shape (n, n_channels)
        `rows` itself if no value is missing, else a float64 copy. Longer gaps and gaps at either
        end stay NaN.
    """
    if rows.dtype.kind != "f" or not np.isnan(rows).any():
        return rows
    rows = rows.astype(np.float64)
    for column in rows.T:
        for start, stop in runs(np.isnan(column)):
            if start == 0 or stop == len(column) or stop - start > most:
                continue
            before, after = column[start - 1], column[stop]
            share = np.arange(1, stop - start + 1) / (stop - start + 1)
            column[start:stop] = before + share * (after - before)
    return rows


def margin_rows(max_gap: int | None) -> int:
    """Return how many more rows to read before and after a chunk, to find where its gaps end."""
    return max_gap + 1 if max_gap else 0


def margin_bytes(max_gap: int | None, n_channels: int) -> int:
    """Memory, in bytes, of the margins of a chunk: stored values, float64 copies, flags."""
    return 2 * margin_rows(max_gap) * n_channels * (8 + 8 + 2)
