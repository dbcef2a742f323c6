"""How far the explained variances of a model are from eigenvalues of the true covariance, at most.

A projection multiplies the covariance C of the rows that a model was fitted on with its components
V, in float64. What that shows of the model holds however the model was found and however much was
rounded then; the rounding of these products is bounded and added.

There are two bounds, and the smaller one is reported, or the one of the fit where that is smaller
still. Of a model whose fit proved that it missed no eigenvalue, the first is left out: the second
is of the eigenvalue in the same place, while the first is of the nearest one. With
``R = C V - V M`` and ``M = V' C V``:

- ``||C v - l v||`` for a component v with explained variance l (Parlett, The Symmetric Eigenvalue
  Problem, SIAM 1998, theorem 4.5.1);
- ``|l - m| + 2 r^2 / (g + sqrt(g^2 + 4 r^2))``, with m the eigenvalue of M in the same place, r the
  norm of R, and g how far m is above all eigenvalues of C that M has no share in (C.-K. Li and
  R.-C. Li, A note on eigenvalues of perturbed Hermitian matrices, Linear Algebra and its
  Applications 395 (2005), 183-190). Where the gap is not small, this is the error itself.
"""

import numpy as np

from memwave.core.precision import lengths, power_of_two
from memwave.pca.linalg.covariance_products import CovarianceProducts
from memwave.pca.model import Model
from memwave.pca.solvers import solver_module


def residuals(model: Model, train: CovarianceProducts) -> np.ndarray:
    """How far the components are from eigenvectors of the covariance, measured.

    Parameters
    ----------
    model : Model
        With k components V and explained variances l.
    train : CovarianceProducts
        Of all rows the model was fitted on, with its components; centred.

    Returns
    -------
    ndarray, shape (k,)
        ``||C v - l v||``, as computed.
    """
    image = train.product / (train.count - 1)
    return lengths(image - model.components.T * model.explained_variance)


def error_bounds(model: Model, train: CovarianceProducts) -> np.ndarray:
    """Bounds of the errors of the explained variances, shape (k,), rounding included.

    Parameters as in `residuals`. Memory is that of three matrices d x k.
    """
    variance = max(train.squares, 0.0) / (train.count - 1)
    unit = power_of_two(max(variance, float(model.explained_variance[0])))
    explained, vectors = model.explained_variance / unit, model.components
    image = (train.product / unit / (train.count - 1)).T
    oblique = float(np.linalg.norm(vectors @ vectors.T - np.eye(len(vectors))))
    measuring = train.rounding / unit / (train.count - 1) + 4 * oblique * variance / unit
    together = np.sqrt(len(vectors)) * measuring
    inner = vectors @ image.T
    inner = (inner + inner.T) / 2
    values = np.linalg.eigvalsh(inner)[::-1]
    outside = float(np.linalg.norm(image - inner @ vectors, 2)) + together
    others = max(0.0, variance / unit - float(np.trace(inner))) + len(vectors) * measuring
    if np.isfinite(model.next_variance):
        others = min(others, (model.next_variance + model.rounding) / unit)
    gaps = np.maximum(values - others, 0.0)
    second = 2 * outside**2 / (gaps + np.sqrt(gaps**2 + 4 * outside**2)) if outside else 0.0
    bounds = np.abs(explained - values) + second + together
    if not np.isfinite(model.next_variance):
        bounds = np.minimum(bounds, residuals(model, train) / unit + measuring)
    return np.fmin(bounds * unit, model.eigenvalue_error_bound)


def is_measured(model: Model) -> bool:
    """Whether a projection of the rows that a model was fitted on measures it.

    A model fitted to the signal is one of features that are not rounded.
    """
    return not solver_module(model.solver).Solver.FROM_SIGNAL


def storage_error(model: Model, dtype: str) -> np.ndarray:
    """How far rounding features to a type moves each eigenvalue at most, shape (k,).

    Singular values move by no more than the norm of what is added to a matrix (Weyl); eigenvalues
    are their squares.
    """
    limits = np.finfo(dtype)
    mean = model.mean if model.scale is None else model.mean / model.scale
    share = float(limits.eps) / 2 * np.sqrt(model.total_variance + float(mean @ mean))
    moved = 1.01 * share + float(limits.smallest_subnormal) * np.sqrt(model.n_features)
    return moved * (2 * np.sqrt(model.explained_variance) + moved)


def bounds_bytes(d: int, k: int) -> int:
    """Memory of `error_bounds`, beside the model and the products."""
    return 4 * 8 * d * k + 6 * 8 * k * k
