"""Leading eigenpairs of a covariance given as a product function, in memory for a few vectors.

A block Lanczos method with full orthogonalisation (Golub and Underwood 1977) that restarts with the
leading Ritz vectors (thick restart: Wu and Simon, SIAM J. Matrix Anal. Appl. 22 (2000)). Each step
multiplies one block of columns and costs one pass over the data. Only the projections of the
products onto the space are stored, so memory is that of the space.

Steps may use a cheap product, such as one in single precision. At the end the pairs are multiplied
once more with the most exact product, which gives the residuals and eigenvalues.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from memwave.pca.linalg.krylov.orthonormal import (
    NEARLY,
    PANEL,
    ROUNDS,
    orthonormalise,
    products,
    project_out,
    turned,
)

# Maps vectors, one in each row, to their products with the covariance, as rows.
Product = Callable[[np.ndarray], np.ndarray]

TINY = float(np.finfo(np.float64).tiny)


@dataclass
class Pairs:
    """Approximate eigenpairs.

    Attributes
    ----------
    values : ndarray, shape (k,)
        Descending.
    vectors, images : ndarray, shape (k, d)
        Orthonormal rows, and their products.
    """

    values: np.ndarray
    vectors: np.ndarray
    images: np.ndarray

    def residuals(self) -> np.ndarray:
        """``||C v - l v||`` of each pair."""
        return np.array(
            [
                np.linalg.norm(image - value * vector)
                for value, vector, image in zip(self.values, self.vectors, self.images, strict=True)
            ]
        )


class Space:
    """Orthonormal vectors V, and V' C V.

    Parameters
    ----------
    d : int
        Length of the vectors.
    k : int
        Eigenpairs wanted.
    width : int
        Vectors of a block.
    capacity : int
        Most vectors; at least k and a block.
    seed : int
        Seed of the random start.
    enough : callable, optional
        Given Ritz values, descending: how many pairs are wanted, at most k. Without it, k.
    """

    def __init__(
        self,
        d: int,
        k: int,
        width: int,
        capacity: int,
        seed: int,
        enough: Callable[[np.ndarray], int] | None = None,
    ):
        self._enough = enough or (lambda values: k)
        self._k, self.width, self._capacity = k, width, min(d, max(capacity, k + width))
        self._random = np.random.default_rng(seed)
        self._vectors = np.empty((self._capacity, d))
        self._inner = np.zeros((self._capacity, self._capacity))
        self._rest: np.ndarray | None = None  # Gram matrix of the images outside of the space
        self.filled = 0
        self.block = self._directions(np.zeros((min(width, d), d)))[0]

    @property
    def complete(self) -> bool:
        """Whether the space is all of R^d, or no further direction exists."""
        return len(self.block) == 0

    @property
    def _known(self) -> np.ndarray:
        return self._vectors[: self.filled]

    def append(self, image: np.ndarray) -> None:
        """Add the product with `block`, shape (l, d); compute the next block.

        The product is overwritten.
        """
        if self.filled + len(self.block) > self._capacity:
            self._restart()
        new = slice(self.filled, self.filled + len(self.block))
        self._vectors[new], self.filled = self.block, new.stop
        inner = products(image, self._known)
        self._inner[: new.stop, new], self._inner[new, : new.stop] = inner.T, inner
        self._inner[new, new] = (inner[:, new] + inner[:, new].T) / 2
        self.block, self._rest = self._directions(image, inner)

    def _restart(self) -> None:
        """Reduce the space to the leading Ritz vectors; the next block remains."""
        keep = min(self._k + (self._capacity - self._k) // 2, self._capacity - self.width)
        values, turn = self._ritz()
        self.filled = turned(self._known, turn[:, :keep])
        self._inner[:] = 0.0
        np.fill_diagonal(self._inner[:keep, :keep], values[:keep])

    def _ritz(self) -> tuple[np.ndarray, np.ndarray]:
        """All Ritz values, descending, and their vectors within the space, as columns."""
        values, turn = np.linalg.eigh(self._inner[: self.filled, : self.filled])
        return values[::-1], turn[:, ::-1]

    def bound(self) -> float:
        """Estimate the largest residual of the wanted pairs, as a share of the largest value.

        It would be exact without rounding in the products.
        """
        if self._rest is None:
            return np.inf
        values, turn = self._ritz()
        wanted = self._enough(values)
        if self.filled < wanted:
            return np.inf
        last = turn[self.filled - len(self._rest) :, :wanted]
        squares = np.einsum("ij,ij->j", last, self._rest @ last)
        return float(np.sqrt(max(0.0, squares.max())) / max(values[0], TINY))

    def leading(self) -> np.ndarray:
        """Reduce the space to the wanted Ritz vectors; return a view of them, shape (k, d)."""
        values, turn = self._ritz()
        self.filled = turned(self._known, turn[:, : self._enough(values)])
        return self._known

    def resume(self, pairs: Pairs) -> None:
        """Restart with pairs from this space and their residuals; overwrites the images."""
        self.filled = len(pairs.values)
        self._inner[:] = 0.0
        np.fill_diagonal(self._inner[: self.filled, : self.filled], pairs.values)
        rest = pairs.images
        for row, value, vector in zip(rest, pairs.values, pairs.vectors, strict=True):
            row -= value * vector
        turn = np.linalg.eigh(rest @ rest.T)[1][:, ::-1][:, : self.width]
        self.block, _ = self._directions(turn.T @ rest)
        self._rest = None

    def _directions(
        self, image: np.ndarray, inner: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Orthonormal rows that a block adds to the space, and the Gram matrix of its remainder.

        The block, shape (l, d), is overwritten; its products with the space are `inner`, if they
        are known. If its rank is less than its width, random directions complete it, as far as they
        exist.
        """
        scale = float(np.vecdot(image, image).max(initial=0.0))
        project_out(image, self._known, inner)
        gram = image @ image.T
        block = image[: image.shape[1] - self.filled]
        for _ in range(ROUNDS):
            if orthonormalise(image, len(block), scale, self._random) > NEARLY:
                break
            project_out(block, self._known)
            image, scale = block, 1.0
        return block, gram


