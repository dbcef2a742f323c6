"""A fitted PCA as plain arrays."""

from dataclasses import dataclass, field

import numpy as np

from memwave.core.precision import lengths

# Criteria for the number of components; see `memwave.pca.diagnostics.selection`.
CRITERIA = ("parallel", "gavish-donoho", "mle", "profile-likelihood")

# What is added to a share of the variance while a fit looks for its components, as a share of it.
SHARE_MARGIN = 1e-5

# A component with less than this share of the largest explained variance is rounding.
NEGLIGIBLE = 1e-10

# An SPE below this share of the total variance is rounding.
ROUNDED_SPE = 1e-12


@dataclass
class Model:
    """PCA with k components of a matrix with n rows and d features.

    Attributes
    ----------
    components : ndarray, shape (k, d)
        Orthonormal, largest variance first; the entry of largest magnitude is positive.
    mean : ndarray, shape (d,)
        Mean of the original features, also if the model standardizes.
    explained_variance : ndarray, shape (k,)
        Eigenvalues of the covariance (n - 1 in the denominator).
    total_variance : float
        Trace of the covariance, computed from all features.
    n_samples : int
    solver : str
    eigenvalue_error_bound : float
        Upper bound of the error of every eigenvalue; nan if the solver has no bound.
    residual : ndarray, shape (k,), optional
        ``||C v - l v||`` of each component v with explained variance l. Present if the solver
        computed it with the covariance C of all rows.
    rounding : float
        Bound of the norm of the rounding error of that covariance; nan if the solver has none.
    next_variance : float
        Upper bound of all eigenvalues of that covariance beyond the components; nan if unknown.
    notes : dict
        Diagnostics of the solver: numbers or strings.
    scale : ndarray, shape (d,), optional
        Standard deviations by which the centred features were divided. Then the components are
        those of ``(x - mean) / scale``, and "covariance" means their correlation matrix.
    spectrum : ndarray, shape (at least k,), optional
        The explained variances of all components that were fitted, of which k were kept.
    selection : dict
        How the number of components was chosen; see `memwave.pca.diagnostics.selection.select`.
    rotation : ndarray, shape (k, k), optional
        Orthogonal; see `memwave.pca.diagnostics.rotation.varimax`.
    residual_moments : ndarray, shape (3,), optional
        Of the eigenvalues that belong to no component: their sum, the sum of their squares over
        their sum, and the sum of their cubes over that of their squares. nan where it is unknown.
    """

    components: np.ndarray
    mean: np.ndarray
    explained_variance: np.ndarray
    total_variance: float
    n_samples: int
    solver: str
    eigenvalue_error_bound: float = float("nan")
    residual: np.ndarray | None = None
    rounding: float = float("nan")
    next_variance: float = float("nan")
    notes: dict = field(default_factory=dict)
    scale: np.ndarray | None = None
    residual_moments: np.ndarray | None = None
    spectrum: np.ndarray | None = None
    selection: dict = field(default_factory=dict)
    rotation: np.ndarray | None = None

    @property
    def n_components(self) -> int:
        return int(self.components.shape[0])

    @property
    def n_features(self) -> int:
        return int(self.components.shape[1])

    @property
    def explained_variance_ratio(self) -> np.ndarray:
        """Share of the total variance, shape (k,); zeros if the total variance is 0."""
        if self.total_variance <= 0:
            return np.zeros(self.n_components)
        return self.explained_variance / self.total_variance

    @property
    def error_bound(self) -> np.ndarray:
        """The true covariance has an eigenvalue so near to each explained variance, shape (k,).

        The smaller of two bounds: the residual with its rounding, and the bound on the error of
        each eigenvalue. nan if the solver computes neither; then a projection measures it.
        """
        residual = np.full(self.n_components, np.nan) if self.residual is None else self.residual
        return np.fmin(residual + self.rounding, self.eigenvalue_error_bound)

    @property
    def singular_values(self) -> np.ndarray:
        """Singular values of the centred matrix, shape (k,)."""
        return np.sqrt(self.explained_variance * (self.n_samples - 1))

    @property
    def rotated_loadings(self) -> np.ndarray:
        """Rotated components times their standard deviations, shape (k, d)."""
        assert self.rotation is not None
        loadings = self.components * np.sqrt(self.explained_variance)[:, None]
        return self.rotation.T @ loadings

    @property
    def noise_variance(self) -> float:
        """Mean of the remaining eigenvalues (Tipping and Bishop, 1999, section 3.2)."""
        others = min(self.n_features, self.n_samples) - self.n_components
        if others <= 0:
            return 0.0
        return max(0.0, self.total_variance - float(self.explained_variance.sum())) / others


def from_eigenpairs(
    eigenvalues: np.ndarray,
    eigenvectors: np.ndarray,
    images: np.ndarray | None = None,
    **attributes,
) -> Model:
    """Create a model from eigenpairs, which may be in any order.

    Parameters
    ----------
    eigenvalues : ndarray, shape (k,)
        Of the covariance. They may be slightly negative because of rounding.
    eigenvectors : ndarray, shape (d, k)
        Orthonormal columns.
    images : ndarray, shape (d, k), optional
        The product of the covariance and the eigenvectors. If given, residuals are computed.
    **attributes
        The other attributes of `Model`.
    """
    order = np.argsort(-eigenvalues, kind="stable")
    components = np.ascontiguousarray(eigenvectors.T[order], dtype=np.float64)
    largest = np.argmax(np.abs(components), axis=1)
    signs = np.where(components[np.arange(len(components)), largest] < 0, -1.0, 1.0)
    variances = np.maximum(eigenvalues[order], 0.0)
    if images is not None:
        errors = images[:, order] - eigenvectors[:, order] * variances
        attributes["residual"] = lengths(errors)
    return Model(components=components * signs[:, None], explained_variance=variances, **attributes)


def components_for(shares: np.ndarray, fraction: float) -> int:
    """Fewest components that explain more than a share of the variance; all if none do."""
    return min(len(shares), int(np.searchsorted(np.cumsum(shares), fraction, side="right")) + 1)


def pairs_for(values: np.ndarray, total: float, fraction: float, most: int) -> int:
    """How many eigenpairs a fit must find to explain more than a share of the variance.

    Parameters
    ----------
    values : ndarray, shape (m,)
        Eigenvalues so far, descending, none above a true one.
    total : float
        Trace of the covariance.
    fraction : float
        The share. A little more is asked for, so that rounding does not matter.
    most : int
        Returned where the eigenvalues so far do not explain so much.
    """
    known = values[:most]
    wanted = fraction * (1.0 + SHARE_MARGIN) * total
    if total <= 0.0 or float(known.sum()) <= wanted:
        return most
    return components_for(known, wanted)


def monitored(model: Model) -> np.ndarray:
    """The components that Hotelling's T2 is summed over, shape (k,): those that are not noise."""
    variances = model.explained_variance
    return variances > NEGLIGIBLE * float(variances[0])


def least_spe(model: Model) -> float:
    """SPE below which there is only rounding; no limit is lower."""
    return ROUNDED_SPE * model.total_variance


def t2_weights(model: Model) -> np.ndarray:
    """What squared scores are multiplied with in Hotelling's T2, shape (k,)."""
    chosen = monitored(model)
    return np.where(chosen, 1.0 / np.where(chosen, model.explained_variance, 1.0), 0.0)
