"""What `memwave.PCA.monitor` returns."""

from dataclasses import dataclass

import numpy as np

from memwave.pca.model import Model

# Levels of the limits, unless others are given.
LEVELS = (0.95, 0.99)


@dataclass(frozen=True)
class Monitoring:
    """How unlike the fitted rows each row is, and the limits.

    Attributes
    ----------
    hotelling_t2 : ndarray, shape (n_samples,)
        Squared distance of the scores from the mean, in units of the explained variances.
    spe : ndarray, shape (n_samples,)
        Squared distance of the row from its reconstruction.
    above_t2, above_spe : ndarray of int, shape (n_samples,)
        Number of limits that a row is above.
    levels : tuple of float
        Share of ordinary rows below each limit, ascending.
    t2_limit, spe_limit : ndarray, shape (levels,)
        nan where the model does not know it.
    """

    hotelling_t2: np.ndarray
    spe: np.ndarray
    above_t2: np.ndarray
    above_spe: np.ndarray
    levels: tuple[float, ...]
    t2_limit: np.ndarray
    spe_limit: np.ndarray


def compared(
    model: Model, t2: np.ndarray, spe: np.ndarray, levels: tuple[float, ...], *, is_train: bool
) -> Monitoring:
    """Compare statistics with the limits of a model."""
    # Only here: loading SciPy's special functions takes time.
    from memwave.pca.diagnostics.monitoring import model_limits

    t2_limit, spe_limit = model_limits(model, levels, is_train=is_train)
    above_t2 = (t2[:, None] > t2_limit).sum(axis=1)
    above_spe = (spe[:, None] > spe_limit).sum(axis=1)
    return Monitoring(t2, spe, above_t2, above_spe, levels, t2_limit, spe_limit)
