"""How far rounding may move products of the covariance of features that come from the signal."""

import numpy as np

from memwave.features.feature_map import FeatureMap
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import windows_of
from memwave.pca.lags.signal.moments import SignalMoments
from memwave.pca.lags.signal.sizes import chunk_of, fourier_length
from memwave.pca.linalg.short_products import gamma

# Steps of the power method for the norm of the wavelet transform, and by how much it may be too
# small then: for 10^5 samples by 0.26 on average at worst (Kuczynski and Wozniakowski, Estimating
# the largest eigenvalue by the power and Lanczos algorithms with a random start, SIAM J. Matrix
# Anal. Appl. 13 (1992), 1094-1122, theorem 3.1).
STEPS, LOW = 40, 1.5

# Roundings of a Fourier transform for each doubling of its length (Higham, Accuracy and Stability
# of Numerical Algorithms, 2nd ed., SIAM 2002, theorem 24.2), and transforms in a correlation.
BUTTERFLY, TRANSFORMS = 7, 3

# Roundings of a value before and after products: shift, unit, share.
OTHERS = 40


def covariance_rounding(spec: FeatureSpec, moments: SignalMoments) -> float:
    """Bound of the error of a product of the covariance with a unit vector, in float64.

    It is in squares of `SignalMoments.unit`.

    Parameters
    ----------
    spec : FeatureSpec
    moments : SignalMoments
        Of all windows.

    Notes
    -----
    Scores of windows are sums of products with a chunk of the signal, and so is what is made of
    them. An error of either is at most the roundings of its terms times the norms of its operands;
    summed over the windows, these are `SignalMoments.energy`. What offsets of chunks add to scores
    is computed apart. The transform multiplies all by its squared norm, which is estimated.
    """
    windows = windows_of(spec)
    terms = OTHERS + moments.chunks + 2 * windows.width
    if windows.by_fourier:
        terms += 2 * TRANSFORMS * BUTTERFLY * np.log2(fourier_length(windows))
    else:
        terms += windows.n_values + chunk_of(windows)
    terms += 2 * 4 * spec.filter_length * spec.level  # the transform and its adjoint
    unit = moments.unit  # squares of large signals would overflow
    energy, apart = moments.energy / unit / unit, moments.offsets / unit / unit
    moved = 2 * float(np.sqrt(apart * (energy + apart)))
    long = OTHERS + moments.chunks + windows.n_values + chunk_of(windows)
    lost = gamma(terms, "float64") * energy + gamma(long, "float64") * moved
    return squared_norm(spec) * lost / (moments.count - 1)


def squared_norm(spec: FeatureSpec) -> float:
    """Estimate, from above, of the largest squared length of the features of a unit window."""
    transform = FeatureMap(spec)
    vector = np.random.default_rng(0).standard_normal((transform.shape[1], 1))
    found = 0.0
    for _ in range(STEPS):
        length = float(np.linalg.norm(vector))
        if not length:
            break
        vector = transform.windows(transform.features(vector / length))
        found = float(np.linalg.norm(vector))
    return LOW * found
