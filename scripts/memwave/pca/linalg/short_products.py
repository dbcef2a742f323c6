"""Sums of products over rows whose rounding does not grow with the rows of a block.

A product of two matrices adds up as many terms as it has rows, all in the type of the matrices. So
a block is multiplied in pieces of few rows. The products of a few pieces are added up in that type,
and these sums in float64. An entry is then as exact as a short sum, whatever the size of the block:
blocked summation (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002,
section 4.2).
"""

import numpy as np

from memwave.core.ranges import spans

# Rows of a product, and products that are added up in the type of the block. Fewer rows are more
# exact, and slower: BLAS multiplies them at a lower rate, and there is more to add.
ROWS, GROUP = 512, 8

# Values of products that are made at once where a product is small: they stay in the cache.
AT_ONCE = 131_072

# Roundings of an entry of a block before it is multiplied: it is converted, shifted and scaled.
# An entry of a product has two of them.
LOADING = 4


def add_products(left: np.ndarray, right: np.ndarray, total: np.ndarray) -> None:
    """Add ``left' @ right`` to `total`.

    Parameters
    ----------
    left, right : ndarray, shapes (n, p) and (n, q)
        Of one type, in which they are multiplied.
    total : ndarray, shape (p, q), float64

    Notes
    -----
    Memory is that of two products, or of 1.5 times `AT_ONCE` values (`scratch_bytes`).
    """
    groups = AT_ONCE // (total.size * GROUP)
    if not groups:
        for start, stop in spans(0, len(left), ROWS * GROUP):
            total += product_of_group(left[start:stop], right[start:stop])
        return
    whole = len(left) - len(left) % (ROWS * GROUP)
    for start, stop in spans(0, whole, groups * ROWS * GROUP):
        pieces = (stop - start) // ROWS
        ours = left[start:stop].reshape(pieces, ROWS, -1).transpose(0, 2, 1)
        products = np.matmul(ours, right[start:stop].reshape(pieces, ROWS, -1))
        sums = products.reshape(-1, GROUP, *total.shape).sum(axis=1)
        total += sums.sum(axis=0, dtype=np.float64)
    if whole < len(left):
        total += product_of_group(left[whole:], right[whole:])


def product_of_group(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``left' @ right`` of at most `GROUP` times `ROWS` rows, in their type."""
    total = left[:ROWS].T @ right[:ROWS]
    more = np.empty_like(total) if len(left) > ROWS else total
    for start, stop in spans(ROWS, len(left), ROWS):
        np.matmul(left[start:stop].T, right[start:stop], out=more)
        total += more
    return total


def scratch_bytes(p: int, q: int, itemsize: int) -> int:
    """Memory of `add_products` for a product of p x q values."""
    if p * q * GROUP > AT_ONCE:
        return 2 * itemsize * p * q
    return itemsize * (AT_ONCE + AT_ONCE // GROUP) + 16 * p * q


def gamma(terms: float, dtype: str) -> float:
    """Bound of the relative error of so many roundings in a row (Higham, section 3.1)."""
    each = terms * float(np.finfo(dtype).eps) / 2
    return each / (1 - each) if each < 1 else float("inf")


def additions(rows: int) -> int:
    """How many products of a block of so many rows are added up in float64, at most."""
    return rows // (ROWS * GROUP) + 2


def product_rounding(rows: int, dtype: str, added: int) -> float:
    """Bound of the rounding of sums over blocks, as a share of ``|left|' |right|``.

    Parameters
    ----------
    rows : int
        Rows that were multiplied in all.
    dtype : {"float32", "float64"}
        Type that blocks come in.
    added : int
        `additions` of all blocks.

    Returns
    -------
    float
        Holds for any order in which BLAS adds, with or without fused multiplications. It counts
        what loading rounds, the products, and the sums in float64.
    """
    in_blocks = gamma(min(rows, ROWS) + min(rows // ROWS, GROUP) + 2 * LOADING, dtype)
    return in_blocks + gamma(added, "float64")


def mean_rounding(one: np.ndarray, other: np.ndarray) -> float:
    """Bound of the error of the difference of two means that were rounded to float64."""
    unit = float(np.finfo(np.float64).eps)
    return unit * float(np.linalg.norm(one) + np.linalg.norm(other))
