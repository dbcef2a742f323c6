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
from memwave.core.workers import share

# Rows of a panel: a product of that many columns of a block stays in the second-level cache while
# it is added up.
PANEL = 256

# Columns of a panel that are computed at once: a unit of work for a thread.
CHUNK = 1024

# Parts whose products with vectors are held before they are added up.
TOGETHER = 32

# A part of a panel: its first and one past last row and column in the matrix, and its values.
Part = tuple[int, int, int, int, np.ndarray]


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

    def parts(self, first: int = 0) -> Iterator[Part]:
        """The panels from row `first` on, in parts of `CHUNK` columns, as views.

        The first part of a panel begins with its square.
        """
        for start, stop, panel in self.panels():
            if start < first:
                continue
            for low, high in spans(start, self._d, CHUNK):
                yield start, stop, low, high, panel[:, low - start : high - start]

    def diagonal(self) -> np.ndarray:
        """A copy of the diagonal, shape (d,)."""
        return np.concatenate([panel.diagonal() for _, _, panel in self.panels()])

    def add_outer(self, weight: float, vector: np.ndarray) -> None:
        """Add ``weight * vector vector'``."""

        def add(part: Part) -> None:
            start, stop, low, high, values = part
            values += np.multiply.outer(weight * vector[start:stop], vector[low:high])

        share(add, self.parts())

    def add(self, other: "Triangle") -> None:
        """Add another matrix."""

        def add(place: tuple[int, int]) -> None:
            self.values[slice(*place)] += other.values[slice(*place)]

        share(add, spans(0, len(self.values), PANEL * CHUNK))

    def divide(self, scale: np.ndarray) -> None:
        """Divide entry (i, j) by ``scale[i] * scale[j]``."""

        def divide(part: Part) -> None:
            start, stop, low, high, values = part
            values /= np.multiply.outer(scale[start:stop], scale[low:high])

        share(divide, self.parts())

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

        def multiply(part: Part) -> tuple[np.ndarray, np.ndarray | None]:
            start, stop, low, high, values = part
            mirrored = values[:, max(0, stop - low) :]  # what lies to the right of the square
            below = mirrored.T @ vectors[start:stop] if mirrored.size else None
            return values @ vectors[low:high], below

        product = np.zeros(vectors.shape)
        parts = list(self.parts())
        for taken in spans(0, len(parts), TOGETHER):
            own = parts[slice(*taken)]
            for part, (along, below) in zip(own, share(multiply, own), strict=True):
                start, stop, low, high, _ = part
                product[start:stop] += along
                if below is not None:
                    product[max(low, stop) : high] += below
        return product

    def factorise_in_place(self) -> bool:
        """Put the upper Cholesky factor in place of the matrix, if it is positive definite.

        If not, False is returned, and the matrix is what it was, but for rounding. Right-looking,
        by blocks (Golub and Van Loan, Matrix Computations, section 4.2.6).
        """
        for i, (_, _, panel) in enumerate(self.panels()):
            corner, right = split(panel)
            try:
                corner[:] = scipy.linalg.cholesky(corner, check_finite=False)
            except scipy.linalg.LinAlgError:
                self._multiply_back(i)
                return False
            self._solve(corner, right)
            self._add_square(-1.0, right)
        return True

    @staticmethod
    def _solve(corner: np.ndarray, right: np.ndarray) -> None:
        """Multiply what is right of a factored square with the inverse of its transpose."""

        def solve(place: tuple[int, int]) -> None:
            columns = right[:, slice(*place)]
            columns[:] = scipy.linalg.solve_triangular(
                corner, columns, trans="T", check_finite=False
            )

        share(solve, spans(0, right.shape[1], PANEL))

    def _multiply_back(self, factored: int) -> None:
        """Undo the factorisation of the first panels, the last of them first."""
        panels = list(self.panels())
        for i in reversed(range(factored)):
            corner, right = split(panels[i][2])
            self._add_square(1.0, right)
            right[:] = corner.T @ right
            corner[:] = corner.T @ corner

    def _add_square(self, sign: float, right: np.ndarray) -> None:
        """Add ``sign * right' right`` to the last panels."""
        first = self._d - right.shape[1]

        def add(part: Part) -> None:
            start, stop, low, high, values = part
            left = sign * right[:, start - first : stop - first].T
            values += left @ right[:, low - first : high - first]

        share(add, self.parts(first))


def split(panel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square of a panel that the diagonal crosses, and what is to the right of it; views."""
    return panel[:, : len(panel)], panel[:, len(panel) :]


def triangle_size(d: int) -> int:
    """Values that the panels of a d x d matrix hold."""
    return sum((stop - start) * (d - start) for start, stop in spans(0, d, PANEL))


def cholesky_bytes() -> int:
    """Memory of `Triangle.factorise_in_place` in one thread, beside the matrix."""
    return 8 * PANEL * (4 * CHUNK + 4 * PANEL)


def multiply_bytes(k: int) -> int:
    """Memory of multiplying a matrix with k vectors, without the product."""
    return 8 * k * TOGETHER * (PANEL + CHUNK)
