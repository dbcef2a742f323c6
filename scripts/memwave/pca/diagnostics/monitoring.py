"""Limits of Hotelling's T2 and of the squared prediction error (SPE, or Q) of a row.

With scores t_a of explained variances l_a, ``T2 = sum t_a^2 / l_a`` says how far a row is from the
mean within the space of the components. SPE, the squared distance of the row from that space, says
how badly they describe it. The limits hold for independent rows of a normal distribution:

- T2 of a new row: ``k (n^2 - 1) / (n (n - k)) F(k, n - k)``; of a row that the model was fitted to:
  ``(n - 1)^2 / n Beta(k / 2, (n - k - 1) / 2)`` (Tracy, Young and Mason, "Multivariate control
  charts for individual observations", J. Quality Technology 24 (1992), 88-95).
- SPE, from the sums of the residual eigenvalues, of their squares and of their cubes: Jackson and
  Mudholkar, "Control procedures for residuals associated with principal component analysis",
  Technometrics 21 (1979), 341-349, equation 3.4. Where its power is not positive, a chi-squared
  variable with the same mean, variance and skewness: Buckley and Eagleson, "An approximation to the
  distribution of quadratic forms in normal random variables", Australian J. Statistics 30A (1988),
  150-159.
- SPE, where the cubes are not known: ``g chi^2(h)`` with the mean and the variance of the sum of
  squares (Box, "Some theorems on quadratic forms applied in the study of analysis of variance
  problems, I", Annals of Mathematical Statistics 25 (1954), 290-302, theorem 3.1).
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

from memwave.pca.model import Model, least_spe, monitored

# Levels of the limits that a model file holds.
LEVELS = (0.9, 0.95, 0.99, 0.999)

# Below it, the power of the normal approximation is taken to be 0, which is a logarithm.
SMALLEST_POWER = 1e-6


def t2_limits(k: int, n: int, levels: Sequence[float], *, is_train: bool = False) -> np.ndarray:
    """Limits of T2.

    Parameters
    ----------
    k : int
        Components that T2 is summed over.
    n : int
        Rows that the model was fitted to.
    levels : sequence of float
        Share of the rows below each limit, between 0 and 1.
    is_train : bool
        Whether the rows are those of the fit.

    Returns
    -------
    ndarray, shape (levels,)
        nan where `n` is too small for `k`.
    """
    given = np.asarray(levels, dtype=np.float64)
    if k < 1 or n - k - 1 < 1:
        return np.full(len(given), np.nan)
    if is_train:
        return (n - 1) ** 2 / n * special.betaincinv(k / 2, (n - k - 1) / 2, given)
    return k * (n**2 - 1) / (n * (n - k)) * special.fdtri(k, n - k, given)


def spe_limits(moments: Sequence[float], levels: Sequence[float]) -> np.ndarray:
    """Limits of SPE.

    Parameters
    ----------
    moments : sequence of float, shape (3,)
        See `Model.residual_moments`. The last one may be nan.
    levels : sequence of float
        Share of the rows below each limit, between 0 and 1.

    Returns
    -------
    ndarray, shape (levels,)
        In the units of the explained variance. 0 where the components explain everything.
    """
    mean, second, third = map(float, moments)
    given = np.asarray(levels, dtype=np.float64)
    if mean <= 0.0 or second <= 0.0:
        return np.zeros(len(given))
    box = second * special.chdtri(mean / second, 1.0 - given)
    if not third > 0.0:
        return box
    power = 1.0 - 2.0 * third / (3.0 * second)
    if power <= 0.0:
        # One direction has most of the variance: Jackson and Mudholkar's limit would be too high.
        freedom = mean / third * (second / third)
        return mean + third * (special.chdtri(freedom, 1.0 - given) - freedom)
    deviation, share = special.ndtri(given), second / mean
    if abs(power) < SMALLEST_POWER:
        return mean * np.exp(deviation * np.sqrt(2 * share) - share)
    root = power * deviation * np.sqrt(2 * share) + 1 + share * power * (power - 1)
    valid = root > 0
    return np.where(valid, mean * np.where(valid, root, 1.0) ** (1.0 / power), box)


def model_limits(
    model: Model, levels: Sequence[float], *, is_train: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of T2 and of SPE by the formulas, shape (levels,) each; nan where they are unknown."""
    k = int(np.count_nonzero(monitored(model)))
    t2 = t2_limits(k, model.n_samples, levels, is_train=is_train)
    if model.residual_moments is None:
        return t2, np.full(len(levels), np.nan)
    return t2, np.maximum(spe_limits(model.residual_moments.tolist(), levels), least_spe(model))
