"""The residual that is measured of a model bounds the error of its eigenvalues."""

import dataclasses

import numpy as np
import pytest
from fitting import CASES, ROUNDING, SOLVERS, ArrayShard, decaying, dense, fit, shards, some_k
from hypothesis import given
from hypothesis import strategies as st

from memwave.pca.diagnostics.certificate import residuals
from memwave.pca.projection import Projector
from memwave.pca.streaming import blocks

# Options with which a solver is far from exact.
POOR = {
    "covariance": {},
    "incremental": {"inner_rank": 1, "batch_rows": 1},
    "randomized": {"columns": 1, "passes": 1},
}


def measured(model, rows, dtype, block_rows=50):
    """Residuals of a model, gathered block by block as a projection does."""
    projector = Projector(dataclasses.replace(model, residual=None), dtype)
    runs = iter([(0, len(rows))])
    for block in blocks(ArrayShard(rows), runs, projector.shift, dtype, block_rows):
        projector.project(block, is_train=True)
    projector.train.center()
    return residuals(model, projector.train)


def distance_to_spectrum(model, rows):
    """Distance of each explained variance from the nearest true eigenvalue, and the largest one."""
    values = dense(rows, rows.shape[1])[0]
    return np.abs(model.explained_variance[:, None] - values).min(axis=1), values[0]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", ROUNDING)
@given(**CASES, poor=st.booleans())
def test_an_eigenvalue_is_within_the_residual(
    solver, dtype, rows, data, n_shards, block_rows, poor
):
    rows = rows.astype(dtype)
    options = POOR[solver] if poor else {}
    k = some_k(data, rows)
    model = fit(
        solver,
        shards(rows, n_shards),
        dtype=dtype,
        block_rows=block_rows,
        n_components=k,
        **options,
    )
    distance, largest = distance_to_spectrum(model, rows)
    allowed = measured(model, rows, dtype) + ROUNDING[dtype] * largest
    assert (distance <= allowed).all()


@pytest.mark.parametrize(("passes", "columns"), [(1, 12), (2, 8), (3, 6)])
def test_the_residual_is_that_of_the_dense_covariance(passes, columns):
    rows = decaying(400, 40, decay=0.7)
    model = fit("randomized", [rows], n_components=5, passes=passes, columns=columns)
    image = dense(rows, 1)[2] @ model.components.T
    exact = np.linalg.norm(image - model.components.T * model.explained_variance, axis=0)
    assert exact.max() > 1e-6
    np.testing.assert_allclose(measured(model, rows, "float64"), exact, rtol=1e-6)


def test_the_bound_is_tight_for_a_vector_between_two_eigenvectors():
    """Of a turned pair of eigenvectors the error of the eigenvalue is of the residual's size."""
    rows = decaying(500, 30)
    model = fit("covariance", [rows], n_components=6)
    first, second = model.components[:2].copy()
    model.components[0] = (first + second) / np.sqrt(2)
    model.components[1] = (first - second) / np.sqrt(2)
    model.explained_variance[:2] = model.explained_variance[:2].mean()
    distance, _ = distance_to_spectrum(model, rows)
    residual = measured(model, rows, "float64")
    assert (distance[:2] <= residual[:2] * (1 + 1e-9)).all()
    assert (residual[:2] <= 10 * distance[:2]).all()
