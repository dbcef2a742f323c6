"""Half a symmetric matrix does what the whole one would."""

import numpy as np
import pytest
from fitting import triangle_of

from memwave.pca.linalg.triangle import PANEL, Triangle, triangle_size

SIZES = [1, 5, PANEL, PANEL + 1, 2 * PANEL + 37]


def symmetric(d, seed=0):
    matrix = np.random.default_rng(seed).normal(size=(d, d))
    return matrix + matrix.T


@pytest.mark.parametrize("d", SIZES)
def test_it_is_the_matrix_that_its_panels_are_of(d):
    matrix = symmetric(d)
    triangle = triangle_of(matrix)
    assert len(triangle) == d
    assert triangle.values.shape == (triangle_size(d),)
    assert (triangle.full() == matrix).all()
    assert (triangle.diagonal() == matrix.diagonal()).all()
    assert (Triangle(d, triangle.values).full() == matrix).all()


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_products_with_vectors(d, shape):
    matrix, vectors = symmetric(d), np.random.default_rng(1).normal(size=(d, *shape))
    product = triangle_of(matrix) @ vectors
    np.testing.assert_allclose(product, matrix @ vectors, rtol=0, atol=1e-13 * d)


@pytest.mark.parametrize("d", SIZES)
def test_outer_products_and_division(d):
    matrix, vector = symmetric(d), np.arange(1.0, d + 1)
    triangle = triangle_of(matrix)
    triangle.add_outer(2.0, vector)
    triangle.divide(vector)
    expected = matrix / np.multiply.outer(vector, vector) + 2.0
    np.testing.assert_allclose(triangle.full(), expected, rtol=1e-12)


@pytest.mark.parametrize("d", SIZES)
def test_mirrored_it_is_symmetric_to_the_last_bit(d):
    matrix = symmetric(d)
    triangle = triangle_of(matrix)
    for _, _, panel in triangle.panels():
        panel[:, : len(panel)] += np.tril(np.full((len(panel), len(panel)), 1e-9), -1)
    triangle.mirror()
    assert (triangle.full() == matrix).all()
    vector = np.arange(float(d))
    np.testing.assert_allclose(triangle @ vector, matrix @ vector, rtol=0, atol=1e-12 * d * d)


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("place", ["first", "last"])
def test_positive_definite_means_that_no_eigenvalue_is_negative(d, place):
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(d, d)))[0]
    values = np.linspace(1.0, 2.0, d)
    matrix = (turn * values) @ turn.T
    triangle = triangle_of(matrix)
    assert triangle.factorise_in_place()
    factor = np.triu(triangle.full())
    np.testing.assert_allclose(factor.T @ factor, matrix, rtol=0, atol=1e-13)
    values[0 if place == "first" else -1] = -1e-6
    indefinite = (turn * values) @ turn.T
    triangle = triangle_of(indefinite)
    assert not triangle.factorise_in_place()
    np.testing.assert_allclose(triangle.full(), indefinite, rtol=0, atol=1e-13)
