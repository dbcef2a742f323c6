"""Sizes of chunks and batches for products of a signal with columns, and their memory.

None depends on the length of the recordings or on the number of threads. See `SignalProducts`.
"""

from memwave.pca.lags.lags import SignalWindows

# Length of a Fourier transform, in windows. The long rows that two chunks share are transformed
# twice.
LENGTHS = 3

# Bytes of the signal that are multiplied at once, as chunks side by side or as windows.
BATCH_BYTES = 32_000_000

# Most bytes of spectra that are kept between products: a batch, with the frequency 0.
KEPT_BYTES = BATCH_BYTES * 9 // 8

# Most chunks side by side, and most columns.
MOST_CHUNKS, MOST_COLUMNS = 32, 64

# Bytes of columns, as spectra, and of sums over the signal.
KERNEL_BYTES = 256_000_000

# Least number of windows that are multiplied at once if they hardly overlap.
FEWEST_WINDOWS = 32

# Units of work for threads: frequencies, values of columns that are transformed, values of windows.
# They do not depend on the number of threads, so results do not either.
FEWEST_TRANSFORMS = 8
FREQUENCIES, TRANSFORMED, PANEL = 64, 262_144, 16_384


def columns_together(windows: SignalWindows, itemsize: int) -> int:
    """Columns that are multiplied at once, so that their spectra and sums have `KERNEL_BYTES`."""
    values = (
        fourier_length(windows) * windows.width
        if windows.by_fourier
        else windows.depth * windows.width
    )
    return min(MOST_COLUMNS, max(1, KERNEL_BYTES // (2 * itemsize * values)))


def transformed_together(length: int) -> int:
    """Columns of a chunk that are transformed at once."""
    return max(FEWEST_TRANSFORMS, TRANSFORMED // length)


def chunk_of(windows: SignalWindows) -> int:
    """Windows of a chunk."""
    if windows.by_fourier:
        return fourier_length(windows) - windows.depth + 1
    return max(FEWEST_WINDOWS, BATCH_BYTES // (8 * windows.depth * windows.width))


def batch_of(windows: SignalWindows, itemsize: int) -> int:
    """Chunks that are multiplied at once."""
    size = itemsize * fourier_length(windows) * windows.width
    return min(MOST_CHUNKS, max(1, BATCH_BYTES // size))


def fourier_length(windows: SignalWindows) -> int:
    """Long rows of a chunk: the next even number without a large prime factor."""
    half = -(-LENGTHS * windows.depth // 2)
    powers = (2**i * 3**j * 5**m for i in range(25) for j in range(3) for m in range(2))
    return 2 * min(n for n in powers if n >= half)


def product_bytes(windows: SignalWindows, width: int, itemsize: int) -> int:
    """Memory of multiplying with `width` columns, the columns, product and a chunk included."""
    values = windows.depth * windows.width
    padded = values > windows.n_values
    own = itemsize * width * values * (3 + padded) + 24 * width * PANEL
    covered = windows.n_rows(chunk_of(windows)) * windows.n_channels
    reading = 8 * 6 * covered
    if not windows.by_fourier:
        held = itemsize * chunk_of(windows) * values
        return own + reading + 2 * held + 8 * width * (values + 3 * chunk_of(windows) + PANEL)
    length, batch = fourier_length(windows), batch_of(windows, itemsize)
    kernels = 2 * 2 * itemsize * (length // 2 + 1) * windows.width * width
    signals = 3 * itemsize * batch * (length + 2) * windows.width
    scores = 4 * itemsize * batch * (length + 2) * width
    return own + reading + kernels + signals + scores


def thread_bytes(windows: SignalWindows, width: int, itemsize: int) -> int:
    """Memory of a unit of work of `SignalProducts`, as each thread has one."""
    if not windows.by_fourier:
        return itemsize * width * (PANEL + chunk_of(windows))
    length = fourier_length(windows)
    together = max(width, min(windows.width, transformed_together(length)))
    at_once = min(TRANSFORMED, (length + 2) * windows.width * width)
    transformed = 6 * itemsize * max(at_once, (length + 2) * together)
    return max(transformed, 4 * itemsize * FREQUENCIES * windows.width * width)
