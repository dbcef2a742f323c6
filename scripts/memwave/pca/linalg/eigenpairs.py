"""The few leading eigenpairs of a large covariance matrix, with proof that none was missed.

A block Lanczos method with restarts (`krylov.block_lanczos`) takes a small part of the time of a
full reduction. But it finds only that its pairs are eigenpairs. A Cholesky factorisation then
decides whether they are the leading ones: ``C - V diag(w) V'``, without the found pairs, has no
eigenvalue of s or more if and only if ``s I`` minus it is positive definite.
"""

import numpy as np

from memwave.core.precision import power_of_two
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

# Random vectors that sum the cubes of eigenvalues. The standard error is below a fifth of the sum
# where a single eigenvalue makes it up, and far smaller where many do.
PROBES = 64


def proven_eigenpairs_in_place(
    matrix: Triangle, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
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
    others : ndarray, shape (3,)
        Of all other eigenvalues; see `eigenvalue_moments`.

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
    others = prove_none_missed_in_place(matrix, values, vectors)
    return None if others is None else (values, vectors, images, others)


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


def prove_none_missed_in_place(
    matrix: Triangle, values: np.ndarray, vectors: np.ndarray
) -> np.ndarray | None:
    """Moments of all other eigenvalues, if none is larger than the smallest of the pairs.

    Larger by less than `MISSED` of the largest does not count. The matrix is lost if none was
    missed; else it is left as it was, but for rounding, and None is returned.
    """
    bound = values[0] + MISSED * values[-1]
    deflate(matrix, bound, values, vectors)
    others = eigenvalue_moments(matrix, bound)
    if matrix.factorise_in_place():
        return others
    deflate(matrix, bound, values, vectors)
    return None


def other_moments_in_place(matrix: Triangle, values: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Moments of the eigenvalues that are not among the pairs; the matrix is lost."""
    deflate(matrix, 0.0, values, vectors)
    return eigenvalue_moments(matrix, 0.0)


def eigenvalue_moments(deflated: Triangle, bound: float) -> np.ndarray:
    """Moments of the eigenvalues of R, where the matrix is ``bound I - R``.

    With the traces t1, t2 and t3 of R, R^2 and R^3, these are t1, t2 / t1 and t3 / t2. The first
    two traces are sums over the entries. The third is estimated by random vectors of signs
    (Hutchinson, Communications in Statistics, Simulation and Computation 19 (1990), 433-450), and
    kept within what the other two allow (Cauchy-Schwarz). It is exact up to `PROBES` rows.

    Returns
    -------
    ndarray, shape (3,)
        In the units of the eigenvalues. Zeros if R is zero, but for rounding.
    """
    d = len(deflated)
    diagonal = bound - deflated.diagonal()
    first = float(diagonal.sum())
    if first <= 0.0:
        return np.zeros(3)
    unit = power_of_two(first)  # so that powers stay in the range of float64
    diagonal /= unit
    second = float(diagonal @ diagonal)
    for start, stop, low, _, values in deflated.parts():
        scaled = values / unit
        second += 2 * float(np.vecdot(scaled, scaled).sum())
        if low == start:
            corner = scaled[:, : stop - start]
            second -= float(np.vecdot(corner, corner).sum() + np.sum(corner.diagonal() ** 2))
    probes = np.eye(d)
    if d > PROBES:
        probes = np.random.default_rng(0).choice([-1.0, 1.0], size=(d, PROBES))
    images = (bound * probes - deflated @ probes) / unit
    third = float(np.sum(images * (bound * images - deflated @ images) / unit))
    third /= PROBES if d > PROBES else 1
    least, most = second**2 / (first / unit), second**1.5
    third = min(max(third, least), most)
    return np.array([first, second / (first / unit) * unit, third / second * unit])


def with_eigenvalue(moments: np.ndarray, value: float) -> np.ndarray:
    """Moments, as of `eigenvalue_moments`, with one more eigenvalue."""
    if value <= 0.0:
        return moments
    first, second, third = moments / value
    sums = np.array([first, second * first, third * second * first]) + 1.0
    return np.array([sums[0], sums[1] / sums[0], sums[2] / sums[1]]) * value


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
    space = max(space_bytes(d, width, room, k), 8 * d * 4 * min(d, PROBES))
    products = multiply_bytes(max(k, width, PROBES))
    return 8 * triangle_size(d) + space + 8 * d * 5 * k + max(cholesky_bytes(), products)
