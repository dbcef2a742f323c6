"""What scores are returned in: an array, or a DataFrame as scikit-learn's `set_output` asks for."""

import sys
from importlib import import_module
from typing import Any, Self

import numpy as np

from memwave.api.planning import InvalidParameter
from memwave.core.errors import MemwaveError
from memwave.core.messages import either, shown

CONTAINERS = ("default", "pandas", "polars")


class Containers:
    """Method `set_output` of `memwave.PCA`; follows scikit-learn's configuration, without it."""

    # scikit-learn's `clone` copies the attribute of this name.
    _sklearn_output_config: dict[str, str]

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` and `fit_transform` return.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            An array, or a DataFrame whose columns are called pca0, pca1, ... None leaves it as it
            is. If an output is given to `transform`, that is returned.

        Returns
        -------
        PCA
            This object.
        """
        if transform is not None:
            if transform not in CONTAINERS:
                raise InvalidParameter(
                    f"transform is {shown(transform)}, expected {either(map(shown, CONTAINERS))}."
                )
            self._sklearn_output_config = {"transform": transform}
        return self

    def _container(self) -> str:
        chosen = self.__dict__.get("_sklearn_output_config", {}).get("transform")
        if chosen is None and "sklearn" in sys.modules:
            chosen = sys.modules["sklearn"].get_config().get("transform_output")
        return chosen or "default"

    def _contained(self, scores: np.ndarray, names: list[str], X: Any) -> Any:
        """Put scores of the rows of `X` into a DataFrame, if that was chosen."""
        container = self._container()
        if container == "default":
            return scores
        try:
            library = import_module(container)
        except ImportError as error:
            raise MemwaveError(
                f"set_output asks for {container}, which is not installed. Install it, or call "
                'set_output(transform="default").'
            ) from error
        if container == "polars":
            return library.DataFrame(scores, schema=names, orient="row")
        index = getattr(X, "index", None) if isinstance(X, library.DataFrame) else None
        return library.DataFrame(scores, columns=names, index=index)
