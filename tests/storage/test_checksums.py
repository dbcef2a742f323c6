"""Checksums detect any damaged chunk, for any sizes of the writes."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

from memwave.core.errors import DamagedFile, MemwaveError
from memwave.storage.checksums import (
    CHUNK_BYTES,
    STORED,
    ChecksumWriter,
    append_trailer,
    damaged_chunk,
    hex_checksum,
    require_trailer,
    rows_per_chunk,
)
from memwave.storage.shards import Shard, create_shard

CONTENT = st.binary(min_size=1, max_size=200)
CHUNK = st.integers(1, 50)


def written(content, chunk_bytes, cuts=()):
    """Checksums of a content that comes in pieces."""
    file = io.BytesIO()
    writer = ChecksumWriter(file, chunk_bytes)
    borders = [0, *sorted(cuts), len(content)]
    for start, stop in pairwise(borders):
        writer.update(memoryview(content)[start:stop])
    writer.end_chunk()
    return np.frombuffer(file.getvalue(), STORED)


@given(content=CONTENT, chunk_bytes=CHUNK, data=st.data())
def test_checksums_do_not_depend_on_the_pieces(content, chunk_bytes, data):
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=9))
    found = written(content, chunk_bytes, cuts)
    chunks = [content[i : i + chunk_bytes] for i in range(0, len(content), chunk_bytes)]
    assert found.tobytes() == b"".join(map(xxh3_64_digest, chunks))
    assert damaged_chunk(memoryview(content), chunk_bytes, found) is None


@given(content=CONTENT, chunk_bytes=CHUNK, data=st.data())
def test_a_changed_bit_is_found_in_its_chunk(content, chunk_bytes, data):
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    checksums = written(content, chunk_bytes)
    assert damaged_chunk(memoryview(changed), chunk_bytes, checksums) == place // chunk_bytes


@given(row_bytes=st.integers(1, 10**7))
def test_a_chunk_has_whole_rows_and_no_more_bytes_than_a_cache_holds(row_bytes):
    rows = rows_per_chunk(row_bytes)
    assert rows == 1 or rows * row_bytes <= CHUNK_BYTES < (rows + 1) * row_bytes


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Shards with one row of 160 kB a chunk, and with five rows of 48 kB."""
    folder = tmp_path_factory.mktemp("shards")
    for name, shape in (("wide", (20, 40_000)), ("narrow", (318, 12_000))):
        random = np.random.default_rng(0)
        with create_shard(folder / name, shape, "float32") as new:
            for start in range(0, shape[0], 7):
                with new.next_rows(min(7, shape[0] - start)) as rows:
                    rows[:] = random.normal(size=rows.shape)
    return folder


@pytest.mark.parametrize(("name", "rows"), [("wide", 20), ("narrow", 318)])
@given(data=st.data())
def test_rows_are_those_of_the_file_wherever_its_pages_end(shards, name, rows, data):
    start = data.draw(st.integers(0, rows - 1))
    stop = data.draw(st.integers(start + 1, rows))
    with Shard(shards / name) as opened:
        opened.read_ahead(start, stop)
        expected = np.load(shards / name, mmap_mode="r")[start:stop]
        np.testing.assert_array_equal(opened.rows(start, stop), expected)


@pytest.mark.parametrize(("name", "rows", "chunk"), [("wide", 20, 1), ("narrow", 318, 5)])
@given(data=st.data())
def test_rows_are_refused_if_their_chunk_was_changed_and_only_then(shards, name, rows, chunk, data):
    path = shards / name
    content = path.read_bytes()
    place = data.draw(st.integers(128, len(content) - 1))
    row = (place - 128) // ((len(content) - 128) // rows)
    low, high = row // chunk * chunk, min(row // chunk * chunk + chunk, rows)
    start = data.draw(st.integers(0, rows - 1))
    stop = data.draw(st.integers(start + 1, rows))
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(bytes([content[place] ^ 1]))
        file.flush()
        try:
            with Shard(path) as opened:
                if start < high and low < stop:
                    words = f"{name}: rows {low} to {high - 1} have changed since"
                    with pytest.raises(MemwaveError, match=words):
                        opened.rows(start, stop)
                else:
                    assert opened.rows(start, stop).shape[0] == stop - start
        finally:
            file.seek(place)
            file.write(content[place : place + 1])


@given(content=st.binary(max_size=100), data=st.data())
def test_a_trailer_tells_every_change_and_every_cut(tmp_path_factory, content, data):
    path = tmp_path_factory.getbasetemp() / "trailer"
    path.write_bytes(content)
    expected = b"memwave sealed: xxh3 %s\n" % hex_checksum(path).encode()
    append_trailer(path)
    whole = path.read_bytes()
    assert whole == content + expected
    require_trailer(path)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(changed), whole[:place]):
        path.write_bytes(damaged)
        with pytest.raises(DamagedFile, match=r"changed"):
            require_trailer(path)
