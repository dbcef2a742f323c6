"""Lag sums: sufficient statistics of a recording for the products of its overlapping windows.

The windows of a recording overlap, so the sum of their outer products repeats itself: with ``G[r,
t]`` the sum over all windows of the product of their rows r and t, and a step of s rows,

    G[r + s, t + s] = G[r, t] - (product in the first window) + (product in the one after the last).

The first s rows of G are sums over the whole recording for every lag. They are computed by fast
Fourier transform in overlapping chunks. The other rows follow from the two ends of the recording.
This module sums over the recording; `memwave.pca.lags.window_products` unrolls the recurrence.

A *long row* consists of s consecutive rows, as one row with s times the channels. So a step of s
rows is one step of long rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from memwave.core.ranges import spans
from memwave.features.spec import FeatureSpec
from memwave.pca.linalg.short_products import gamma
from memwave.recordings.segments import Windows

# Windows of at most this many long rows are summed lag by lag: a Fourier transform is no faster.
SHORT = 16

# Values of a chunk of the signal that is summed lag by lag.
DIRECT_VALUES = 262_144

# Chunks whose sums are added up before they are added to the total. Rounding grows with the number
# of summands; this keeps it near the square root of the number of chunks.
FOLD = 64

# Segments of recordings whose sums are unrolled together: each adds the products of its ends.
BATCH_SEGMENTS = 32


@dataclass(frozen=True)
class SignalWindows(Windows):
    """Windows over a signal of several channels, arranged in long rows of one step each.

    Attributes
    ----------
    n_channels : int
    """

    n_channels: int

    @property
    def hop(self) -> int:
        """Rows of a long row: those of a step, at most those of a window."""
        return min(self.step, self.window)

    @property
    def width(self) -> int:
        """Values of a long row."""
        return self.hop * self.n_channels

    @property
    def depth(self) -> int:
        """Long rows that a window overlaps; it may cover only part of the last one."""
        return -(-self.window // self.hop)

    @property
    def n_values(self) -> int:
        """Values of a window."""
        return self.window * self.n_channels

    def long_rows(self, rows: np.ndarray, dtype: str = "float64") -> np.ndarray:
        """Rows that windows cover, as long rows, padded with zeros; shape (m, width)."""
        count = self.count(len(rows))
        size = (count + self.depth - 1) * self.step
        padded = np.zeros((size, self.n_channels), dtype)
        padded[: len(rows)] = rows[:size]
        return padded.reshape(-1, self.step * self.n_channels)[:, : self.width]

    @property
    def by_fourier(self) -> bool:
        return self.depth > SHORT

    @property
    def fourier_length(self) -> int:
        """Long rows of a chunk; the next chunk shares at most a quarter of them."""
        return 1 << (4 * self.depth - 1).bit_length()

    @property
    def chunk(self) -> int:
        """Windows summed at once."""
        if self.by_fourier:
            return self.fourier_length - self.depth + 1
        return max(1, DIRECT_VALUES // self.width)


def windows_of(spec: FeatureSpec) -> SignalWindows:
    """The geometry of the windows of a feature set over a signal."""
    return SignalWindows(spec.window, spec.step, spec.n_channels)


@dataclass
class LagSums:
    """Sums over the windows of segments of recordings; sums of different segments can be added.

    Each segment has its own shift, subtracted from its rows.

    Attributes
    ----------
    windows : SignalWindows
    counts : ndarray, shape (segments,)
        Windows of each segment.
    shifts : ndarray, shape (segments, n_channels)
    totals : ndarray, shape (segments, width)
        Sum over the windows of their first long row.
    first, after : ndarray, shape (segments, (depth - 1) * width)
        The first window of each segment and the one after its last, without their last long rows.
    lags : ndarray, shape (depth, width, width)
        ``lags[q]``: sum over all windows of the products of their first long row with the q-th
        long row after it.
    """

    windows: SignalWindows
    counts: np.ndarray
    shifts: np.ndarray
    totals: np.ndarray
    first: np.ndarray
    after: np.ndarray
    lags: np.ndarray

    @classmethod
    def none(cls, windows: SignalWindows) -> Self:
        """Return the sums of no segments."""
        ends = np.zeros((0, (windows.depth - 1) * windows.width))
        return cls(
            windows,
            counts=np.zeros(0, np.int64),
            shifts=np.zeros((0, windows.n_channels)),
            totals=np.zeros((0, windows.width)),
            first=ends,
            after=ends,
            lags=np.zeros((windows.depth, windows.width, windows.width)),
        )

    def add(self, other: "LagSums") -> None:
        """Add further segments."""
        for name in ("counts", "shifts", "totals", "first", "after"):
            both = getattr(self, name), getattr(other, name)
            setattr(self, name, np.concatenate(both))
        self.lags += other.lags

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays, for a file."""
        names = ("counts", "shifts", "totals", "first", "after", "lags")
        return {name: getattr(self, name) for name in names}


