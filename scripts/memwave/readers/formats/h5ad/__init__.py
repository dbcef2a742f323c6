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
        """Return the names of the variables, where these are the columns.

        Several variables may have one name, as in AnnData: columns are told apart by their numbers.
        """
        table = _variables_of(self.path[len(self.file) + 2 :].strip("/"))
        if table is None or table not in self._store:
            return None
        variables = self._store[table]
        index = variables.attrs.get("_index")
        if index is None or index not in variables:
            return None
        try:
            names = _texts_of(variables[index])
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError) as error:
            raise self.error(
                f"the names of its variables, {table}/{index}, cannot be read ({error}). Write the "
                "file again with AnnData"
            ) from error
        return names if names and len(names) == self.shape[-1] else None


def _variables_of(place: str) -> str | None:
    """The table whose rows are the columns of an array; None if that is another one, or none."""
    if place == "raw/X":
        return "raw/var"
    return "var" if place == "X" or place.startswith("layers/") else None


def _texts_of(stored: Any) -> list[str] | None:
    """A column of a table as texts: an array, categories and their codes, or values and a mask."""
    if not hasattr(stored, "keys"):
        is_text = stored.dtype.kind == "S" or stored.dtype.hasobject
        return [str(value) for value in (stored.asstr()[:] if is_text else stored[:])]
    if "codes" in stored:
        categories, codes = _texts_of(stored["categories"]), stored["codes"][:]
        is_whole = categories is not None and (codes >= 0).all()
        return [categories[code] for code in codes] if categories and is_whole else None
    return None if stored["mask"][:].any() else _texts_of(stored["values"])
