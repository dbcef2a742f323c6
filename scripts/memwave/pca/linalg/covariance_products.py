"""Products of the covariance with a few vectors, summed block by block.

``C Q = sum (x - mean) ((x - mean)' Q) / (n - 1)`` needs no d x d matrix. The randomized solver
iterates it, and a projection computes it to get the residuals of its model.
"""

import numpy as np

from memwave.pca.linalg.short_products import (
    add_products,
    additions,
    gamma,
    mean_rounding,
    product_rounding,
    scratch_bytes,
)


class CovarianceProducts:
    """Count, mean, squares, and ``sum (x - mean) ((x - mean)' Q)`` of rows.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        Vector that the caller subtracts from the rows before `update`.
    basis : ndarray, shape (d, l)
        Q, in the type of the rows.

    Attributes
    ----------
    rounding : float
        Bound of the error of each column of `product`, as a share of the length of the column of Q.
    """

    def __init__(self, shift: np.ndarray, basis: np.ndarray):
        self.shift = shift.astype(basis.dtype)
        self.mean = self.shift.astype(np.float64)
        self.count, self.squares, self.rounding = 0, 0.0, 0.0
        self._basis, self._additions = basis, 0
        self._moved = 0.0  # bound of the error of the mean
        # The last column becomes the plain sum of the rows.
        self._product = np.zeros((basis.shape[0], basis.shape[1] + 1))

    def project(self, block: np.ndarray) -> np.ndarray:
        """Return ``block @ Q``, shape (n, l), with one more column of ones."""
        projected = np.ones((len(block), self._basis.shape[1] + 1), block.dtype)
        np.matmul(block, self._basis, out=projected[:, :-1])
        return projected

    def update(self, block: np.ndarray) -> None:
        self.add(block, self.project(block), squared_norms(block))

    def add(self, block: np.ndarray, projected: np.ndarray, norms: np.ndarray) -> None:
        """Add a block, with the results of `project` and `squared_norms` for it."""
        add_products(block, projected, self._product)
        self._additions += additions(len(block))
        self.count += len(block)
        self.squares += float(norms.sum(dtype=np.float64))

    @property
    def product(self) -> np.ndarray:
        return self._product[:, :-1]

    def center(self) -> None:
        """Move all sums from the shift to the mean."""
        if not self._additions:
            return
        dtype = self._basis.dtype.name
        share = product_rounding(self.count, dtype, self._additions)
        share += gamma(len(self._basis) + 8, dtype)
        self._moved, self._additions = share * float(np.sqrt(self.squares / self.count)), 0
        offset = self._product[:, -1] / self.count
        moved = 2 * self.count * self._moved * (float(np.linalg.norm(offset)) + self._moved)
        self.rounding += share * self.squares + moved
        self._add_outer(-self.count, offset)
        self.mean = self.shift + offset
        self.shift, self._product[:, -1] = self.mean, 0.0

    def merge(self, other: "CovarianceProducts") -> None:
        """Add another set of rows; both are centred."""
        if not other.count:
            return
        total = self.count + other.count
        difference = other.mean - self.mean
        self._product += other._product
        self.squares += other.squares
        weight = self.count * other.count / total
        moved = self._moved + other._moved + mean_rounding(self.mean, other.mean)
        apart = float(np.linalg.norm(difference))
        self.rounding += other.rounding + weight * moved * (2 * apart + moved)
        self._moved = (self.count * self._moved + other.count * other._moved) / total
        self._add_outer(weight, difference)
        self.mean = self.mean + difference * (other.count / total)
        self.count = total

    def _add_outer(self, weight: float, vector: np.ndarray) -> None:
        self.product[:] += np.multiply.outer(weight * vector, vector @ self._basis)
        self.squares += weight * float(vector @ vector)

    def finish(self) -> None:
        self.center()

    def arrays(self) -> dict[str, np.ndarray]:
        """Content after `finish`, for a file; `of_arrays` reads it back."""
        if self._product[:, -1].any():
            raise ValueError("the products are not centred: call finish first")
        return {
            "basis": self._basis,
            "count": np.array(self.count),
            "mean": self.mean,
            "squares": np.array(self.squares),
            "product": self._product,
            "rounding": np.array([self.rounding, self._moved]),
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "CovarianceProducts":
        products = cls(arrays["mean"], arrays["basis"])
        products.mean = arrays["mean"]
        products.count = int(arrays["count"])
        products.squares = float(arrays["squares"])
        products._product = arrays["product"]
        products.rounding, products._moved = map(float, arrays["rounding"])
        return products


def squared_norms(block: np.ndarray) -> np.ndarray:
    """Squared length of each row of a block, shape (n,)."""
    return np.vecdot(block, block)


def products_bytes(d: int, width: int, itemsize: int) -> int:
    """Memory of products with a basis of `width` columns, and of adding a block."""
    return (2 * 8 + 2 * itemsize) * d * (width + 1) + scratch_bytes(d, width + 1, itemsize)
