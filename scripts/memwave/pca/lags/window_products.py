"""Sums of outer products of all windows, of their samples and of their features, from lag sums."""

from collections.abc import Callable, Iterator

import numpy as np
import scipy

from memwave.core.workers import share
from memwave.pca.lags.lags import LagSums, SignalWindows
from memwave.pca.linalg.triangle import PANEL, Part, Triangle

# Rows of the matrix of sample products that are transformed at once.
STRIP = 64

# Of them, rows that are a unit of work for a thread.
SHARED = 16

Transform = Callable[[np.ndarray], np.ndarray]


def sample_sums(sums: LagSums) -> np.ndarray:
    """Sum of the windows of each segment; shape (segments, n_values)."""
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
        Valid until the next one is requested. The last one may have surplus rows.

    Notes
    -----
    The recurrence accumulates products of the ends of the segments. They are stored separately
    from the sums over the recordings. So these sums are rounded only once more, when both are
    added, for any number of steps of the recurrence.
    """
    windows, width = sums.windows, sums.windows.width
    last = windows.depth - 1
    # Lags from -last to last, side by side: a row of the matrix is a range of them.
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


def add_feature_products(
    total: Triangle, sums: LagSums, transform: Transform
) -> tuple[float, float]:
    """Add the sum over all windows of the outer products of their features.

    Parameters
    ----------
    total : Triangle
    sums : LagSums
    transform : callable
        The linear map T from windows, shape (m, n_values), to their features, (m, len(total)).

    Returns
    -------
    gain : float
        Bound of the square of the norm of T, the product of its largest sums of magnitudes along
        rows and along columns (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
        SIAM 2002, equation 6.15).
    squares : float
        Sum of the squares of the samples of all windows.

    Notes
    -----
    ``sum (T y) (T y)' = T (sum y y') T'``. Each strip of rows of the matrix of sample products is
    transformed and then multiplied by the columns of T that belong to its samples. These columns
    are the transforms of unit windows; for long windows most of their entries are zero. The product
    is added to the total at once, so that memory is that of some rows (`product_bytes`).
    """
    along, across, squares = np.zeros(len(total)), 0.0, 0.0
    for first, rows in strips(sums):
        squares += float(np.trace(rows[:, first:]))
        half = _transformed(transform, rows)
        units = np.zeros_like(rows)
        np.fill_diagonal(units[:, first:], 1.0)
        shares = scipy.sparse.csr_array(_transformed(transform, units)).T.tocsr()
        magnitudes = abs(shares)
        along += magnitudes.sum(axis=1)
        across = max(across, float(magnitudes.sum(axis=0).max()))
        touched = np.flatnonzero(np.diff(shares.indptr))
        _add_strip(total, shares, touched, half)
    return across * float(along.max()), squares


def _transformed(transform: Transform, rows: np.ndarray) -> np.ndarray:
    """The features of windows, `SHARED` of them at a time."""
    pieces = np.array_split(rows, range(SHARED, len(rows), SHARED))
    return np.concatenate(share(transform, pieces))


def _add_strip(
    total: Triangle, shares: "scipy.sparse.csr_array", touched: np.ndarray, half: np.ndarray
) -> None:
    """Add what some rows of the matrix of samples are of each feature: ``shares @ half``."""

    def add(part: Part) -> None:
        start, stop, low, high, values = part
        features = touched[np.searchsorted(touched, start) : np.searchsorted(touched, stop)]
        if len(features):
            values[features - start] += shares[features] @ half[:, low:high]

    share(add, total.parts())


def strips(sums: LagSums) -> Iterator[tuple[int, np.ndarray]]:
    """The rows of `product_rows` in strips of `STRIP` rows, with the index of the first row."""
    n_values = sums.windows.n_values
    buffer = np.empty((STRIP, n_values))
    first = filled = 0
    for rows in product_rows(sums):
        left = rows[: n_values - first - filled]
        while len(left):
            taken = left[: STRIP - filled]
            buffer[filled : filled + len(taken)] = taken
            left, filled = left[len(taken) :], filled + len(taken)
            if filled == STRIP or first + filled == n_values:
                yield first, buffer[:filled]
                first, filled = first + filled, 0


def product_bytes(windows: SignalWindows, n_features: int) -> int:
    """Memory of `add_feature_products`, beside sums and total.

    A transform makes five copies at most; a product for a panel takes two more.
    """
    values, width = windows.n_values, windows.width
    lags = 2 * width * (2 * values + 2 * width) + width * (values + width)
    strip = 9 * STRIP * max(values, n_features)
    return 8 * (lags + strip + 3 * PANEL * n_features)
