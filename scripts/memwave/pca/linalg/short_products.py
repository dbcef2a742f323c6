"""Sums of products over rows whose rounding does not grow with the number of rows of a block.

A product of two matrices adds one term for each row, in the type of the matrices. So a block is
multiplied in slices of few rows. The products of a few slices are added up in that type, and these
sums in float64. An entry is then as exact as a short sum, for any size of the block: blocked
summation (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 4.2).
"""

import numpy as np

from memwave.core.ranges import spans

# Rows of a slice, and number of products that are added up in the type of the block. Fewer rows are
# more exact, but slower: BLAS multiplies them at a lower rate, and more products are added.
ROWS, GROUP = 512, 8

# Values of small products that are computed at once; they fit in the cache.
AT_ONCE = 131_072

# Roundings of an entry of a block before the product: by conversion, shift and scale. A term of a
# product has two such entries.
LOADING = 4


def add_products(left: np.ndarray, right: np.ndarray, total: np.ndarray) -> None:
    """Add ``left' @ right`` to `total`.

    Parameters
    ----------
    left, right : ndarray, shapes (n, p) and (n, q)
        Of the same type, in which they are multiplied.
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
        slices = (stop - start) // ROWS
        transposed = left[start:stop].reshape(slices, ROWS, -1).transpose(0, 2, 1)
        products = np.matmul(transposed, right[start:stop].reshape(slices, ROWS, -1))
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
    """Bound of the relative error of that many successive roundings (Higham, section 3.1)."""
    each = terms * float(np.finfo(dtype).eps) / 2
    return each / (1 - each) if each < 1 else float("inf")


def additions(rows: int) -> int:
    """Most products of a block of `rows` rows that are added up in float64."""
    return rows // (ROWS * GROUP) + 2


def product_rounding(rows: int, dtype: str, added: int) -> float:
    """Bound of the rounding of sums over blocks, as a share of ``|left|' |right|``.

    Parameters
    ----------
    rows : int
        Total number of rows.
    dtype : {"float32", "float64"}
        Type of the blocks.
    added : int
        Sum of `additions` over all blocks.

    Returns
    -------
    float
        Holds for any order of the additions in BLAS, with or without fused multiplications. It
        includes the rounding of loading, of the products, and of the sums in float64.
    """
    in_blocks = gamma(min(rows, ROWS) + min(rows // ROWS, GROUP) + 2 * LOADING, dtype)
    return in_blocks + gamma(added, "float64")


def mean_rounding(one: np.ndarray, other: np.ndarray) -> float:
    """Bound of the error of the difference of two means that were rounded to float64."""
    unit = float(np.finfo(np.float64).eps)
    return unit * float(np.linalg.norm(one) + np.linalg.norm(other))