def sum_lags(windows: SignalWindows, chunks: Iterator[np.ndarray], shift: np.ndarray) -> LagSums:
    """Sum over a segment of a recording.

    Parameters
    ----------
    windows : SignalWindows
    chunks : iterator of ndarray, shape (rows, n_channels)
        Consecutive chunks, which overlap: the rows that `SignalWindows.chunk` windows cover. The
        last chunk may have fewer windows, but at least one.
    shift : ndarray, shape (n_channels,)
        Near the mean of the rows.

    Notes
    -----
    An FFT of length L costs L log L: the sums of n windows take n log(window) operations for each
    pair of channels. Memory is that of one chunk and its spectra (`sum_bytes`).

    Channels are transformed one by one, so the rounding error of a sum is relative to its own two
    channels: about 1e-16 log2(L) times the root of the product of their sums of squares.
    """
    width, depth = windows.width, windows.depth
    adder = _FourierSums(windows) if windows.by_fourier else _DirectSums(windows)
    total, count, first = np.zeros(width), 0, np.empty(0)
    after = np.empty(0)
    for rows in chunks:
        signal = windows.long_rows(rows - shift)
        n = len(signal) - depth + 1
        adder.add(signal, n)
        total += signal[:n].sum(axis=0)
        if not count:
            first = signal[: depth - 1].ravel()
        after = signal[n:].ravel()
        count += n
    return LagSums(
        windows,
        counts=np.array([count]),
        shifts=shift[None].astype(np.float64),
        totals=total[None],
        first=first[None].copy(),
        after=after[None].copy(),
        lags=adder.finish(),
    )


class _DirectSums:
    """Sums lag by lag, as matrix products."""

    def __init__(self, windows: SignalWindows):
        shape = (windows.depth, windows.width, windows.width)
        self._folded, self._recent, self._waiting = np.zeros(shape), np.zeros(shape), 0

    def add(self, signal: np.ndarray, n: int) -> None:
        for q, lag in enumerate(self._recent):
            lag += signal[:n].T @ signal[q : q + n]
        self._waiting += 1
        if self._waiting == FOLD:
            self._fold()

    def _fold(self) -> None:
        self._folded += self._recent
        self._recent[:] = 0.0
        self._waiting = 0

    def finish(self) -> np.ndarray:
        self._fold()
        return self._folded


class _FourierSums:
    """Sums for all lags at once: the spectrum of a cross-correlation is a product of spectra."""

    def __init__(self, windows: SignalWindows):
        self._windows, self._length = windows, windows.fourier_length
        width, bins = windows.width, self._length // 2 + 1
        self._folded = np.zeros((windows.depth, width, width))
        self._recent = np.zeros((width, width, bins), np.complex128)
        self._scratch = np.empty((width, bins), np.complex128)
        self._waiting = 0

    def add(self, signal: np.ndarray, n: int) -> None:
        columns = signal.T.copy()
        further = np.fft.rfft(columns, self._length)
        columns[:, n:] = 0.0
        nearer = np.conj(np.fft.rfft(columns, self._length))
        for channel, spectra in zip(nearer, self._recent, strict=True):
            np.multiply(channel, further, out=self._scratch)
            spectra += self._scratch
        self._waiting += 1
        if self._waiting == FOLD:
            self._fold()

    def _fold(self) -> None:
        for channel, spectra in enumerate(self._recent):
            lags = np.fft.irfft(spectra, self._length)[:, : self._windows.depth]
            self._folded[:, channel] += lags.T
        self._recent[:] = 0.0
        self._waiting = 0

    def finish(self) -> np.ndarray:
        self._fold()
        return self._folded


def sums_rounding(sums: LagSums) -> float:
    """Bound of the rounding of a sum of products, as a share of the sums of squares.

    The error of each of three Fourier transforms is at most 7 units of rounding times log2 of the
    length, relative to the norms of the channels (Higham, Accuracy and Stability of Numerical
    Algorithms, 2nd ed., SIAM 2002, theorem 24.2). The rounding of the sums over chunks, of the
    recurrence and of the filters is added.
    """
    windows = sums.windows
    chunks = float(sums.counts.sum()) / windows.chunk + len(sums.counts)
    terms = 2 * FOLD + chunks / FOLD + 4 * len(sums.counts) + 200
    if windows.by_fourier:
        return gamma(terms + 21 * np.log2(windows.fourier_length), "float64")
    return gamma(terms + min(windows.chunk, float(sums.counts.max(initial=0))), "float64")


def sum_bytes(windows: SignalWindows) -> int:
    """Memory of `sum_lags`, including the chunk as it was read."""
    width, depth = windows.width, windows.depth
    covered = windows.n_rows(windows.chunk) * windows.n_channels
    signal = (windows.chunk + depth - 1) * windows.step * windows.n_channels
    lags = depth * width * width
    if not windows.by_fourier:
        return 8 * (2 * covered + 2 * signal + 2 * lags + 2 * width * width)
    bins = windows.fourier_length // 2 + 1
    spectra = 16 * (width * width + 6 * width) * bins
    return 8 * (2 * covered + 3 * signal + lags) + spectra


def chunks_of(windows: SignalWindows, count: int) -> Iterator[tuple[int, int]]:
    """First and one past last row of each chunk of a sum over `count` windows."""
    for low, high in spans(0, count, windows.chunk):
        start = low * windows.step
        yield start, start + windows.n_rows(high - low)
