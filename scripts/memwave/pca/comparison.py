"""How far a model is from another one of the same features, which is more exact."""

import math
from collections.abc import Sequence

import numpy as np

from memwave.pca.model import Model

FIGURES = ("lost_cosine", "largest_angle", "eigenvalue_error", "lost_variance")


def most_exact(residuals: Sequence[float], components: Sequence[int]) -> int:
    """Index of the model that the others are measured against.

    Parameters
    ----------
    residuals : sequence of float
        Largest residual of each model: no eigenvalue is further from a true one.
    components : sequence of int
        Number of components of each; where residuals are equal, the most count.
    """
    return min(range(len(residuals)), key=lambda i: (residuals[i], -components[i]))


def compare(
    model: Model, captured: np.ndarray, reference: Model, reference_captured: np.ndarray
) -> dict[str, float]:
    """Compare the leading components that both models have.

    Parameters
    ----------
    model, reference : Model
        Of the same features; with d features and at least k components.
    captured, reference_captured : ndarray, shape (k,)
        Variances of their scores over the train windows.

    Returns
    -------
    dict
        ``lost_cosine``: 1 - mean squared cosine of the principal angles between both subspaces
        (Bjorck and Golub, 1973); ``largest_angle`` of them in degrees; ``eigenvalue_error``:
        largest relative error of an explained variance; ``lost_variance``: variance that the
        reference's subspace captures and the model's does not, as a share of the former.

    Notes
    -----
    Angles come from their sines, which small angles do not lose to rounding. Memory is that of
    four matrices k x d.
    """
    k = min(model.n_components, reference.n_components)
    ours, theirs = model.components[:k], reference.components[:k]
    outside = ours - (ours @ theirs.T) @ theirs
    sine = min(1.0, float(np.sqrt(np.linalg.eigvalsh(outside @ outside.T).max())))
    values, true = model.explained_variance[:k], reference.explained_variance[:k]
    best = float(reference_captured[:k].sum())
    return {
        "lost_cosine": float((outside**2).sum()) / k,
        "largest_angle": math.degrees(math.asin(sine)),
        "eigenvalue_error": float(np.max(np.abs(values - true) / np.where(true > 0, true, 1.0))),
        "lost_variance": (best - float(captured[:k].sum())) / (best or 1.0),
    }
