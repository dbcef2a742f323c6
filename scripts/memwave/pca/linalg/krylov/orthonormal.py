"""Orthonormalisation and rotation of long vectors, one in each row, in place."""

import numpy as np

from memwave.core.ranges import spans
from memwave.core.workers import share

# Columns that are rotated at once.
PANEL = 4096

# Vectors that rows are multiplied with at once.
VECTORS = 32

# A direction whose square is less than this share of the largest is rounding.
NOTHING = 1e-28

# Most rounds of orthonormalisation. With Gram matrices, the first round loses half of the digits of
# rows that are nearly dependent.
ROUNDS = 3

# Rows whose Gram matrix has no eigenvalue below it are orthonormal to all digits after one round.
NEARLY = 0.5


def orthonormalise(
    rows: np.ndarray, count: int, scale: float, random: np.random.Generator
) -> float:
    """Replace the first rows by an orthonormal basis of the large directions of all rows.

    By the Gram matrix of the rows (Stathopoulos and Wu 2002). If there are too few directions,
    random rows take their place.

    Parameters
    ----------
    rows : ndarray, shape (l, d), float64
        Overwritten; the first `count` are the result.
    count : int
    scale : float
        Squared length of a large row. Directions far below it are rounding.
    random : Generator

    Returns
    -------
    float
        Squared length of the shortest of the directions, as a share of `scale`.
    """
    values, turn = np.linalg.eigh(rows @ rows.T)
    values, turn = values[::-1][:count], turn[:, ::-1][:, :count]
    weak = values <= NOTHING * scale
    turned(rows, turn / np.sqrt(np.where(weak, 1.0, values)))
    if weak.any():
        fresh = random.standard_normal((int(weak.sum()), rows.shape[1]))
        rows[:count][weak] = fresh / np.sqrt(rows.shape[1])
    return float(values.min(initial=np.inf)) / scale if scale else 0.0


def project_out(rows: np.ndarray, known: np.ndarray, shares: np.ndarray | None = None) -> None:
    """Make rows orthogonal to orthonormal ones, up to rounding of what is taken away.

    Twice is enough (Giraud et al. 2005), if the rows are made of length one in between.

    Parameters
    ----------
    rows : ndarray, shape (l, d), float64
        Overwritten.
    known : ndarray, shape (m, d), float64
    shares : ndarray, shape (l, m), optional
        Their `products`, if they are known.
    """
    inner = products(rows, known) if shares is None else shares

    def subtract(place: tuple[int, int]) -> None:
        own = slice(*place)
        rows[:, own] -= inner @ known[:, own]

    share(subtract, spans(0, rows.shape[1], PANEL))


def products(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``rows @ known'``, shape (l, m)."""
    found = np.empty((len(rows), len(known)))

    def multiply(place: tuple[int, int]) -> None:
        own = slice(*place)
        np.matmul(rows, known[own].T, out=found[:, own])

    share(multiply, spans(0, len(known), VECTORS))
    return found


def turned(rows: np.ndarray, turn: np.ndarray) -> int:
    """Replace rows by their combinations, the columns of `turn`; return the number of these."""
    count = turn.shape[1]

    def combine(place: tuple[int, int]) -> None:
        own = slice(*place)
        rows[:count, own] = turn.T @ rows[: len(turn), own]

    share(combine, spans(0, rows.shape[1], PANEL))
    return count
