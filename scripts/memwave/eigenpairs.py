"""The few leading eigenpairs of a large covariance matrix, with proof that none was missed.

The implicitly restarted Lanczos method (Lehoucq, Sorensen and Yang, ARPACK Users' Guide, SIAM
1998) takes a small part of the time of a full reduction, but tells only that what it found are
eigenpairs. Whether they are the leading ones is then decided by a Cholesky factorisation:
with the found pairs taken out, ``C - V diag(w) V'`` has no eigenvalue of s or more if and only if
``s I`` minus it is positive definite.
"""

from memwave.triangle import Triangle, cholesky_bytes, triangle_size

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

# What may be missed, and the residual of what is found, as a share of the largest eigenvalue.
MISSED = 1e-11
RESIDUAL = 1e-12

# For smaller matrices, and more pairs than this share of all, a full reduction is as fast.
SMALLEST = 400
LARGEST_SHARE = 0.1

# Restarts after which a full reduction would have been as fast.
RESTARTS = 40


def proven_eigenpairs(matrix: Triangle, k: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The k leading eigenpairs of a symmetric positive semidefinite matrix, if Lanczos finds them.

    Parameters
    ----------
    matrix : Triangle, shape (d, d)
        Left as it is.
    k : int

    Returns
    -------
    values : ndarray, shape (k,)
        Ascending.
    vectors : ndarray, shape (d, k)
        Orthonormal columns.

    None where `matrix` is small, k is no small share of d, Lanczos does not converge soon, or an
    eigenvalue was missed.

    Notes
    -----
    Memory is that of a second triangle, and some vectors (`eigenpair_bytes`).
    """
    if len(matrix) < SMALLEST or k > LARGEST_SHARE * len(matrix):
        return None
    pairs = lanczos(matrix, k)
    return pairs if pairs is not None and none_missed(matrix, *pairs) else None


def lanczos(matrix: Triangle, k: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Eigenpairs, ascending, that are probably the leading ones; None without convergence."""
    d = len(matrix)
    product = LinearOperator((d, d), matvec=matrix.__matmul__, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(d)
    try:
        values, vectors = eigsh(
            product, k, v0=start, ncv=krylov_size(k), maxiter=RESTARTS, tol=RESIDUAL
        )
    except ArpackError:
        return None
    order = np.argsort(values)
    return values[order], np.ascontiguousarray(vectors[:, order])


def none_missed(matrix: Triangle, values: np.ndarray, vectors: np.ndarray) -> bool:
    """Whether no eigenvalue outside of the pairs is larger than the smallest of them.

    Larger by less than `MISSED` of the largest does not count.
    """
    bound = values[0] + MISSED * values[-1]
    rest = Triangle(len(matrix))
    for (start, stop, left), (_, _, panel) in zip(rest.panels(), matrix.panels(), strict=True):
        np.matmul(vectors[start:stop] * values, vectors[start:].T, out=left)
        left -= panel
        left.flat[:: left.shape[1] + 1] += bound
    return rest.is_positive_definite()


def krylov_size(k: int) -> int:
    """Vectors of the Krylov space between restarts."""
    return 2 * k + 20


def eigenpair_bytes(d: int, k: int) -> int:
    """Memory of `proven_eigenpairs`, the matrix included."""
    vectors = 8 * d * (krylov_size(k) + 4 * k + 80)
    return 2 * 8 * triangle_size(d) + cholesky_bytes(d) + vectors + 3 * 8 * krylov_size(k) ** 2
