"""Matrices of AnnData files: ``x.h5ad`` is its ``X``, ``x.h5ad::/layers/counts`` a layer.

The format: https://anndata.readthedocs.io, "On-disk format". Of sparse matrices, those that are
stored row by row (CSR) are read, in bounded memory.
"""

from typing import Any

from memwave.readers.base import Options
from memwave.readers.formats import hdf5
from memwave.readers.formats.h5ad.sparse import KIND, SparseRows

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 0

# Dataset of the matrix, if the path names none.
DEFAULT = "/X"


class Source(hdf5.Source):
    """A matrix of an AnnData file."""

    def __init__(self, path: str, options: Options):
        super().__init__(path if "::" in path else f"{path}::{DEFAULT}", options)

    def _find(self) -> Any:
        found = super()._find()
        return SparseRows(found) if hasattr(found, "keys") else found

    def _require_dataset(self, node: Any, walked: str) -> None:
        kind = str(node.attrs.get("encoding-type", ""))
        if kind == KIND:
            return
        if kind.endswith("_matrix"):
            raise self.error(
                f"{walked} is a sparse matrix that is stored column by column ({kind}), expected "
                f"rows: a dense matrix, or {KIND}. Convert it with X.tocsr(), or name another "
                "layer: file.h5ad::/layers/name"
            )
        super()._require_dataset(node, walked)

    def _arrays(self) -> list[Any]:
        if isinstance(self._dataset, SparseRows):
            return self._dataset.arrays
        return super()._arrays()

    def column_names(self) -> list[str] | None:
        """Return the names of the variables."""
        variables = self._store.get("var")
        index = None if variables is None else variables.attrs.get("_index")
        if index is None or index not in variables:
            return None
        names = [str(name) for name in variables[index].asstr()[:]]
        return names if len(names) == self.shape[-1] else None
