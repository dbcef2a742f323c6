"""Leading eigenpairs by Lanczos: right, or none."""

import numpy as np
import pytest
from fitting import triangle_of

from memwave.pca.linalg import eigenpairs
from memwave.pca.linalg.eigenpairs import (
    SMALLEST,
    prove_none_missed_in_place,
    proven_eigenpairs_in_place,
)
from memwave.pca.linalg.triangle import Triangle

D = SMALLEST + 20


def with_spectrum(values, seed=0):
    """A symmetric matrix with these eigenvalues, and its eigenvectors."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    return (turn * values) @ turn.T, turn


@pytest.mark.parametrize(
    "values",
    [
        np.arange(1, D + 1) ** -1.0,
        np.exp(-0.1 * np.arange(D)),
        np.concatenate([[5.0, 5.0, 5.0, 4.0, 4.0], np.linspace(3.9, 0, D - 5)]),
        np.concatenate([[3.0, 2.0, 1.0], np.zeros(D - 3)]),
    ],
    ids=["slow", "fast", "equal", "rank 3"],
)
def test_pairs_are_the_leading_ones(values):
    matrix, _ = with_spectrum(values)
    triangle = triangle_of(matrix)
    found = proven_eigenpairs_in_place(triangle, 5)
    if found is None:  # then LAPACK is asked
        np.testing.assert_allclose(triangle.full(), matrix, rtol=0, atol=1e-14 * values.max())
        return
    np.testing.assert_allclose(found[2], matrix @ found[1], rtol=0, atol=1e-13 * values.max())
    np.testing.assert_allclose(found[0], np.sort(values)[-5:], rtol=0, atol=1e-10 * values.max())
    residuals = np.linalg.norm(matrix @ found[1] - found[1] * found[0], axis=0)
    assert residuals.max() <= 1e-10 * values.max()
    np.testing.assert_allclose(found[1].T @ found[1], np.eye(5), atol=1e-12)


def test_rounding_below_zero_is_not_taken_for_large():
    """Of rows in float32 with few directions; LAPACK would be asked for nothing."""
    random = np.random.default_rng(0)
    rows = (random.normal(size=(2000, 5)) @ random.normal(size=(5, D))).astype(np.float32)
    matrix = (rows.T @ rows).astype(np.float64)
    values = np.linalg.eigvalsh(matrix)
    assert values[0] < -values[-10]
    found = proven_eigenpairs_in_place(triangle_of(matrix), 10)
    assert found is not None
    np.testing.assert_allclose(found[0], values[-10:], rtol=0, atol=1e-10 * values[-1])


def test_a_missed_eigenvalue_is_noticed():
    values = np.arange(D, 0, -1.0)
    matrix, vectors = with_spectrum(values)
    others = prove_none_missed_in_place(triangle_of(matrix), values[4::-1], vectors[:, 4::-1])
    assert others is not None
    sums = [(values[5:] ** power).sum() for power in (1, 2, 3)]
    np.testing.assert_allclose(others[:2], [sums[0], sums[1] / sums[0]], rtol=1e-9)
    assert others[2] == pytest.approx(sums[2] / sums[1], rel=0.05)
    triangle, keep = triangle_of(matrix), [5, 4, 2, 1, 0]
    assert prove_none_missed_in_place(triangle, values[keep], vectors[:, keep]) is None
    np.testing.assert_allclose(triangle.full(), matrix, rtol=0, atol=1e-13 * D)


def test_nothing_is_promised_of_small_matrices_and_many_pairs(monkeypatch):
    matrix, _ = with_spectrum(np.arange(D, 0, -1.0))
    assert proven_eigenpairs_in_place(triangle_of(matrix[:50, :50]), 3) is None
    assert proven_eigenpairs_in_place(triangle_of(matrix), D // 2) is None
    monkeypatch.setattr(eigenpairs, "PASSES", 1)
    assert proven_eigenpairs_in_place(triangle_of(np.eye(D) + 1e-3 * matrix / D), 5) is None
    assert proven_eigenpairs_in_place(Triangle(D), 5) is None
