"""Compressed chunks of HDF5 datasets, made by the jobs that make the numbers.

The HDF5 library compresses in the process that writes a file, one chunk after the other, and
searches floats for repetitions that noise does not have. Here a chunk is shuffled and deflated to
what the library's own filters (shuffle, gzip) decode, so that it can be copied into a file as it
is. Deflate: RFC 1951 and 1950; shuffle: HDF5 file format specification, "filter pipeline".
"""

import zlib
from collections.abc import Iterator

import h5py
import numpy as np

CHUNK_BYTES = 262_144

#: Filters of datasets whose chunks come from `encode`; zlib's checksum is verified on reading.
FILTERS = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def chunk_rows(n_rows: int, row_bytes: int) -> int:
    """Rows of a chunk of a dataset with `n_rows` rows."""
    return max(1, min(n_rows, CHUNK_BYTES // row_bytes))


def encode(values: np.ndarray) -> bytes:
    """Compress the values of one chunk: a zlib stream of their shuffled bytes.

    The lower three quarters of a float's bytes are noise, and stored as they are; the upper one,
    with sign and exponent, is coded by the frequency of its bytes (Huffman), without a search for
    repetitions.
    """
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(-1, values.itemsize)
    shuffled = octets.T.tobytes()
    noise = len(shuffled) // 4 * 3
    lower = zlib.compressobj(0, zlib.DEFLATED, -15)
    upper = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    return b"".join(
        (
            b"\x78\x01",
            lower.compress(shuffled[:noise]),
            lower.flush(zlib.Z_FULL_FLUSH),
            upper.compress(shuffled[noise:]),
            upper.flush(),
            zlib.adler32(shuffled).to_bytes(4, "big"),
        )
    )


class ChunkWriter:
    """Fills a dataset from its first row on, chunk by chunk, encoded here.

    Parameters
    ----------
    dataset : h5py.Dataset, shape (n,) or (n, k)
        Chunked by rows, with `FILTERS`.
    """

    def __init__(self, dataset: h5py.Dataset):
        self._dataset = dataset
        self._chunk = np.zeros(dataset.chunks, dataset.dtype)
        self._row = 0  # the next one

    def append(self, rows: np.ndarray) -> None:
        """Add rows."""
        size = len(self._chunk)
        while len(rows):
            filled = self._row % size
            taken = rows[: size - filled]
            self._chunk[filled : filled + len(taken)] = taken
            self._row += len(taken)
            rows = rows[len(taken) :]
            if self._row % size == 0:
                self._write(self._row - size)

    def finish(self) -> None:
        """Write the last chunk, if it is not full."""
        if filled := self._row % len(self._chunk):
            self._chunk[filled:] = 0
            self._write(self._row - filled)

    def _write(self, row: int) -> None:
        place = (row, *(0,) * (self._chunk.ndim - 1))
        self._dataset.id.write_direct_chunk(place, encode(self._chunk))


def copy_rows(source: h5py.Dataset, first: int, count: int, target: h5py.Dataset, row: int) -> None:
    """Copy `count` rows of a dataset from row `first` on to row `row` and the following of another.

    Chunks that both hold whole are copied as they are, without being decoded.
    """
    size, columns = target.chunks[0], (0,) * (target.ndim - 1)
    aligned = source.chunks == target.chunks and first % size == row % size
    for start, stop in stretches(target, row, row + count):
        begin = start - row + first
        whole = start % size == 0 and stop in (start + size, len(target))
        if aligned and whole:
            _, stored = source.id.read_direct_chunk((begin, *columns))
            target.id.write_direct_chunk((start, *columns), stored)
        else:
            target[start:stop] = source[begin : begin + stop - start]


def stretches(
    dataset: h5py.Dataset, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, int]]:
    """Cut rows ``start:stop`` at the borders of a dataset's chunks."""
    stop = len(dataset) if stop is None else stop
    rows = dataset.chunks[0]
    while start < stop:
        end = min(stop, start - start % rows + rows)
        yield start, end
        start = end
