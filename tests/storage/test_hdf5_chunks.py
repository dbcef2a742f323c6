"""Chunks that are made here are those that HDF5 reads, and are copied as they are."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from memwave.storage.hdf5_chunks import (
    CHUNK_BYTES,
    FILTERS,
    ChunkWriter,
    chunk_rows,
    encode,
)

KINDS = st.sampled_from(["<f4", "<f8"])


def in_memory():
    return h5py.File.in_memory()


def make(file, name, shape, dtype, size):
    return file.create_dataset(name, shape, dtype, chunks=(size, shape[1]), **FILTERS)


@given(
    values=KINDS.flatmap(
        lambda kind: arrays.arrays(
            kind, st.tuples(st.integers(1, 40), st.integers(1, 5)), elements={"allow_nan": False}
        )
    ),
    size=st.integers(1, 50),
    step=st.integers(1, 50),
)
def test_hdf5_reads_what_was_written(values, size, step):
    size = min(size, len(values))
    with in_memory() as file:
        dataset = make(file, "a", values.shape, values.dtype, size)
        writer = ChunkWriter(dataset)
        for start in range(0, len(values), step):
            writer.append(values[start : start + step])
        writer.finish()
        np.testing.assert_array_equal(dataset[()], values)


@given(
    lead=st.integers(0, 20),
    count=st.integers(1, 40),
    row=st.integers(0, 30),
    rest=st.integers(0, 20),
    size=st.integers(1, 20),
)
def test_copied_rows_arrive(lead, count, row, rest, size):
    rows = np.random.default_rng(0).normal(size=(lead + count, 2))
    with in_memory() as file:
        source = make(file, "source", rows.shape, "f8", min(size, len(rows)))
        writer = ChunkWriter(source)
        writer.append(rows)
        writer.finish()
        target = make(file, "target", (row + count + rest, 2), "f8", min(size, row + count + rest))
        writer = ChunkWriter(target)
        writer.append(np.zeros((row, 2)))
        writer.copy(source, lead, count)
        writer.append(np.zeros((rest, 2)))
        writer.finish()
        np.testing.assert_array_equal(target[row : row + count], rows[lead:])
        assert not target[:row].any()
        assert not target[row + count :].any()


def test_a_whole_chunk_is_copied_without_being_decoded():
    values = np.random.default_rng(0).normal(size=(20, 2))
    with in_memory() as file:
        source, target = (make(file, name, (20, 2), "f8", 10) for name in ("source", "target"))
        ChunkWriter(source).append(values)
        stored = encode(values[:10])[:-1] + b"?"  # a wrong checksum
        source.id.write_direct_chunk((0, 0), stored)
        ChunkWriter(target).copy(source, 0, 20)
        assert target.id.read_direct_chunk((0, 0))[1] == stored


def test_a_changed_byte_is_found_when_a_chunk_is_read():
    values = np.random.default_rng(0).normal(size=(10, 2))
    with in_memory() as file:
        dataset = make(file, "a", (10, 2), "f8", 10)
        stored = bytearray(encode(values))
        stored[20] ^= 1
        dataset.id.write_direct_chunk((0, 0), bytes(stored))
        with pytest.raises(OSError, match="filter returned failure"):
            dataset[()]


@pytest.mark.parametrize("dtype", ["u1", "<i4", "<i8"])
def test_chunks_of_counted_windows_are_next_to_nothing(dtype):
    with in_memory() as file:
        dataset = file.create_dataset("a", (9000,), dtype, chunks=(4000,), **FILTERS)
        writer, counted = ChunkWriter(dataset), np.arange(9000).astype(dtype)
        writer.append(counted)
        writer.finish()
        np.testing.assert_array_equal(dataset[()], counted)
        assert dataset.id.get_storage_size() < 0.2 * counted.nbytes


def test_chunks_of_noise_are_smaller_than_its_bytes():
    noise = np.random.default_rng(0).standard_normal((1000, 50)).astype(np.float32)
    assert len(encode(noise)) < 0.87 * noise.nbytes


@pytest.mark.parametrize(
    ("n_rows", "row_bytes", "expected"),
    [(10**9, 200, CHUNK_BYTES // 200), (7, 200, 7), (5, CHUNK_BYTES + 1, 1), (0, 8, 1)],
)
def test_chunks_are_of_a_size_that_can_be_read_at_once(n_rows, row_bytes, expected):
    assert chunk_rows(n_rows, row_bytes) == expected
