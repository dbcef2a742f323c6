"""Moments and quantiles of streams: equal to NumPy's on the whole, whatever the pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwave.core.moments import Moments
from memwave.core.quantiles import Quantiles, sortable, unsorted

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)


def moments_of(blocks, width):
    moments = Moments(width)
    for block in blocks:
        moments.update(block)
    return moments


@st.composite
def columns(draw):
    """A matrix, float64, with gaps, far from zero or not, and where it is cut."""
    n, width = draw(st.integers(1, 60)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    rows = random.normal(size=(n, width)) + draw(st.sampled_from([0.0, -3.0, 1e9]))
    if draw(st.booleans()):
        rows[random.random(size=rows.shape) < draw(st.sampled_from([0.1, 0.9, 1.0]))] = np.nan
    cuts = sorted(draw(st.lists(st.integers(1, n), max_size=4)))
    return rows, [block for block in np.split(rows, cuts) if len(block)]


@given(columns())
def test_moments_of_pieces_are_those_of_the_whole(case):
    rows, blocks = case
    found = moments_of(blocks, rows.shape[1])
    for i, column in enumerate(rows.T):
        column = column[np.isfinite(column)]
        assert found.count[i] == len(column)
        if len(column):
            centred = column - column[0]  # as NumPy would lose digits far from zero
            spread = max(np.abs(centred).max(), 1e-300)
            assert abs(found.mean[i] - column[0] - centred.mean()) <= 1e-13 * spread + 1e-15 * abs(
                column[0]
            )
        if len(column) > 1:
            assert found.std[i] == pytest.approx(centred.std(ddof=1), rel=1e-6)


@given(value=st.floats(-1e30, 1e30), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_a_constant_column_has_its_value_and_no_deviation(value, sizes):
    found = moments_of([np.full((size, 1), value) for size in sizes], 1)
    assert found.mean[0] == value
    assert found.std[0] == 0.0


def test_moments_come_back_from_their_arrays():
    moments = moments_of([np.random.default_rng(0).normal(size=(9, 3))], 3)
    again = Moments.of_arrays(moments.arrays())
    again.update(np.ones((2, 3)))
    moments.update(np.ones((2, 3)))
    assert again.squares.tobytes() == moments.squares.tobytes()


@st.composite
def streams(draw):
    """Values of one column, and the pieces it comes in."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    bits = 32 if dtype == "float32" else 64
    any_float = st.floats(allow_nan=False, allow_infinity=False, width=bits)
    few = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1])
    few = few.map(np.dtype(dtype).type).map(float)
    values = np.array(draw(st.lists(any_float | few, min_size=1, max_size=50)), dtype)
    cuts = sorted(draw(st.lists(st.integers(0, len(values)), max_size=3)))
    return values, np.split(values, cuts)


@given(streams())
def test_quantiles_are_exact(case):
    values, pieces = case
    quantiles = Quantiles(len(values), SHARES, str(values.dtype))
    passes = 0
    while quantiles.needs_pass:
        for piece in pieces:
            quantiles.update(piece)
        quantiles.end_pass()
        passes += 1
    assert passes == {"float32": 3, "float64": 6}[str(values.dtype)]
    ordered = np.sort(values.astype(np.float64))
    with np.errstate(over="ignore"):
        expected = np.quantile(ordered, SHARES)
    found = quantiles.values()
    whole = [share * (len(values) - 1) % 1 == 0 for share in SHARES]
    np.testing.assert_array_equal(found[whole], expected[whole])
    largest = np.abs(ordered).max()
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15 * min(largest, 1e300))


@given(streams())
def test_keys_are_in_the_order_of_the_floats_and_lead_back_to_them(case):
    values, _ = case
    keys = sortable(values)
    np.testing.assert_array_equal(values[np.argsort(keys, kind="stable")], np.sort(values))
    np.testing.assert_array_equal(unsorted(keys), values)
