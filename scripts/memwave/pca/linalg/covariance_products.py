"""Products of the covariance with a few vectors, summed block by block.

``C Q = sum (x - mean) ((x - mean)' Q) / (n - 1)`` needs no matrix of features squared: the
randomized solver iterates it, and a projection gathers it to measure the model it projects with.
"""

import numpy as np


class CovarianceProducts:
    """Count, mean, squares, and ``sum (x - mean) ((x - mean)' Q)`` of rows.

    Parameters
    ----------
    shift : ndarray, shape (d,)
        What is subtracted from the rows that `update` gets.
    basis : ndarray, shape (d, l)
        Q, in the type of the rows.
    """

    def __init__(self, shift: np.ndarray, basis: np.ndarray):
        self.shift = shift.astype(basis.dtype)
        self.mean = self.shift.astype(np.float64)
        self.count, self.squares = 0, 0.0
        self._basis = basis
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
        """Take in a block of which `project` and `squared_norms` are known."""
        self._product += block.T @ projected
        self.count += len(block)
        self.squares += float(norms.sum(dtype=np.float64))

    @property
    def product(self) -> np.ndarray:
        return self._product[:, :-1]

    def center(self) -> None:
        """Refer everything to the mean instead of the shift."""
        if not self.count:
            return
        offset = self._product[:, -1] / self.count
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
        self._add_outer(self.count * other.count / total, difference)
        self.mean = self.mean + difference * (other.count / total)
        self.count = total

    def _add_outer(self, weight: float, vector: np.ndarray) -> None:
        self.product[:] += np.multiply.outer(weight * vector, vector @ self._basis)
        self.squares += weight * float(vector @ vector)

    def finish(self) -> None:
        self.center()

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything it knows, once it is finished; to be stored and given to `of_arrays`."""
        if self._product[:, -1].any():
            raise ValueError("the products are not centred: call finish first")
        return {
            "basis": self._basis,
            "count": np.array(self.count),
            "mean": self.mean,
            "squares": np.array(self.squares),
            "product": self._product,
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "CovarianceProducts":
        products = cls(arrays["mean"], arrays["basis"])
        products.mean = arrays["mean"]
        products.count = int(arrays["count"])
        products.squares = float(arrays["squares"])
        products._product = arrays["product"]
        return products


def squared_norms(block: np.ndarray) -> np.ndarray:
    """Squared length of each row of a block, shape (n,)."""
    return np.vecdot(block, block)


def products_bytes(d: int, width: int, itemsize: int) -> int:
    """Memory of products with a basis of `width` columns, and of taking in a block."""
    return (2 * 8 + 3 * itemsize) * d * (width + 1)
