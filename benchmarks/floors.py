"""The least that any program would have to do: the same bytes copied, the same products taken.

None of these keeps what a stage must keep (checks, shifts, certificates, HDF5); they say how fast
the machine is at the heart of each stage.
"""

import mmap
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from scipy.linalg import eigh

from memwave.core.precision import halves_to_singles

BLOCK_BYTES = 32_000_000

# Make pages that can be written to, all at once.
MADV_POPULATE_WRITE = 23


def copy_rows(
    path: str, rows: int, features: int, dtype: str, block_rows: int, mapped: bool = True
) -> None:
    """Copy ready-made rows into a new file as large as a shard, its space reserved.

    Blocks are copied into maps of the file, each with all its pages mapped at once, or handed to
    the kernel (pwrite). All is on the disk in the end.
    """
    row_bytes = features * np.dtype(dtype).itemsize
    ready = memoryview(bytearray(b"<%") * (block_rows * row_bytes // 2))
    with open(path, "w+b", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, rows * row_bytes)
        for start in range(0, rows, block_rows):
            block = ready[: min(block_rows, rows - start) * row_bytes]
            if mapped:
                copy_to_map(file.fileno(), start * row_bytes, block)
            else:
                os.pwrite(file.fileno(), block, start * row_bytes)
        os.fsync(file.fileno())


def copy_to_map(descriptor: int, begin: int, block: memoryview) -> None:
    """Copy a block to a place of a file through a map."""
    margin = begin % mmap.ALLOCATIONGRANULARITY
    with mmap.mmap(descriptor, margin + len(block), offset=begin - margin) as pages:
        with suppress(OSError):  # before Linux 5.14 pages come one by one, when touched
            pages.madvise(MADV_POPULATE_WRITE)
        pages[margin:] = block


def syrk_eigh(shards: list[str], components: int) -> dict[str, float]:
    """Sum X'X over blocks of all rows, then the leading eigenpairs, not even centred."""
    begin = time.perf_counter()
    d = np.load(shards[0], mmap_mode="r").shape[1]
    total, product = np.zeros((d, d)), np.empty((d, d), np.float32)
    for block in single_blocks(shards):
        np.matmul(block.T, block, out=product)
        total += product
    summed = time.perf_counter()
    del product
    eigh(total.T, subset_by_index=[d - components, d - 1], overwrite_a=True, check_finite=False)
    return {"syrk_seconds": summed - begin, "eigh_seconds": time.perf_counter() - summed}


def gemm_passes(shards: list[str], passes: int, columns: int) -> None:
    """Read all rows so many times, and multiply with so many columns and back."""
    d = np.load(shards[0], mmap_mode="r").shape[1]
    basis = np.random.default_rng(0).standard_normal((d, columns), np.float32)
    for _ in range(passes):
        total = np.zeros((d, columns))
        for block in single_blocks(shards):
            total += block.T @ (block @ basis)


def gemm_write(shards: list[str], components: int, path: str) -> None:
    """Read all rows, multiply with the components, write the scores."""
    d = np.load(shards[0], mmap_mode="r").shape[1]
    basis = np.random.default_rng(0).standard_normal((d, components), np.float32)
    with open(path, "wb") as file:
        for block in single_blocks(shards):
            (block @ basis).tofile(file)
        file.flush()
        os.fsync(file.fileno())


def single_blocks(shards: Sequence[str]) -> Iterator[np.ndarray]:
    """Blocks of rows in float32: float32 files as they are mapped, float16 converted."""
    for path in shards:
        rows = np.load(path, mmap_mode="r")
        step = max(1, BLOCK_BYTES // (4 * rows.shape[1]))
        buffer = None
        if rows.dtype == np.float16:
            buffer = np.empty((step, rows.shape[1]), np.float32)
        for start in range(0, len(rows), step):
            block = rows[start : start + step].view(np.ndarray)
            if buffer is not None:
                halves_to_singles(block, buffer[: len(block)])
                block = buffer[: len(block)]
            yield block
