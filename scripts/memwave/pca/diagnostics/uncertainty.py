"""How far components may be from those of all rows that could have been drawn.

A component a of n independent normal rows turns towards each other component b by a random angle of
mean 0 and variance ``l_a l_b / (n (l_a - l_b)^2)`` (Anderson, "Asymptotic theory for principal
component analysis", Annals of Mathematical Statistics 34 (1963), 122-148, theorem 1). Eigenvalues
beyond the components count as equal to their mean.
"""

from dataclasses import dataclass

import numpy as np

from memwave.pca.model import Model

# Of a direction that is not determined at all: the mean square of a coordinate of a random vector
# in two dimensions.
UNKNOWN = 0.5

# Components that others turn towards one by one; further ones count as equal to their mean.
MOST = 200


@dataclass(frozen=True)
class Turning:
    """Variances of the coordinates of components.

    Attributes
    ----------
    known : ndarray, shape (shown, m)
        Towards each of the leading m components; 0 towards itself.
    rest : ndarray, shape (shown,)
        Towards each direction that is orthogonal to them.
    """

    known: np.ndarray
    rest: np.ndarray


def turning(model: Model, shown: int) -> Turning | None:
    """Estimate how far the leading components turn; None if the independent rows are not known.

    Parameters
    ----------
    model : Model
        With its selection, which has the number of independent rows.
    shown : int
        Components in question.
    """
    n = model.selection.get("effective_rows")
    if n is None or model.total_variance <= 0.0:
        return None
    m = min(model.n_components, MOST)
    values = model.explained_variance[:m]
    others = model.n_features - m
    left = max(0.0, model.total_variance - float(values.sum())) / max(1, others)
    known = _variances(values[:shown, None], values, n)
    known[np.arange(shown), np.arange(shown)] = 0.0
    rest = _variances(values[:shown], np.full(shown, left), n) if others else np.zeros(shown)
    return Turning(known, rest)


def loading_errors(model: Model, shown: int) -> np.ndarray | None:
    """Standard errors of loadings, shape (shown, d); None where `turning` is unknown."""
    found = turning(model, shown)
    if found is None:
        return None
    squares = model.components[: found.known.shape[1]] ** 2
    outside = np.maximum(1.0 - squares.sum(axis=0), 0.0)
    return np.sqrt(found.known @ squares + found.rest[:, None] * outside)


def _variances(one: np.ndarray, other: np.ndarray, n: int) -> np.ndarray:
    apart = n * (one - other) ** 2
    product = one * other
    undetermined = product >= UNKNOWN * apart
    return np.where(undetermined, UNKNOWN, product / np.where(undetermined, 1.0, apart))
