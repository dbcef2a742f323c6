"""A large symmetric matrix of which only the upper triangle is stored: half the memory.

LAPACK has a packed format of its own (RFP: `dpftrf`, `dsfrk`). Its factorisation takes 1.1 s where
this one takes 2.7 s (d = 3504, medians of five paired runs on a busy machine) and its update nine
tenths of the time. But BLAS cannot multiply such a matrix with vectors, which Lanczos does all the
time, `dpftrf` loses the matrix where it is not positive definite, and sums in float64 of products
in float32 need the panels.
"""

from collections.abc import Iterator

import numpy as np
import scipy

from memwave.core.ranges import spans

# Rows of a panel: a product of that many columns of a block stays in the second-level cache while
# it is added up.
PANEL = 256

# Columns of a panel that are computed at once where a copy of them is needed.
CHUNK = 1024


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
            matrix[start:, start:stop] = panel.T
            matrix[start:stop, start:] = panel
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

    def factorise_in_place(self) -> bool:
        """Put the upper Cholesky factor in place of the matrix, if it is positive definite.

        If not, False is returned, and the matrix is what it was, but for rounding. Right-looking,
        by blocks (Golub and Van Loan, Matrix Computations, section 4.2.6).
        """
        panels = list(self.panels())
        for i, (_, _, panel) in enumerate(panels):
            corner, right = split(panel)
            try:
                corner[:] = scipy.linalg.cholesky(corner, check_finite=False)
            except scipy.linalg.LinAlgError:
                self._multiply_back(i)
                return False
            for columns in np.array_split(right, range(CHUNK, right.shape[1], CHUNK), axis=1):
                columns[:] = scipy.linalg.solve_triangular(
                    corner, columns, trans="T", check_finite=False
                )
            self._add_square(-1.0, right, panels[i + 1 :])
        return True

    def _multiply_back(self, factored: int) -> None:
        """Undo the factorisation of the first panels, the last of them first."""
        panels = list(self.panels())
        for i in reversed(range(factored)):
            corner, right = split(panels[i][2])
            self._add_square(1.0, right, panels[i + 1 :])
            right[:] = corner.T @ right
            corner[:] = corner.T @ corner

    def _add_square(
        self, sign: float, right: np.ndarray, panels: list[tuple[int, int, np.ndarray]]
    ) -> None:
        """Add ``sign * right' right`` to the last panels."""
        first = self._d - right.shape[1]
        for start, stop, panel in panels:
            left = sign * right[:, start - first : stop - first].T
            for low, high in spans(start, self._d, CHUNK):
                panel[:, low - start : high - start] += left @ right[:, low - first : high - first]


def split(panel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square of a panel that the diagonal crosses, and what is to the right of it; views."""
    return panel[:, : len(panel)], panel[:, len(panel) :]


def triangle_size(d: int) -> int:
    """Values that the panels of a d x d matrix hold."""
    return sum((stop - start) * (d - start) for start, stop in spans(0, d, PANEL))


def cholesky_bytes() -> int:
    """Memory of `Triangle.factorise_in_place`, beside the matrix."""
    return 8 * PANEL * (4 * CHUNK + 4 * PANEL)
