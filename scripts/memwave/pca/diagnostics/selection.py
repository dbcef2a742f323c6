"""How many components: a share of the variance, or one of four criteria.

Every criterion looks at the leading eigenvalues that a fit found, and at the trace: eigenvalues
beyond those found count as equal. The number of rows is that of independent rows
(`effective_rows`): windows that overlap share their samples.

- ``parallel``: Horn, "A rationale and test for the number of factors in factor analysis",
  Psychometrika 30 (1965), 179-185, with the 95 % quantile of the eigenvalues of white noise of the
  same size and variance instead of their mean. Noise is not simulated as a matrix: the bidiagonal
  model of Dumitriu and Edelman ("Matrix models for beta ensembles", J. Mathematical Physics 43
  (2002), 5830-5847) has the same eigenvalues.
- ``gavish-donoho``: the optimal hard threshold, 4 / sqrt(3) for square matrices (Gavish and Donoho,
  IEEE Transactions on Information Theory 60 (2014), 5040-5053, equation 11), with the mean of the
  eigenvalues that are left as the variance of the noise.
- ``mle``: the evidence of probabilistic PCA (Minka, "Automatic choice of dimensionality for PCA",
  NIPS 2000, equation 77), as scikit-learn's ``n_components="mle"``.
- ``profile-likelihood``: the gap in the scree plot (Zhu and Ghodsi, "Automatic dimensionality
  selection from the scree plot via the use of profile likelihood", Computational Statistics and
  Data Analysis 51 (2006), 918-930), of the eigenvalues found alone.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import linalg, special

from memwave.pca.linalg.eigenpairs import MISSED, with_eigenvalue
from memwave.pca.model import CRITERIA, Model, components_for

# Simulated spectra of noise, and how many standard deviations the 95 % quantile of an eigenvalue is
# above its mean.
SPECTRA, DEVIATIONS = 20, 1.645

# Differences of eigenvalues are at least this share of the largest: rounding makes equal ones.
CLOSEST = 1e-15


def effective_rows(n_rows: int, window: int, step: int) -> int:
    """Number of independent rows: of overlapping windows, as many as fit side by side.

    Windows of independent samples that start `step` rows apart carry ``step / window`` new samples
    each. Signals whose samples depend on each other have fewer independent rows than that.
    """
    return max(2, round(n_rows * min(1.0, step / window)))


def select(model: Model, wanted: dict, n_effective: int) -> Model:
    """Cut a model to as many components as wanted; the spectrum stays whole.

    Parameters
    ----------
    model : Model
        With as many components as there may be.
    wanted : dict
        ``fraction``, the share of the variance, or ``criterion``; empty for all components.
    n_effective : int
        Number of independent rows.

    Returns
    -------
    Model
        With `spectrum` and `selection`. If the components do not reach the fraction, all are kept
        and `selection` says so.
    """
    values = model.explained_variance
    said = suggestions(values, model.total_variance, model.n_features, n_effective)
    k = len(values)
    if "fraction" in wanted:
        k = components_for(model.explained_variance_ratio, wanted["fraction"])
    elif "criterion" in wanted:
        k = said[wanted["criterion"]]
    selection: dict[str, Any] = {**wanted, "effective_rows": n_effective, "suggested": said}
    if "fraction" in wanted:
        selection["reached"] = bool(values[:k].sum() >= wanted["fraction"] * model.total_variance)
    return replace(truncated(model, max(1, k)), spectrum=values.copy(), selection=selection)


def truncated(model: Model, k: int) -> Model:
    """Return a model with its leading k components."""
    if k == model.n_components:
        return model
    dropped, moments = model.explained_variance[k:], model.residual_moments
    if moments is not None:
        for value in dropped[::-1].tolist():
            moments = with_eigenvalue(moments, value)
    residual = model.residual
    apart = 0.0 if residual is None else float(residual.max())
    apart += 2 * MISSED * float(model.explained_variance[0])
    return replace(
        model,
        components=np.ascontiguousarray(model.components[:k]),
        explained_variance=model.explained_variance[:k].copy(),
        residual=None if residual is None else residual[:k].copy(),
        next_variance=max(model.next_variance, float(dropped[0]) + apart)
        if np.isfinite(model.next_variance)
        else model.next_variance,
        residual_moments=moments,
    )


def suggestions(values: np.ndarray, total: float, d: int, n: int) -> dict[str, int]:
    """What each criterion says.

    Parameters
    ----------
    values : ndarray, shape (m,)
        Leading eigenvalues, descending.
    total : float
        Trace of the covariance.
    d, n : int
        Features, and independent rows.

    Returns
    -------
    dict of str to int
        Number of components by criterion, at most m; 0 where no component stands out of noise.
    """
    known = np.maximum(values[: min(d, n - 1)], 0.0)
    if total <= 0.0 or not len(known):
        return dict.fromkeys(CRITERIA, 0)
    return {name: rule(known / total, d, n) for name, rule in RULES.items()}


def parallel(values: np.ndarray, d: int, n: int) -> int:
    """Number of leading eigenvalues above those of white noise; the trace is 1."""
    return _leading(values * d > noise_quantiles(len(values), d, n))


def noise_quantiles(count: int, d: int, n: int) -> np.ndarray:
    """Quantiles of the leading eigenvalues of the covariance of n rows of d white features."""
    free, random = n - 1, np.random.default_rng(0)
    short, long = min(free, d), max(free, d)
    count = min(count, short)
    size = min(short, leading_rows(count, short))
    place = np.arange(size)
    found = np.zeros((SPECTRA, count))
    for spectrum in found:
        diagonal = random.chisquare(long - place)
        below = random.chisquare(short - place[1:]) if size > 1 else np.zeros(0)
        squares = diagonal + np.append(0.0, below)
        products = np.sqrt(diagonal[:-1] * below)
        values = linalg.eigvalsh_tridiagonal(squares, products)
        spectrum[:] = values[::-1][:count]
    return (found.mean(axis=0) + DEVIATIONS * found.std(axis=0, ddof=1)) / free


def leading_rows(count: int, size: int) -> int:
    """Rows of the bidiagonal model that the leading eigenvalues depend on.

    At the edge of the spectrum the model is the Airy operator on the scale of the cubic root of its
    size (Edelman and Sutton, J. Statistical Physics 127 (2007), 1121-1165). The eigenfunction of
    the k-th eigenvalue ends near ``(3 pi k / 2)^(2/3)``.
    """
    return int(1.5 * size ** (1 / 3) * (5 + (1.5 * np.pi * count) ** (2 / 3))) + 20


def gavish_donoho(values: np.ndarray, d: int, n: int) -> int:
    """Number of leading eigenvalues above the optimal threshold; the trace is 1."""
    free = n - 1
    beta = min(free, d) / max(free, d)
    squared = 2 * (beta + 1) + 8 * beta / (beta + 1 + np.sqrt(beta**2 + 14 * beta + 1))
    left = np.maximum(1.0 - np.append(0.0, np.cumsum(values)[:-1]), 0.0)
    noise = left / np.maximum(d - np.arange(len(values)), 1)
    # The noise is what is left after the components so far, and n times d values make it up.
    return _leading(values > squared * max(free, d) / free * noise)


def minka(values: np.ndarray, d: int, n: int) -> int:
    """Number of components of largest evidence, from 1 to d - 1; the trace is 1."""
    m = min(len(values), d - 1)
    if m < 1:
        return len(values)
    tail = max(0.0, 1.0 - float(values.sum())) / max(d - len(values), 1)
    evidence = [_evidence(values, tail, k, d, n) for k in range(1, m + 1)]
    return int(np.argmax(evidence)) + 1


def _evidence(values: np.ndarray, tail: float, k: int, d: int, n: int) -> float:
    """Logarithm of the evidence of k components; `tail` is each eigenvalue beyond those known."""
    known, beyond = values[:k], d - len(values)
    noise = (float(values[k:].sum()) + beyond * tail) / (d - k)
    if noise < np.finfo(float).eps or known[-1] <= 0.0:
        return -np.inf
    least = CLOSEST * float(values[0])
    halves = (d - np.arange(k)) / 2
    result = float((special.gammaln(halves) - halves * np.log(np.pi)).sum()) - k * np.log(2)
    result -= n / 2 * (float(np.log(known).sum()) + (d - k) * np.log(noise))
    m = d * k - k * (k + 1) / 2
    result += (m + k) / 2 * np.log(2 * np.pi) - k / 2 * np.log(n)
    left, right = np.triu_indices(k, 1)
    apart = np.maximum(known[left] - known[right], least)
    hessian = 2 * np.log(apart) - np.log(known[left]) - np.log(known[right])
    total = float(hessian.sum())
    inverse = np.log(np.maximum(1 / noise - 1 / known, CLOSEST / noise))
    total += float(((d - k) * inverse).sum())
    total += float(np.log(np.maximum(known[:, None] - values[k:], least)).sum())
    total += beyond * float(np.log(np.maximum(known - tail, least)).sum())
    return result - (total + m * np.log(n)) / 2


def profile_likelihood(values: np.ndarray, d: int, n: int) -> int:
    """Number of eigenvalues before the largest gap in the likelihood of two groups."""
    m = len(values)
    if m < 3:
        return m
    found = []
    for q in range(1, m):
        groups = values[:q], values[q:]
        squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
        found.append(squares / (m - 2))
    # With a common variance, the likelihood is largest where the variance is smallest.
    return int(np.argmin(found)) + 1


def _leading(chosen: np.ndarray) -> int:
    """How many are true before the first that is not."""
    return len(chosen) if chosen.all() else int(np.argmin(chosen))


RULES: dict[str, Callable[[np.ndarray, int, int], int]] = dict(
    zip(CRITERIA, (parallel, gavish_donoho, minka, profile_likelihood), strict=True)
)
