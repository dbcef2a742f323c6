"""Products of the covariance of all windows with a few columns, straight from the signal.

For windows y_i of a signal, ``sum_i y_i (y_i' q)`` consists of two correlations: that of the signal
with q, which gives the score of every window, and that of the scores with the signal (for one
channel in memory: Korobeynikov, "Computation- and space-efficient implementation of SSA", 2010). By
fast Fourier transform of overlapping chunks, both cost n log(window) operations for each channel
and column of n windows. A product with the windows themselves would cost n times their length.

Each chunk has its own shift, the means of its channels. So offsets and drifts cost no digits of
products in single precision. Between the two correlations, scores are centred in double precision.

The spectra of the signal are the same for all columns. Those of short recordings are kept from one
product to the next: neither the recordings are read nor the spectra computed again.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy

from memwave.core.ranges import spans
from memwave.pca.lags.lags import SignalWindows
from memwave.pca.lags.signal.moments import SignalMoments
from memwave.pca.lags.signal.sizes import (
    FREQUENCIES,
    KEPT_BYTES,
    PANEL,
    TRANSFORMED,
    batch_of,
    chunk_of,
    fourier_length,
    transformed_together,
)

Chunks = Callable[[int], Iterable[np.ndarray]]


@dataclass(frozen=True)
class _Batch:
    """Chunks that are multiplied at once.

    Attributes
    ----------
    signals : ndarray
        What `add` multiplies: spectra, or the chunk itself.
    counts : list of int
        Windows of each chunk.
    shifts : ndarray, shape (chunks, n_channels)
        Means of each chunk, which were subtracted.
    """

    signals: np.ndarray
    counts: list[int]
    shifts: np.ndarray


class SignalProducts:
    """Multiplies columns with the covariance of windows.

    Parameters
    ----------
    windows : SignalWindows
        Their geometry.
    moments : SignalMoments
        Of all windows.
    chunks : callable
        ``chunks(n)`` reads all rows that windows cover, in chunks, shape (m, n_channels), of at
        most n windows each.
    dtype : {"float32", "float64"}
        Type of the products.
    pool : ThreadPoolExecutor
    keep : bool
        Whether to keep spectra of at most `KEPT_BYTES`, if they are those of all recordings.
    """

    def __init__(
        self,
        windows: SignalWindows,
        moments: SignalMoments,
        chunks: Chunks,
        dtype: str,
        pool: ThreadPoolExecutor,
        *,
        keep: bool = False,
    ):
        self._windows, self._moments, self._chunks = windows, moments, chunks
        self.dtype, self._pool = np.dtype(dtype), pool
        self._keeps = keep and windows.by_fourier
        self._kept: list[_Batch] = []

    def multiply(self, columns: np.ndarray) -> np.ndarray:
        """Multiply with the scatter matrix of the windows, in squares of `SignalMoments.unit`.

        Parameters
        ----------
        columns : ndarray, shape (window * n_channels, l), of the type of the products

        Returns
        -------
        ndarray, shape (window * n_channels, l), of the same type
        """
        windows, moments = self._windows, self._moments
        by_channel = columns.reshape(windows.window, windows.n_channels, -1).sum(
            axis=0, dtype=np.float64
        )
        mean_scores = moments.window @ columns
        kind = _ByFourier if windows.by_fourier else _ByWindows
        adder = kind(windows, long_columns(windows, columns), self._pool)
        total = np.zeros((windows.n_channels, columns.shape[1]))
        all_scores = np.zeros(columns.shape[1])
        for batch in self._kept or self._batches(adder):
            shifts = batch.shifts - moments.center
            offsets = shifts @ by_channel - mean_scores
            sums = adder.add(batch.signals, batch.counts, offsets / moments.unit)
            total += (shifts / moments.unit).T @ sums
            all_scores += sums.sum(axis=0)
        product = adder.finish()[: len(columns)]
        product.reshape(windows.window, windows.n_channels, -1)[:] += total.astype(self.dtype)
        mean = moments.window / moments.unit
        # Because of rounding, the scores may have a sum other than zero.
        for low, high in spans(0, len(product), PANEL):
            product[low:high] -= np.multiply.outer(mean[low:high], all_scores).astype(self.dtype)
        return product

    def forget(self) -> None:
        """Free the spectra that are kept; no others will be."""
        self._keeps, self._kept = False, []

    def _batches(self, adder: "_ByFourier | _ByWindows") -> Iterator[_Batch]:
        """Read all chunks; keep what was made of them if it is little."""
        kept: list[_Batch] = []
        for signals, shifts in self._read(adder.batch):
            counts = [len(signal) - self._windows.depth + 1 for signal in signals]
            batch = _Batch(adder.prepared(signals), counts, np.array(shifts))
            del signals
            if self._keeps:
                kept.append(batch)
                self._keeps = sum(each.signals.nbytes for each in kept) <= KEPT_BYTES
                kept = kept if self._keeps else []
            yield batch
            del batch
        self._kept = kept

    def _read(self, size: int) -> Iterator[tuple[list[np.ndarray], list[np.ndarray]]]:
        """Batches of `size` chunks: long rows in units of `SignalMoments.unit`, and shifts."""
        windows = self._windows
        signals: list[np.ndarray] = []
        shifts: list[np.ndarray] = []
        for rows in self._chunks(chunk_of(windows)):
            shift = rows.mean(axis=0, dtype=np.float64)
            scaled = rows - shift
            scaled /= self._moments.unit
            signals.append(windows.long_rows(scaled, self.dtype.name))
            shifts.append(shift)
            if len(signals) == size:
                yield signals, shifts
                signals, shifts = [], []
        if signals:
            yield signals, shifts


class _ByFourier:
    """Both correlations as products of spectra."""

    def __init__(self, windows: SignalWindows, columns: np.ndarray, pool: ThreadPoolExecutor):
        self._windows, self._pool, self._type = windows, pool, columns.dtype
        self._length, self.batch = (
            fourier_length(windows),
            batch_of(windows, columns.dtype.itemsize),
        )
        bins, self._columns = self._length // 2 + 1, columns.shape[2]
        spectrum = np.result_type(columns.dtype, np.complex64)
        self._together = max(1, TRANSFORMED // (self._length * self._columns))
        self._kernels = np.empty((bins, windows.width, self._columns), spectrum)
        self._sums = np.zeros_like(self._kernels)
        self._run(self._transform_kernels(columns), windows.width, self._together)

    def _run(self, work: Callable[[int, int], None], stop: int, size: int) -> None:
        """Call ``work(low, high)`` for ranges of at most `size`, in the threads of the pool."""
        list(self._pool.map(lambda unit: work(*unit), list(spans(0, stop, size))))

    def _transform_kernels(self, columns: np.ndarray) -> Callable[[int, int], None]:
        def work(low: int, high: int) -> None:
            spectra = scipy.fft.rfft(columns[:, low:high], self._length, axis=0)
            np.conj(spectra, out=self._kernels[:, low:high])

        return work

    def add(self, spectra: np.ndarray, counts: list[int], offsets: np.ndarray) -> np.ndarray:
        """Add chunks.

        Parameters
        ----------
        spectra : ndarray, shape (bins, chunks, width)
            See `prepared`.
        counts : list of int
            Windows of each chunk.
        offsets : ndarray, shape (chunks, l)
            Added to the scores of each chunk.

        Returns
        -------
        ndarray, shape (chunks, l), float64
            Sums of the scores.
        """
        scores = np.empty((len(spectra), len(counts), self._columns), spectra.dtype)
        sums = np.empty((len(counts), self._columns))

        def correlate(low: int, high: int) -> None:
            np.matmul(spectra[low:high], self._kernels[low:high], out=scores[low:high])

        def center(i: int, _: int) -> None:
            own = scipy.fft.irfft(scores[:, i], self._length, axis=0)
            own[: counts[i]] += offsets[i]
            own[counts[i] :] = 0.0
            sums[i] = own[: counts[i]].sum(axis=0, dtype=np.float64)
            np.conj(scipy.fft.rfft(own, axis=0), out=scores[:, i])

        def correlate_back(low: int, high: int) -> None:
            self._sums[low:high] += spectra[low:high].transpose(0, 2, 1) @ scores[low:high]

        self._run(correlate, len(spectra), FREQUENCIES)
        self._run(center, len(counts), 1)
        self._run(correlate_back, len(spectra), FREQUENCIES)
        return sums

    def prepared(self, signals: list[np.ndarray]) -> np.ndarray:
        """Spectra of chunks, shape (m, width) each: an array of shape (bins, chunks, width)."""
        width = self._windows.width
        spectra = np.empty((len(self._kernels), len(signals), width), self._kernels.dtype)

        # Adjacent columns are transformed together.
        groups = -(-width // transformed_together(self._length))

        def transform(unit: int, _: int) -> None:
            i, group = divmod(unit, groups)
            own = slice(width * group // groups, width * (group + 1) // groups)
            spectra[:, i, own] = scipy.fft.rfft(signals[i][:, own], self._length, axis=0)

        self._run(transform, len(signals) * groups, 1)
        return spectra

    def finish(self) -> np.ndarray:
        """The sums, shape (values, l)."""
        windows = self._windows
        out = np.empty((windows.depth, windows.width, self._columns), self._type)

        def transform(low: int, high: int) -> None:
            # Adjacent in memory, they are transformed in two thirds of the time.
            own = np.ascontiguousarray(self._sums[:, low:high])
            out[:, low:high] = scipy.fft.irfft(own, self._length, axis=0)[: windows.depth]

        self._run(transform, windows.width, self._together)
        return out.reshape(-1, self._columns)


class _ByWindows:
    """Products with windows as rows of a matrix, for windows that hardly overlap."""

    batch = 1

    def __init__(self, windows: SignalWindows, columns: np.ndarray, pool: ThreadPoolExecutor):
        self._windows, self._pool = windows, pool
        self._columns = columns.reshape(-1, columns.shape[2])
        self._sums = np.zeros(self._columns.shape)  # in float64, since they are over many chunks

    def prepared(self, signals: list[np.ndarray]) -> np.ndarray:
        """The only chunk itself."""
        (signal,) = signals
        return signal

    def add(self, signal: np.ndarray, counts: list[int], offsets: np.ndarray) -> np.ndarray:
        """Add a chunk, shape (m, width); see `_ByFourier.add`."""
        (count,) = counts
        windows = np.empty((count, self._windows.depth, self._windows.width), signal.dtype)
        for r in range(self._windows.depth):
            windows[:, r] = signal[r : r + count]
        rows = windows.reshape(count, -1)
        panels = list(spans(0, rows.shape[1], PANEL))
        products = self._pool.map(lambda p: rows[:, slice(*p)] @ self._columns[slice(*p)], panels)
        scores = np.zeros((count, self._columns.shape[1]))
        for product in products:
            scores += product
        scores += offsets
        rounded = scores.astype(signal.dtype)

        def correlate_back(panel: tuple[int, int]) -> None:
            self._sums[slice(*panel)] += rows[:, slice(*panel)].T @ rounded

        list(self._pool.map(correlate_back, panels))
        return rounded.sum(axis=0, dtype=np.float64)[None]

    def finish(self) -> np.ndarray:
        return self._sums.astype(self._columns.dtype)


def long_columns(windows: SignalWindows, columns: np.ndarray) -> np.ndarray:
    """Columns as long rows of a window, padded with zeros: shape (depth, width, l)."""
    size = windows.depth * windows.width
    if len(columns) < size:
        padded = np.zeros((size, columns.shape[1]), columns.dtype)
        padded[: len(columns)] = columns
        columns = padded
    return columns.reshape(windows.depth, windows.width, -1)
