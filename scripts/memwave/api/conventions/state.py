"""Attributes of a fitted estimator, by scikit-learn's names."""

import sys
from collections.abc import Callable
from typing import Any

from memwave.api.fitting import Certificate
from memwave.core.errors import MemwaveError
from memwave.pca.model import Model

# Attributes of a fitted estimator that are those of its model.
_OF_MODEL: dict[str, Callable[[Model], Any]] = {
    "components_": lambda model: model.components,
    "explained_variance_": lambda model: model.explained_variance,
    "explained_variance_ratio_": lambda model: model.explained_variance_ratio,
    "singular_values_": lambda model: model.singular_values,
    "mean_": lambda model: model.mean,
    "scale_": lambda model: model.scale,
    "noise_variance_": lambda model: model.noise_variance,
    "n_components_": lambda model: model.n_components,
    "n_samples_": lambda model: model.n_samples,
    "n_samples_seen_": lambda model: model.n_samples,
    "eigenvalue_error_bound_": lambda model: model.eigenvalue_error_bound,
    "residual_": lambda model: model.residual,
    "selection_": lambda model: model.selection,
    "solver_": lambda model: model.solver,
}

FITTED = frozenset({*_OF_MODEL, "error_bound_", "reconstruction_error_"})


class NotFitted(MemwaveError, ValueError, AttributeError):
    """An attribute or method requires a fitted estimator."""


def not_fitted(name: str) -> Exception:
    """Return the error of an estimator without a model; also scikit-learn's if that is loaded."""
    text = f"This {name} is not fitted yet. Call fit, or memwave.load_model, first."
    exceptions: Any = sys.modules.get("sklearn.exceptions")
    if exceptions is None:
        return NotFitted(text)
    both = type("NotFitted", (NotFitted, exceptions.NotFittedError), {})
    return both(text)


def fitted_value(name: str, model: Model, certificate: Certificate | None) -> Any:
    """Return one of the attributes `FITTED`."""
    if name == "reconstruction_error_":
        return float("nan") if certificate is None else certificate.reconstruction_error
    if name == "error_bound_":
        return None if certificate is None else certificate.bounds
    return _OF_MODEL[name](model)
