"""Small matrices, and what the model of one is to be."""

import numpy as np

import memwave

GOOD = np.random.default_rng(0).normal(size=(40, 6)) * [6, 5, 4, 3, 2, 1] + 3
NAMES = list("abcdef")


def fitted(X, **options):
    return memwave.PCA(2, block_mb=0.001, **options).fit(X)


def require_same(pca, rows):
    """The model of all rows, as a dense decomposition finds it."""
    assert pca.n_samples_ == len(rows)
    np.testing.assert_allclose(pca.mean_, rows.mean(axis=0))
    values = np.linalg.eigvalsh(np.cov(rows.T))[:-3:-1]
    np.testing.assert_allclose(pca.explained_variance_, values)


ROWS, COLUMNS, K = 403, 9, 3


def matrix(dtype="float32", n_rows=ROWS):
    scale = np.array([9, 6, 4] + [1] * (COLUMNS - 3))
    rows = np.random.default_rng(0).normal(size=(n_rows, COLUMNS)) * scale + 50
    return rows.astype(dtype)
