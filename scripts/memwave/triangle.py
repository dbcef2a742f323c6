"""A large symmetric matrix of which only the upper triangle is kept: half the memory."""

from collections.abc import Iterator

from memwave.plan import spans

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

# Rows of a panel: a product of that many columns of a block stays in the second-level cache while
# it is added up.
PANEL = 256


class Triangle:
    """A symmetric matrix, shape (d, d), float64, in panels of `PANEL` rows from the diagonal on.

    The first columns of a panel hold a square that the diagonal crosses. Whoever adds to panels
    fills it like the rest of them; where rounding may have made it unsymmetric, `mirror` follows.

    Parameters
    ----------
    d : int
    values : ndarray, shape (triangle_size(d),), optional
        The panels, one behind the other; zeros by default.
    """

    def __init__(self, d: int, values: np.ndarray | None = None):
        self._d = d
        self.values = np.zeros(triangle_size(d)) if values is None else values

    def __len__(self) -> int:
        return self._d

    def panels(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Rows ``start:stop`` of the matrix from column `start` on, as views."""
        d, used = self._d, 0
        for start, stop in spans(0, d, PANEL):
            size = (stop - start) * (d - start)
            yield start, stop, self.values[used : used + size].reshape(stop - start, d - start)
            used += size

    def diagonal(self) -> np.ndarray:
        """A copy of the diagonal, shape (d,)."""
        return np.concatenate([panel.diagonal() for _, _, panel in self.panels()])

    def add_outer(self, weight: float, vector: np.ndarray) -> None:
        """Add ``weight * vector vector'``."""
        for start, stop, panel in self.panels():
            panel += np.multiply.outer(weight * vector[start:stop], vector[start:])

    def divide(self, scale: np.ndarray) -> None:
        """Divide entry (i, j) by ``scale[i] * scale[j]``."""
        for start, stop, panel in self.panels():
            panel /= np.multiply.outer(scale[start:stop], scale[start:])

    def full(self) -> np.ndarray:
        """The whole matrix, shape (d, d), a copy."""
        matrix = np.empty((self._d, self._d))
        for start, stop, panel in self.panels():
            matrix[start:stop, start:] = panel
            matrix[start:, start:stop] = panel.T
        return matrix

    def mirror(self) -> None:
        """Make it symmetric to the last bit: what is below the diagonal becomes what is above."""
        for start, stop, panel in self.panels():
            corner = panel[:, : stop - start]
            corner[:] = np.triu(corner) + np.triu(corner, 1).T

    def __matmul__(self, vectors: np.ndarray) -> np.ndarray:
        """Multiply with vectors, shape (d,) or (d, k)."""
        product = np.zeros(vectors.shape)
        for start, stop, panel in self.panels():
            product[start:stop] += panel @ vectors[start:]
            product[stop:] += panel[:, stop - start :].T @ vectors[start:stop]
        return product

    def is_positive_definite(self) -> bool:
        """Whether a Cholesky factorisation succeeds; the matrix is lost.

        Right-looking, by blocks (Golub and Van Loan, Matrix Computations, section 4.2.6), in
        place but for three panels.
        """
        scratch = np.empty(PANEL * self._d)
        panels = list(self.panels())
        for i, (start, stop, panel) in enumerate(panels):
            try:
                factor = cholesky(panel[:, : stop - start], check_finite=False)
            except LinAlgError:
                return False
            right = panel[:, stop - start :]
            right[:] = solve_triangular(factor, right, trans="T", check_finite=False)
            for low, high, below in panels[i + 1 :]:
                product = scratch[: below.size].reshape(below.shape)
                np.matmul(right[:, low - stop : high - stop].T, right[:, low - stop :], out=product)
                below -= product
        return True


def triangle_size(d: int) -> int:
    """Values that the panels of a d x d matrix hold."""
    return sum((stop - start) * (d - start) for start, stop in spans(0, d, PANEL))


def cholesky_bytes(d: int) -> int:
    """Memory of `Triangle.is_positive_definite`, beside the matrix."""
    return 3 * 8 * PANEL * d + 4 * 8 * PANEL * PANEL
