"""What the options of the solvers do: batches and rank inside, passes, tolerance and seed."""

import numpy as np
import pytest
from fitting import (
    CASES,
    ROUNDING,
    ArrayShard,
    assert_exact,
    assert_sound,
    decaying,
    dense,
    fit,
    options_of,
    same_bits,
    shards,
    some_k,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from memwave.pca.solvers import make_solver
from memwave.pca.streaming import run_passes, summarize


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=200)
@given(batch_rows=st.integers(1, 90), inner_rank=st.none() | st.integers(1, 30), **CASES)
def test_the_error_bound_of_incremental_holds(
    dtype, rows, data, n_shards, block_rows, batch_rows, inner_rank
):
    k, rows = some_k(data, rows), rows.astype(dtype)
    options = {"n_components": k, "batch_rows": batch_rows, "inner_rank": inner_rank}
    sizes = {"block_rows": block_rows, "dtype": dtype}
    model = fit("incremental", shards(rows, n_shards), **sizes, **options)
    assert_sound(model, rows, k)
    values, _, covariance = dense(rows, k)
    rounding = ROUNDING[dtype] * max(values[0], (1e-6 * float(np.abs(rows).max())) ** 2)
    assert (model.explained_variance <= values + rounding).all()
    assert (values <= model.explained_variance + model.eigenvalue_error_bound + rounding).all()
    total = pytest.approx(np.trace(covariance), rel=10 * ROUNDING[dtype], abs=rounding)
    assert model.total_variance == total


@pytest.mark.parametrize("n_parts", [1, 2])
def test_the_error_bound_is_of_the_size_of_an_error_that_happens(n_parts):
    """A direction is dropped in every batch, until it has become larger than one that is kept."""
    first, then, rest = np.diag([10.0, 2.0, 1.9]), np.diag([10.0, 0.0, 1.9]), np.zeros((14, 3))
    batches = [np.vstack([first, -first, rest])] + 5 * [np.vstack([then, -then, rest])]
    options = options_of("incremental", n_components=2, inner_rank=2, batch_rows=20)
    solver = make_solver("incremental", 3, options, "float64")
    for _ in range(n_parts):
        part = solver.start(np.zeros(3))
        part.update(np.vstack(batches))
        solver.merge(part)
    model = solver.finish()
    error = (dense(np.vstack(n_parts * batches), 2)[0] - model.explained_variance).max()
    assert 0 < error <= model.eigenvalue_error_bound <= 1.5 * error


def test_the_error_bound_is_what_a_single_truncation_drops():
    rows = decaying(60, 12)
    model = fit("incremental", [rows], n_components=3, inner_rank=5, batch_rows=100)
    assert model.eigenvalue_error_bound == pytest.approx(dense(rows, 12)[0][5], rel=1e-9)
    assert_exact_leading(model, rows)


def assert_exact_leading(model, rows):
    values = dense(rows, len(model.explained_variance))[0]
    np.testing.assert_allclose(model.explained_variance, values, rtol=1e-9)


def test_more_rank_inside_means_a_smaller_bound_and_a_smaller_error():
    rows = decaying(2000, 40, decay=0.5)
    values = dense(rows, 3)[0]
    bounds, errors = [], []
    for rank in (3, 6, 12, 24, 40):
        model = fit("incremental", [rows], inner_rank=rank, batch_rows=50)
        bounds.append(model.eigenvalue_error_bound)
        errors.append((values - model.explained_variance).max())
    assert bounds == sorted(bounds, reverse=True)
    assert errors == sorted(errors, reverse=True)
    assert bounds[-1] < 1e-12 * values[0]  # rounding
    assert 0 < errors[0] < values[0] / 10


@pytest.mark.parametrize("batch_rows", [1, 2, 7, 99, 100, 101, 1000])
@pytest.mark.parametrize("n_shards", [1, 3])
def test_any_batch_size_will_do(batch_rows, n_shards):
    rows = decaying(100, 20, decay=2.0)
    options = {"n_components": 10, "batch_rows": batch_rows}
    model = fit("incremental", shards(rows, n_shards), **options)
    assert_exact(model, rows, 10, "float64")
    small = fit("incremental", shards(rows, n_shards), **options, inner_rank=10)
    values = dense(rows, 10)[0]
    assert (np.abs(small.explained_variance - values) <= small.eigenvalue_error_bound).all()


