"""The few leading eigenpairs of a large covariance matrix, with proof that none was missed.

A block Lanczos method with restarts (`krylov.block_lanczos`) takes a small part of the time of a
full reduction. But it finds only that its pairs are eigenpairs. A Cholesky factorisation then
decides whether they are the leading ones: ``C - V diag(w) V'``, without the found pairs, has no
eigenvalue of s or more if and only if ``s I`` minus it is positive definite.
"""

import numpy as np

from memwave.core.workers import share
from memwave.pca.linalg.krylov.block_lanczos import (
    Pairs,
    Space,
    leading_eigenpairs,
    space_bytes,
)
from memwave.pca.linalg.triangle import (
    Part,
    Triangle,
    cholesky_bytes,
    multiply_bytes,
    triangle_size,
)

# What may be missed, and the residual of what is found, as a share of the largest eigenvalue.
MISSED = 1e-11
RESIDUAL = 1e-12

# For smaller matrices, and more pairs than this share of all, a full reduction is as fast.
SMALLEST = 400
LARGEST_SHARE = 0.1

# Products with a block after which a full reduction would have been as fast.
PASSES, USUAL_PASSES = 100, 25

# Least number of vectors of a block, pairs for each of them, and vectors in memory for each pair. A
# product with a block takes a fifth of the time of products with one vector after the other, and
# more threads can share it.
WIDTH, PAIRS_PER_VECTOR, HELD = 16, 4, 4


def proven_eigenpairs_in_place(
    matrix: Triangle, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The k leading eigenpairs of a symmetric matrix, if Lanczos finds them.

    Parameters
    ----------
    matrix : Triangle, shape (d, d)
        Positive semidefinite, but for rounding. Lost if they are found; else left as it was, again
        but for rounding.
    k : int

    Returns
    -------
    values : ndarray, shape (k,)
        Ascending.
    vectors : ndarray, shape (d, k)
        Orthonormal columns.
    images : ndarray, shape (d, k)
        The product of the matrix and the vectors.

    None where `matrix` is small, k is no small share of d, Lanczos does not converge soon, or an
    eigenvalue was missed.

    Notes
    -----
    Memory is that of the matrix, and some vectors (`eigenpair_bytes`).
    """
    if not worth_trying(len(matrix), k):
        return None
    pairs = lanczos(matrix, k)
    if pairs is None:
        return None
    values, vectors = pairs.values[::-1].copy(), pairs.vectors[::-1].T.copy()
    images = pairs.images[::-1].T.copy()
    del pairs  # they are views of the whole space
    found = prove_none_missed_in_place(matrix, values, vectors)
    return (values, vectors, images) if found else None


def worth_trying(d: int, k: int) -> bool:
    """Whether Lanczos may be the faster for k eigenpairs of a d x d matrix."""
    return d >= SMALLEST and k <= LARGEST_SHARE * d


def lanczos(matrix: Triangle, k: int) -> Pairs | None:
    """Eigenpairs that are probably the leading ones; None without convergence."""
    width, room = space_of(k)
    space = Space(len(matrix), k, width, room, seed=0)

    def multiply(rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray((matrix @ rows.T).T)

    pairs, _ = leading_eigenpairs([multiply], space, k, tolerance=RESIDUAL, passes=PASSES)
    converged = pairs.residuals().max() <= RESIDUAL * pairs.values[0]
    return pairs if converged else None


def prove_none_missed_in_place(matrix: Triangle, values: np.ndarray, vectors: np.ndarray) -> bool:
    """Whether no eigenvalue outside of the pairs is larger than the smallest of them.

    Larger by less than `MISSED` of the largest does not count. The matrix is lost if none was
    missed; else it is left as it was, but for rounding.
    """
    bound = values[0] + MISSED * values[-1]
    deflate(matrix, bound, values, vectors)
    if matrix.factorise_in_place():
        return True
    deflate(matrix, bound, values, vectors)
    return False


def deflate(matrix: Triangle, bound: float, values: np.ndarray, vectors: np.ndarray) -> None:
    """Replace C by ``bound I - (C - V diag(values) V')``; done twice, it is C again."""
    scaled = vectors * values

    def subtract(part: Part) -> None:
        start, stop, low, high, panel = part
        np.subtract(scaled[start:stop] @ vectors[low:high].T, panel, out=panel)

    share(subtract, matrix.parts())
    for _, _, panel in matrix.panels():
        panel.flat[:: panel.shape[1] + 1] += bound


def space_of(k: int) -> tuple[int, int]:
    """Vectors of a block, and of the space between restarts."""
    width = max(WIDTH, k // PAIRS_PER_VECTOR)
    return width, HELD * k + width


def lanczos_work(d: int, k: int) -> float:
    """Operations of `proven_eigenpairs`, where Lanczos converges as fast as it usually does."""
    width, room = space_of(k)
    vectors = USUAL_PASSES * width + k
    return 2.0 * vectors * d * d + 8.0 * vectors * d * room + float(d) ** 3 / 3


def eigenpair_bytes(d: int, k: int) -> int:
    """Memory of `proven_eigenpairs_in_place`, the matrix included."""
    width, room = space_of(k)
    vectors = space_bytes(d, width, room, k) + 8 * d * 5 * k
    return 8 * triangle_size(d) + vectors + max(cholesky_bytes(), multiply_bytes(max(k, width)))
