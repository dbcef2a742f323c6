"""Comparison of a model with a more accurate one of the same features (the reference)."""

import math
from collections.abc import Sequence

import numpy as np

from memwave.pca.model import Model

FIGURES = ("lost_cosine", "largest_angle", "eigenvalue_error", "lost_variance")


def most_exact(bounds: Sequence[float], components: Sequence[int]) -> int:
    """Return the index of the reference, with which the other models are compared.

    Parameters
    ----------
    bounds : sequence of float
        Largest error bound of each model. Models without a bound (nan) come last.
    components : sequence of int
        Number of components of each model. Of equal bounds, most components win.
    """
    known = [math.inf if math.isnan(bound) else bound for bound in bounds]
    return min(range(len(known)), key=lambda i: (known[i], -components[i]))


def compare(
    model: Model, captured: np.ndarray, reference: Model, reference_captured: np.ndarray
) -> dict[str, float]:
    """Compare the leading k components, where k is the smaller number of components.

    Parameters
    ----------
    model, reference : Model
        Models of the same d features.
    captured, reference_captured : ndarray, shape (at least k,)
        Variances of their scores over the train windows.

    Returns
    -------
    dict
        ``lost_cosine``: 1 - mean squared cosine of the principal angles between both subspaces
        (Bjorck and Golub, 1973). ``largest_angle``: the largest of these angles, in degrees.
        ``eigenvalue_error``: largest relative error of an explained variance. ``lost_variance``:
        variance captured by the reference minus variance captured by the model, as a share of the
        former.

    Notes
    -----
    Angles are computed from their sines, because the cosine of a small angle is rounded to 1.
    Memory is that of four matrices k x d.
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