def test_blocks_change_no_bit_where_batches_are_kept_as_rows():
    rows = decaying(500, 64)
    options = {"batch_rows": 20, "inner_rank": 8}
    models = [fit("incremental", shards(rows, 2), block_rows=b, **options) for b in (1, 7, 20, 999)]
    assert all(same_bits(models[0], model) for model in models)


def test_randomized_converges_on_a_decaying_spectrum():
    rows = decaying(500, 200)
    values = dense(rows, 5)[0]
    errors = []
    for passes in (1, 2, 3, 5):
        options = {"n_components": 5, "passes": passes, "tolerance": None}
        model = fit("randomized", shards(rows, 2), **options)
        assert model.notes["passes"] == passes
        assert (model.explained_variance <= values * (1 + ROUNDING["float64"])).all()
        errors.append(np.abs(1 - model.explained_variance / values).max())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-5 < errors[0]


def test_randomized_stops_at_the_tolerance():
    rows = decaying(500, 200)
    values = dense(rows, 5)[0]
    passes = []
    for tolerance in (0.1, 1e-2, 1e-4):
        model = fit("randomized", [rows], n_components=5, passes=20, tolerance=tolerance)
        passes.append(model.notes["passes"])
        assert np.abs(model.explained_variance - values).max() <= tolerance * values[0]
    assert passes == sorted(passes)
    assert 1 <= passes[0] < passes[-1] < 20


def test_a_sample_of_the_rows_saves_randomized_a_read():
    rows = decaying(20_000, 100, decay=0.5) + 3.0
    values, _, _ = dense(rows, 5)

    def lost(n_rows, passes):
        options = options_of("randomized", n_components=5, passes=passes, tolerance=None)
        solver = make_solver("randomized", 100, options, "float64")
        solver.expect(n_rows)
        parts = [ArrayShard(part) for part in shards(rows, 3)]

        def part_of(i):
            how = {"dtype": "float64", "block_rows": 500, "progress": lambda rows: None}
            return summarize(solver, parts[i], [(0, len(parts[i].array))], **how)

        run_passes(solver, part_of, 3, 2)
        model = solver.finish()
        assert_sound(model, rows, 5)
        assert (model.notes["sampled_rows"] > 0) == (n_rows == len(rows))
        assert model.notes["sampled_rows"] <= n_rows / 16
        return np.abs(1 - model.explained_variance / values).max()

    for passes in (1, 2, 3):
        assert lost(len(rows), passes) < lost(0, passes) / 4


def test_randomized_finds_what_a_sample_does_not_show():
    rows = decaying(8000, 60)
    rows[:, -1] = 0.0
    rows[[17, 4017, 6017], -1] = [300.0, -500.0, 400.0]  # none of them is in the sample
    values, vectors, _ = dense(rows, 3)
    assert abs(vectors[0, -1]) > 0.99
    model = fit("randomized", shards(rows, 2), n_components=3, passes=8, tolerance=1e-9)
    assert model.notes["sampled_rows"] > 0
    np.testing.assert_allclose(model.explained_variance, values, rtol=1e-8)


def test_a_sample_of_constant_rows_is_no_start():
    rows = np.full((8000, 60), 7.0)
    rows[[17, 4017, 6017]] += decaying(3, 60)
    model = fit("randomized", shards(rows, 2), n_components=2)
    np.testing.assert_allclose(model.explained_variance, dense(rows, 2)[0], rtol=1e-6)


def test_few_rows_are_not_sampled():
    model = fit("randomized", [decaying(500, 40)], n_components=5)
    assert model.notes["sampled_rows"] == 0


def test_shards_without_rows_of_the_sample():
    rows = decaying(9000, 40)
    parts = [rows[:8990], rows[8990:8995], rows[8995:]]
    model = fit("randomized", parts, n_components=3, passes=8, tolerance=1e-9)
    assert model.notes["sampled_rows"] > 0
    np.testing.assert_allclose(model.explained_variance, dense(rows, 3)[0], rtol=1e-8)


def test_randomized_is_decided_by_its_seed():
    rows = decaying(100, 40)
    first, again, other = (
        fit("randomized", [rows], random_state=seed, passes=2) for seed in (1, 1, 2)
    )
    assert same_bits(first, again)
    assert not same_bits(first, other)
