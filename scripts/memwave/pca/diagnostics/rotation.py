"""Varimax rotation of components: loadings that are large or near zero, for interpretation."""

import numpy as np

# Iterations, and the change of the rotation at which it stops.
ITERATIONS, TOLERANCE = 1000, 1e-10


def varimax(loadings: np.ndarray, *, normalize: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Rotate loadings so that the variance of their squares is largest.

    Kaiser, "The varimax criterion for analytic rotation in factor analysis", Psychometrika 23
    (1958), 187-200, by singular value decompositions of all columns together (as R's ``varimax``).

    Parameters
    ----------
    loadings : ndarray, shape (d, k)
        Components times the square roots of their explained variances.
    normalize : bool
        Whether rows are scaled to unit length during the rotation (Kaiser's normalization).

    Returns
    -------
    rotated : ndarray, shape (d, k)
    rotation : ndarray, shape (k, k)
        Orthogonal: ``rotated = loadings @ rotation``.
    """
    d, k = loadings.shape
    rotation = np.eye(k)
    if k < 2:
        return loadings.copy(), rotation
    length = np.ones(d)
    if normalize:
        found = np.sqrt(np.vecdot(loadings, loadings))
        length = np.where(found > 0, found, 1.0)
    scaled = loadings / length[:, None]
    for _ in range(ITERATIONS):
        turned = scaled @ rotation
        target = turned**3 - turned * (np.vecdot(turned.T, turned.T) / d)
        left, _, right = np.linalg.svd(scaled.T @ target)
        before, rotation = rotation, left @ right
        if np.abs(rotation - before).max() <= TOLERANCE:
            break
    return loadings @ rotation, rotation


def rotated_scores(
    scores: np.ndarray, explained_variance: np.ndarray, rotation: np.ndarray
) -> np.ndarray:
    """Scores of rotated components, of unit variance and uncorrelated over the fitted rows.

    Parameters
    ----------
    scores : ndarray, shape (n, k)
    explained_variance : ndarray, shape (k,)
        All above 0.
    rotation : ndarray, shape (k, k)
        Of `varimax`.
    """
    return scores / np.sqrt(explained_variance) @ rotation


def rotated_variance(rotated: np.ndarray) -> np.ndarray:
    """Variance that each rotated component explains, shape (k,); their sum is as before."""
    return np.vecdot(rotated.T, rotated.T)
