"""Orthonormal blocks of vectors V and their products C V, of which eigenpairs of C are made."""

from collections.abc import Iterator

import numpy as np
import scipy

from memwave.core.errors import MemwaveError
from memwave.core.ranges import spans
from memwave.core.workers import share

# Features that are computed with at once, and vectors.
PANEL, ROWS = 512, 64


class Krylov:
    """Orthonormal vectors V, in blocks, and C V for a positive semidefinite matrix C.

    Parameters
    ----------
    d : int
        Length of the vectors.
    capacity : int
        Most vectors.
    dtype : {"float32", "float64"}
        Type of the vectors; their products are stored in float64.
    """

    def __init__(self, d: int, capacity: int, dtype: str):
        self._space = np.empty((capacity, d), dtype)  # V', a vector a row
        self._image = np.empty((capacity, d))  # (C V)'
        self.blocks: list[slice] = []

    @property
    def filled(self) -> int:
        """How many vectors there are."""
        return self.blocks[-1].stop if self.blocks else 0

    def append(self, vectors: np.ndarray, image: np.ndarray) -> None:
        """Add a block of vectors, shape (d, l), and its product with C."""
        block = slice(self.filled, self.filled + vectors.shape[1])
        self._space[block], self._image[block] = vectors.T, image.T
        self.blocks.append(block)

    def new_directions(self, block: np.ndarray) -> np.ndarray:
        """Orthonormal basis of what `block` adds to the space; it may have fewer columns."""
        scale = np.linalg.norm(block)
        block = block.copy()
        for _ in range(2):  # twice is enough (Giraud, Langou and Rozloznik, 2005)
            for known in self._vectors():
                _subtract(block, known.T, known @ block)
        q, r = np.linalg.qr(block)
        # Directions that consist of rounding are dropped.
        eps = np.finfo(self._space.dtype).eps
        real = np.abs(np.diag(r)) > 10 * eps * scale / np.sqrt(len(block))
        free = len(self._space) - self.filled
        return q[:, real][:, :free].astype(self._space.dtype)

    def _vectors(self) -> Iterator[np.ndarray]:
        """The vectors of every block, in float64: rows."""
        for block in self.blocks:
            yield self._space[block].astype(np.float64, copy=False)

    def ritz_residuals(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The largest Ritz values, ascending, and the residuals of their pairs."""
        inner = self._inner()
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        values, vectors = values[-k:], vectors[:, -k:]
        turned = vectors * values

        def squares(place: tuple[int, int]) -> np.ndarray:
            own = slice(*place)
            difference = vectors.T @ self._image[: self.filled, own]
            difference -= turned.T @ self._space[: self.filled, own].astype(np.float64, copy=False)
            return np.vecdot(difference, difference)

        found = share(squares, spans(0, self._image.shape[1], PANEL))
        return values, np.sqrt(np.sum(found, axis=0))

    def _inner(self) -> np.ndarray:
        """V' C V, symmetric up to rounding."""
        image = self._image[: self.filled]

        def multiply(block: slice) -> np.ndarray:
            return self._space[block].astype(np.float64, copy=False) @ image.T

        return np.vstack(share(multiply, self.blocks))

    def nystrom(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Leading eigenpairs of the Nystrom approximation of C; overwrites the stored products.

        Returns
        -------
        values : ndarray, shape (k,)
            Descending.
        vectors : ndarray, shape (d, k)
            Orthonormal columns.
        """
        image = self._image[: self.filled]
        d = image.shape[1]
        nudge = float(np.finfo(self._space.dtype).eps) * np.sqrt(d) * np.linalg.norm(image)
        if nudge == 0.0:
            return np.zeros(k), np.linalg.qr(self._space[:k].T.astype(np.float64))[0]
        for block, known in zip(self.blocks, self._vectors(), strict=True):
            image[block] += nudge * known
        inner = self._inner()
        try:
            factor = scipy.linalg.cholesky((inner + inner.T) / 2, lower=True)
        except scipy.linalg.LinAlgError as error:
            raise MemwaveError(
                "features vary so little that solver randomized computes only rounding errors. Set "
                "compute_dtype: float64 in the model, or use solver covariance."
            ) from error

        def solve(place: tuple[int, int]) -> None:
            own = slice(*place)
            image[:, own] = scipy.linalg.solve_triangular(factor, image[:, own], lower=True)

        share(solve, spans(0, d, PANEL))
        values, vectors = np.linalg.eigh(_squared(image))
        values, vectors = values[-k:], vectors[:, -k:]
        q, _ = np.linalg.qr(image.T @ vectors[:, ::-1])
        return np.maximum(values - nudge, 0.0)[::-1], q


def _subtract(block: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Subtract ``left @ right`` from a block in place."""

    def subtract(place: tuple[int, int]) -> None:
        own = slice(*place)
        block[own] -= left[own] @ right

    share(subtract, spans(0, len(block), PANEL))


def _squared(image: np.ndarray) -> np.ndarray:
    """``image @ image'``, the upper triangle of it computed."""
    found = np.empty((len(image), len(image)))

    def multiply(place: tuple[int, int]) -> None:
        start, stop = place
        found[start:stop, start:] = image[start:stop] @ image[start:].T
        found[start:, start:stop] = found[start:stop, start:].T

    share(multiply, spans(0, len(image), ROWS))
    return found
