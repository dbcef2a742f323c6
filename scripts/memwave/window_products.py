"""Sums of outer products of all windows, of their samples and of their features, from lag sums."""

from collections.abc import Callable, Iterator

from memwave.lags import LagSums, Windows
from memwave.plan import spans

import numpy as np

Transform = Callable[[np.ndarray], np.ndarray]


def sample_sums(sums: LagSums) -> np.ndarray:
    """Sum over the windows of each piece of all their values; shape (pieces, n_values)."""
    windows = sums.windows
    moved = np.zeros((len(sums.counts), windows.depth, windows.width))
    change = (sums.after - sums.first).reshape(len(sums.counts), windows.depth - 1, windows.width)
    np.cumsum(change, axis=1, out=moved[:, 1:])
    moved += sums.totals[:, None]
    return moved.reshape(len(moved), -1)[:, : windows.n_values]


def product_rows(sums: LagSums) -> Iterator[np.ndarray]:
    """The sum over all windows of their outer products, some rows at a time, in order.

    Yields
    ------
    ndarray, shape (width, n_values)
        Valid until the next is asked for. The last may have rows too many.

    Notes
    -----
    What the recurrence adds up, products of the ends of the pieces, is kept apart from the sums
    over the recordings: these are rounded once more, when both are added, however many steps the
    recurrence takes.
    """
    windows, width = sums.windows, sums.windows.width
    last = windows.depth - 1
    # Lags from -last to last, side by side: a row of the matrix is a stretch of them.
    lags = np.empty((width, (2 * last + 1) * width))
    for q, lag in enumerate(sums.lags):
        lags[:, (last + q) * width : (last + q + 1) * width] = lag
        lags[:, (last - q) * width : (last - q + 1) * width] = lag.T
    moved = np.zeros_like(lags)
    ends = np.concatenate([sums.after, sums.first])
    signed = np.concatenate([sums.after, -sums.first])
    row = np.empty((width, windows.depth * width))
    for u in range(windows.depth):
        begin = (last - u) * width
        np.add(lags[:, begin : begin + row.shape[1]], moved[:, begin : begin + row.shape[1]], row)
        yield row[:, : windows.n_values]
        here = signed[:, u * width : (u + 1) * width].T
        if here.size:
            moved[:, begin : begin + ends.shape[1]] += here @ ends


def feature_products(
    sums: LagSums, transform: Transform, n_features: int, panel: int
) -> Iterator[np.ndarray]:
    """The sum over all windows of the outer products of their features, in panels of rows.

    Parameters
    ----------
    sums : LagSums
    transform : callable
        The linear map from windows, shape (m, n_values), to their features, (m, n_features).
    n_features : int
    panel : int
        Rows that are transformed at once.

    Yields
    ------
    ndarray, shape (panel, n_features)
        The next rows of the matrix; the last time perhaps fewer.

    Notes
    -----
    ``sum (T y) (T y)' = T (sum y y') T'``: the transform is applied to the rows of the matrix of
    samples as they come, and then to its columns. Memory is that of the half transformed matrix,
    ``n_values * n_features`` float64 values, and panels (`product_bytes`).
    """
    windows = sums.windows
    half = np.empty((n_features, windows.n_values))
    buffer = np.empty((-(-panel // windows.width) * windows.width, windows.n_values))
    filled = done = 0
    for rows in product_rows(sums):
        taken = min(len(rows), windows.n_values - done - filled)
        buffer[filled : filled + taken] = rows[:taken]
        filled += taken
        if filled == len(buffer) or done + filled == windows.n_values:
            half[:, done : done + filled] = transform(buffer[:filled]).T
            done, filled = done + filled, 0
    del buffer
    for start, stop in spans(0, n_features, panel):
        yield transform(half[start:stop])


def product_bytes(windows: Windows, n_features: int, panel: int) -> int:
    """Memory of `feature_products`, beside the lag sums; a transform makes five copies at most."""
    values, width = windows.n_values, windows.width
    lags = 2 * width * (2 * values + 2 * width) + width * (values + width)
    rows = max(-(-panel // width) * width, panel)
    return 8 * (values * n_features + lags + 7 * rows * max(values, n_features))
