"""Models and scores as the files of the workflow: methods of `memwave.PCA`."""

import os
from typing import Any

from memwave import __version__
from memwave.api.fitting import certify
from memwave.api.planning import block_of_projection
from memwave.api.projecting import projection_file
from memwave.api.streams.updating import Updating, stored
from memwave.core.errors import InvalidMatrix
from memwave.results import model_file


class Saving(Updating):
    """Methods of `memwave.PCA` that write ``model.h5`` and ``projection.h5``."""

    def save(self, path: str | os.PathLike, *, summary: bool = False) -> None:
        """Write ``model.h5``, as the workflow writes it; `memwave.load_model` reads it.

        Parameters
        ----------
        path : path
            The file appears when it is complete.
        summary : bool
            Whether to write the sums that the model was computed from, too, for `update` and
            `merge`. They are there after `partial_fit`; for d columns and ``covariance``, they
            have 4 d**2 bytes.
        """
        model, spec = self._fitted(), self._spec
        kept = stored(self._summed()) if summary else None
        table = spec.feature_table()
        model_file.save_model(os.fspath(path), model, table, self._made_by(), summary=kept)

    def write_projection(
        self,
        path: str | os.PathLike,
        X: Any,
        *,
        labels: Any = None,
        is_train: bool = False,
        contributions: str | os.PathLike | None = None,
        dtype: str | None = None,
        columns: int | None = None,
    ) -> None:
        """Write scores as ``projection.h5``, as the workflow does, with errors of all rows.

        Parameters
        ----------
        path : path
            The HDF5 file; appears when it is complete.
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        labels : array of int, shape (n_samples,), optional
            Of the rows; stored beside the scores.
        is_train : bool
            Whether these are the rows that the model was fitted to. Then it is certified with
            them: `residual_` and `reconstruction_error_` are measured, and stored.
        contributions : path, optional
            Another HDF5 file to write, as the workflow's ``contributions.h5``: what makes the
            statistics of the highest rows of each part large.
        dtype, columns : str, int, optional
            Of a raw file.
        """
        model = self._fitted()
        with self._opened(X, dtype, columns) as matrix:
            matrix.require_rows()
            if is_train and matrix.n_rows != model.n_samples:
                raise InvalidMatrix(
                    f"{matrix.path}: has {matrix.n_rows} rows, and the model was fitted to "
                    f"{model.n_samples}: these are other rows. Leave is_train out."
                )
            # In float64: a certificate must include the rounding of a fit in float32.
            computed = "float64" if is_train else self._computed_in(matrix)
            found = projection_file.write_projection(
                path,
                model,
                matrix,
                dtype=computed,
                block_rows=block_of_projection(self._plain_params(), model.n_features, computed),
                is_train=is_train,
                labels=projection_file.row_labels(labels, matrix.shape[0]),
                contributions=contributions,
                provenance=self._made_by(),
                bar=self._bar,
            )
        if found is not None:
            self._certificate = found
            certify(model, found)

    def _made_by(self) -> dict:
        return {"parameters": self._plain_params(), "versions": {"memwave": __version__}}
