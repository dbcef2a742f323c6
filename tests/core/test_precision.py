"""Blocks brought to the type that is computed in: exact where exactness is possible."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwave.core.precision import CHUNK, compute_dtype, load_shifted

HALVES = np.arange(65_536, dtype=np.uint16).view(np.float16)
FINITE = HALVES[np.isfinite(HALVES)]
TYPES = ("float16", "float32", "float64")


def loaded(stored, shift, dtype):
    """What `load_shifted` makes of an array; the buffer is spoilt before."""
    out = np.full(stored.shape, np.nan, dtype)
    load_shifted(stored, np.asarray(shift, dtype), out)
    return out


@pytest.mark.parametrize("columns", [1, 2, 7, 64, len(FINITE)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_finite_half_is_loaded_exactly(columns, dtype):
    rows = len(FINITE) // columns
    stored = FINITE[: rows * columns].reshape(rows, columns)
    found = loaded(stored, np.zeros(columns), dtype)
    assert found.tobytes() == stored.astype(dtype).tobytes()  # the signs of zeros, too


def test_the_halves_are_all_there():
    assert len(FINITE) == 65_536 - 2 * 1024
    assert FINITE.max() == 65_504
    assert FINITE[FINITE > 0].min() == 2.0**-24


@given(
    rows=st.integers(0, 40),
    columns=st.integers(1, 30),
    stored_type=st.sampled_from(TYPES),
    dtype=st.sampled_from(TYPES[1:]),
    seed=st.integers(0, 99),
)
def test_the_shift_is_subtracted_in_the_wider_type(rows, columns, stored_type, dtype, seed):
    random = np.random.default_rng(seed)
    stored = random.normal(1000.0, 3.0, (rows, columns)).astype(stored_type)
    shift = random.normal(1000.0, 3.0, columns).astype(dtype)
    wider = np.result_type(stored.dtype, dtype)
    expected = (stored.astype(wider) - shift).astype(dtype)
    np.testing.assert_array_equal(loaded(stored, shift, dtype), expected)


@pytest.mark.parametrize("columns", [3, CHUNK - 1, CHUNK, CHUNK + 1])
def test_chunks_of_the_conversion_meet(columns):
    random = np.random.default_rng(0)
    rows = 2 * CHUNK // columns + 3
    stored = random.normal(size=(rows, columns)).astype(np.float16)
    shift = random.normal(size=columns).astype(np.float32)
    expected = stored.astype(np.float32) - shift
    np.testing.assert_array_equal(loaded(stored, shift, "float32"), expected)


def test_part_of_a_buffer_is_filled_and_the_rest_left_alone():
    buffer = np.full((6, 4), 7.0, np.float32)
    load_shifted(np.ones((2, 4), np.float16), np.zeros(4, np.float32), buffer[3:5])
    assert buffer[:, 0].tolist() == [7, 7, 7, 1, 1, 7]


def test_the_stored_array_is_only_read():
    stored = np.arange(8, dtype=np.float16).reshape(2, 4)
    stored.flags.writeable = False
    for dtype in TYPES[1:]:
        assert loaded(stored, np.ones(4), dtype).tolist() == (stored - 1.0).tolist()


@pytest.mark.parametrize(
    ("setting", "stored", "resolved"),
    [
        ("auto", "float16", "float32"),
        ("auto", "float32", "float32"),
        ("auto", "float64", "float64"),
        ("float64", "float16", "float64"),
        ("float32", "float64", "float32"),
    ],
)
def test_the_type_computed_in(setting, stored, resolved):
    assert compute_dtype(setting, stored) == resolved
