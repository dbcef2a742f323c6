"""Parameters of an estimator, by scikit-learn's conventions, without scikit-learn."""

import inspect
from typing import Any, Self

import numpy as np

from memwave.api.planning import InvalidParameter
from memwave.core.messages import did_you_mean, listed


class Parameters:
    """An object whose parameters are the arguments of its constructor, unchanged."""

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = inspect.signature(cls).parameters.values()
        return {parameter.name: parameter.default for parameter in parameters}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by their names.

        Parameters
        ----------
        deep : bool
            Ignored: no parameter is an estimator.
        """
        return {name: getattr(self, name) for name in self._defaults()}

    def _plain_params(self) -> dict[str, Any]:
        """The parameters as Python's own numbers, where they are those of NumPy."""
        given = self.get_params()
        return {name: v.item() if isinstance(v, np.generic) else v for name, v in given.items()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters; raises an error that names the valid ones if one is unknown."""
        known = self._defaults()
        for name in params:
            if name not in known:
                raise InvalidParameter(
                    f"{name} is no parameter of {type(self).__name__}.{did_you_mean(name, known)} "
                    f"Parameters: {listed(known)}."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = self._defaults()
        changed = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name] and value != defaults[name]
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags; only scikit-learn calls this."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]),
            input_tags=InputTags(),
        )
