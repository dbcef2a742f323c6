"""Which features make Hotelling's T2 and SPE of a row large."""

import numpy as np

from memwave.pca.model import Model, t2_weights


def contributions(model: Model, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide T2 and SPE of rows among the features.

    With the centred row z, scores t, explained variances l and loadings p, feature j contributes
    ``z_j sum_a t_a p_aj / l_a`` to T2 (Nomikos and MacGregor, "Multivariate SPC charts for
    monitoring batch processes", Technometrics 37 (1995), 41-59; negative where it pulls the row
    towards the mean), and ``e_j^2`` to SPE, with the residual e of the row.

    Parameters
    ----------
    model : Model
        k components, d features.
    rows : ndarray, shape (n, d)
        Features, as they are.

    Returns
    -------
    t2, spe : ndarray, shape (n, d), float64
        Their sums over the features are T2 and SPE. Memory is that of four such arrays.
    """
    centred = rows.astype(np.float64) - model.mean
    if model.scale is not None:
        centred /= model.scale
    scores = centred @ model.components.T
    t2 = centred * ((scores * t2_weights(model)) @ model.components)
    centred -= scores @ model.components
    return t2, np.square(centred, out=centred)