def leading_eigenpairs(
    products: list[Product],
    space: Space,
    k: int,
    *,
    tolerance: float,
    passes: int,
    report: Callable[[str], None] = lambda text: None,
) -> tuple[Pairs, int]:
    """Find the leading eigenpairs.

    Parameters
    ----------
    products : list of callable
        Products with the same matrix, from the cheapest to the most exact.
    space : Space
        A new one; it is overwritten.
    k : int
        Most eigenpairs wanted.
    tolerance : float
        Largest residual of a pair, as a share of the largest value.
    passes : int
        Most products with a block. The products that compute the final residuals do not count.
    report : callable
        Called with a message after every pass.

    Returns
    -------
    pairs : Pairs
    done : int
        Products with a block that were needed, without those for the final residuals.
    """
    done = 0
    for multiply in [*products, products[-1]]:
        bound = np.inf
        while not space.complete and bound > tolerance and (done < passes or space.filled < k):
            space.append(multiply(space.block))
            done, bound = done + 1, space.bound()
            report(f"pass {done}: residual {bound:.1e} of the largest variance, estimated")
        pairs = measured(space, products[-1])
        worst = float(pairs.residuals().max())
        found = space.complete and multiply is products[-1]
        if worst <= tolerance * pairs.values[0] or done >= passes or found:
            break
        report(f"residual {worst / pairs.values[0]:.1e}, computed: continuing with exact products")
        space.resume(pairs)
    return pairs, done


def measured(space: Space, multiply: Product) -> Pairs:
    """Rayleigh-Ritz pairs of the leading vectors of a space, by one more product."""
    vectors = space.leading()
    images = multiply(vectors)
    inner = vectors @ images.T
    values, turn = np.linalg.eigh((inner + inner.T) / 2)
    turn = turn[:, ::-1]
    for rows in (vectors, images):
        turned(rows, turn)
    return Pairs(values[::-1], vectors, images)


def space_bytes(d: int, width: int, capacity: int, k: int) -> int:
    """Memory of a space with a block and its image, or with the images of the final pairs."""
    vectors = min(d, max(capacity, k + width)) + max(3 * width, k + width)
    return 8 * d * vectors + 8 * (6 * capacity * capacity + 4 * PANEL * capacity)
