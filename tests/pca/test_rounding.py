"""The certificate counts rounding: what it claims holds, and says little more than what is true."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from certifying import measured, true_variances
from fitting import CASES, SOLVERS, decaying, fit, options_of, shards, some_k
from hypothesis import given, settings
from hypothesis import strategies as st

from memwave.core.errors import MemwaveError
from memwave.pca.diagnostics.certificate import error_bounds, storage_error
from memwave.pca.linalg.short_products import GROUP, ROWS, add_products, product_rounding
from memwave.pca.projection import Projector
from memwave.pca.solvers import make_solver, row_solvers
from memwave.results.model_file import load_model, save_model
from memwave.results.partial_projection import PartialWriter

TYPES = [("float16", "float32"), ("float32", "float32"), ("float64", "float32"), ("float64",) * 2]
BLOCK = 8_000_000  # values of a block of 32 MB


def errors_and_bounds(solver, rows, dtype, n_shards=2, block_rows=None, **options):
    parts, block_rows = shards(rows, n_shards), block_rows or BLOCK // rows.shape[1]
    model = fit(solver, parts, dtype=dtype, block_rows=block_rows, **options)
    true = true_variances(rows, model.n_components)
    errors = np.abs((model.explained_variance - true).astype(np.float64))
    return model, errors, error_bounds(model, measured(model, parts, block_rows=2000))


def one_feature(kind):
    random = np.random.default_rng(0)
    if kind == "two values":
        return random.choice([-1.1, 1.1], (2_000_000, 1))
    return random.normal(size=(2_000_000, 1))


@pytest.mark.parametrize("solver", row_solvers())  # a Gram matrix of so many rows has no place
@pytest.mark.parametrize("kind", ["two values", "normal"])
def test_many_rows_of_one_feature(kind, solver):
    """A whole block was one sum in float32: off by 4e-4, with a residual of zero."""
    rows = one_feature(kind).astype(np.float32)
    _, errors, bounds = errors_and_bounds(solver, rows, "float32", n_components=1)
    assert 1e-12 < errors[0] <= bounds[0] <= 2 * errors[0]
    assert errors[0] < 2e-6


@pytest.mark.parametrize(("stored", "computed"), TYPES)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("shape", [(3000, 40), (5000, 450)])
def test_the_bound_of_an_exact_model_is_its_error(shape, offset, stored, computed):
    """Where a fit computes in float32, rounding is all its error, and the bound is that."""
    rows = (decaying(*shape) + offset).astype(stored)
    model, errors, bounds = errors_and_bounds("covariance", rows, computed, n_components=5)
    assert (errors <= bounds).all()
    assert errors.max() <= model.eigenvalue_error_bound
    if computed == "float32":
        assert bounds.max() <= 10 * errors.max() + 1e-11 * model.total_variance
        assert model.eigenvalue_error_bound <= 1e-4 * model.total_variance
    else:
        assert bounds.max() <= 1e-11 * model.total_variance


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("stored", "computed"), TYPES)
@settings(max_examples=25)
@given(**CASES, batch_rows=st.integers(1, 90))
def test_bounds_hold(stored, computed, solver, rows, data, n_shards, block_rows, batch_rows):
    options = {"batch_rows": batch_rows} if solver == "incremental" else {}
    k = some_k(data, rows)
    model, errors, bounds = errors_and_bounds(
        solver, rows.astype(stored), computed, n_shards, block_rows, n_components=k, **options
    )
    assert np.isfinite(bounds).all()
    if solver == "covariance":  # others may have missed one: there is an eigenvalue as near
        assert (errors <= bounds).all()
    if solver != "randomized":
        assert errors.max() <= model.eigenvalue_error_bound
    everything = true_variances(rows.astype(stored), rows.shape[1]).astype(np.float64)
    nearest = np.abs(model.explained_variance[:, None] - everything).min(axis=1)
    assert (nearest <= bounds).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    n=st.integers(0, 3) | st.integers(0, 3 * ROWS * GROUP),
    p=st.integers(1, 5) | st.just(200),
    q=st.integers(1, 5) | st.just(200),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_short_products_are_the_products(dtype, n, p, q, seed):
    random = np.random.default_rng(seed)
    both = random.normal(1.0, 1.0, (n, p + q)).astype(dtype)
    total = np.ones((p, q))
    add_products(both[:, :p], both[:, p:], total)
    wide = both.astype(np.longdouble if dtype == "float64" and n < 100 else np.float64)
    exact = 1 + wide[:, :p].T @ wide[:, p:]
    allowed = product_rounding(n, dtype, 4) * (1 + np.abs(wide[:, :p]).T @ np.abs(wide[:, p:]))
    assert (np.abs(total - exact) <= allowed + 1e-13 * n).all()


def test_equal_values_that_all_round_up_do_not_drift():
    """The worst case: every addition rounds the same way."""
    rows = np.full((1_000_000, 1), np.float32(1.1))
    total = np.zeros((1, 1))
    add_products(rows, rows, total)
    exact = len(rows) * float(rows[0, 0]) ** 2
    assert abs(total[0, 0] - exact) <= 1e-5 * exact
    assert abs(float(rows[:, 0] @ rows[:, 0]) - exact) > 0  # what one product makes of it


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_storing_features_moves_eigenvalues_by_less_than_is_told(dtype):
    rows = decaying(2000, 30) + 5.0
    model = fit("covariance", [rows], n_components=6)
    moved = np.abs(true_variances(rows.astype(dtype), 6) - true_variances(rows, 6))
    assert (moved <= storage_error(model, dtype)).all()
    assert moved.max() > 1e-3 * storage_error(model, dtype).max()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("factor", [1e25, 1e100, 1e150, 1e-25, 1e-100, 1e-140])
@pytest.mark.parametrize("shape", [(300, 12), (900, 420)])
@pytest.mark.filterwarnings("error")
def test_features_of_any_size_have_the_same_pca(shape, factor, solver):
    rows = decaying(*shape)
    options = {"n_components": 3, "block_rows": 100}
    base, scaled = (fit(solver, shards(x, 2), **options) for x in (rows, rows * factor))
    expected = base.explained_variance
    np.testing.assert_allclose(scaled.explained_variance / factor / factor, expected, rtol=1e-9)
    bounds = error_bounds(scaled, measured(scaled, shards(rows * factor, 2))) / factor / factor
    assert np.isfinite(bounds).all()
    assert (bounds > 0).all()


def test_data_of_one_value_has_no_variance_whatever_is_left_of_rounding():
    solver = make_solver("randomized", 4, options_of("randomized"), "float32")
    part = solver.start(np.full(4, 3.3))
    part.update(np.full((60, 4), np.float32(3.25) - np.float32(3.3)))
    solver.merge(part)
    while solver.next_pass():
        part = solver.start(np.full(4, 3.3))
        part.update(np.full((60, 4), np.float32(3.25)) - part.shift)
        solver.merge(part)
    model = solver.finish()
    assert model.explained_variance.tolist() == [0, 0, 0]
    assert model.explained_variance_ratio.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("factor", "message"),
    [(1e25, "reconstruction_error has a value near row 0"), (1e-25, "too few digits")],
)
def test_what_a_projection_cannot_hold_is_refused(tmp_path, factor, message):
    rows = decaying(60, 8) * factor
    model = fit("covariance", [rows], n_components=3)

    def write(dtype):
        projector = Projector(model, "float64")
        with h5py.File(tmp_path / "part.h5", "w") as file:
            writer = PartialWriter(file, 0, len(rows), len(rows), 3, dtype)
            scores, errors = projector.project(rows - projector.shift, is_train=True)
            writer.append(scores, errors, projector.hotelling_t2(scores))
            writer.finish(projector)
            return file["reconstruction_error"][()]

    with pytest.raises(MemwaveError, match=f"{message}.*score_dtype: float64"):
        write("float32")
    assert (write("float64") > 0).all()


@pytest.mark.parametrize(
    ("name", "value"), [("components", np.nan), ("mean", np.inf), ("total_variance", np.nan)]
)
def test_a_model_with_numbers_that_are_none_is_refused(tmp_path, name, value):
    model = fit("covariance", [decaying(60, 4)], n_components=2)
    spoilt = replace(model, **{name: getattr(model, name) * value})
    table = np.array([("x", "d1", i) for i in range(4)], [("c", "O"), ("b", "O"), ("p", "i8")])
    save_model(tmp_path / "model.h5", spoilt, table, {})
    with pytest.raises(MemwaveError, match=rf"model.h5: {name} has values that are not finite"):
        load_model(tmp_path / "model.h5")


def test_bounds_are_in_the_file_of_a_model(tmp_path):
    model = fit("covariance", [decaying(60, 4).astype("f4")], dtype="float32", n_components=2)
    table = np.array([("x", "d1", i) for i in range(4)], [("c", "O"), ("b", "O"), ("p", "i8")])
    save_model(tmp_path / "model.h5", model, table, {})
    with h5py.File(tmp_path / "model.h5") as file:
        np.testing.assert_array_equal(file["error_bound"], model.residual + model.rounding)
    again = load_model(tmp_path / "model.h5")
    assert again.rounding == model.rounding > 0
    assert again.next_variance == model.next_variance > 0
