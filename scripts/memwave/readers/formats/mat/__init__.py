"""MATLAB files, ``x.mat::variable``: version 7.3, which is HDF5, and versions 5 to 7.2."""

from collections.abc import Iterator

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed, shown
from memwave.core.ranges import spans
from memwave.readers.base import FileSource, Options
from memwave.readers.formats import hdf5
from memwave.readers.formats.mat.mat5 import Damaged, Variable, variables
from memwave.readers.sources import Block, StreamSource

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 20

# A file of version 7.3 is an HDF5 file after a text of this size.
TEXT_BYTES = 512
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

# Values of version 7.3 that are read at once.
BLOCK_VALUES = 1 << 17
NUMERIC = {"double", "single", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))}


class Source(StreamSource):
    """A matrix, rows x channels: float32 if it is single, else float64."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        with open(self.file, "rb") as file:
            begin = file.read(TEXT_BYTES + len(HDF5_SIGNATURE))
        kind = Matrix73 if begin.endswith(HDF5_SIGNATURE) else Matrix5
        self._matrix: Matrix73 | Matrix5 = kind(self)
        try:
            stored = np.dtype("f4" if self._matrix.kind == "single" else "f8")
            self._describe(self._matrix.shape, stored)
        except MemwaveError:
            self.close()
            raise

    def _blocks(self) -> Iterator[Block]:
        yield from self._matrix.blocks()

    def close(self) -> None:
        self._matrix.close()


class Transposed(hdf5.Source):
    """A dataset, channels x rows: the stream compares its integers, by their rows."""

    def _require_exact(self, rows: np.ndarray, start: int, low: int) -> None:
        pass


class Matrix73:
    """A matrix in a file of version 7.3: a dataset, channels x rows."""

    def __init__(self, source: FileSource):
        self._hdf5 = Transposed(source.path, Options(values="stored"))
        source.notes += self._hdf5.notes
        self.shape = self._hdf5.shape[::-1]
        self.kind = self._hdf5.attribute("MATLAB_class")
        if self.kind not in NUMERIC or self._hdf5.attribute("MATLAB_empty"):
            self.close()
            raise source.error(
                f"is {'empty' if self.kind in NUMERIC else self.kind or 'not from MATLAB'}, "
                "expected a full matrix of real numbers"
            )

    def blocks(self) -> Iterator[Block]:
        rows, n_channels = self.shape
        for start, stop in spans(0, rows, max(1, BLOCK_VALUES // n_channels)):
            values = self._hdf5.read_columns(0, n_channels, start, stop).T
            yield slice(start, stop), slice(0, n_channels), values

    def close(self) -> None:
        self._hdf5.close()


class Matrix5(FileSource):
    """A matrix in a file of version 5 to 7.2."""

    def __init__(self, source: FileSource):
        super().__init__(source.path)
        self._file = open(source.file, "rb")  # noqa: SIM115 - `close` closes it
        name = source.path[len(source.file) + 2 :]
        try:
            self._variable = self._find(name, source.file_size)
        except Damaged as error:
            self.close()
            raise self._damaged(error) from error
        except MemwaveError:
            self.close()
            raise
        self.shape, self.kind = self._variable.shape, self._variable.kind

    def _find(self, wanted: str, size: int) -> Variable:
        names, unreadable = self._names(size)
        if names.count(wanted) > 1:
            raise self.error(
                f"holds {names.count(wanted)} variables called {shown(wanted)}, expected one. "
                "Save it again"
            )
        self._file.seek(0)
        for variable in variables(self._file, size):
            if variable.name == wanted:
                if not variable.numeric:
                    raise self.error(f"is {variable.kind}, expected a full matrix of real numbers")
                return variable
        if unreadable:
            raise Damaged(unreadable[0])
        raise self.error(
            f"there is no variable {shown(wanted)}.{did_you_mean(wanted, names)} The file holds "
            f"{listed(names[:20])}. Expected a path such as file.mat::variable"
        )

    def _names(self, size: int) -> tuple[list[str], list[str]]:
        """Names of all variables, and the errors of those that cannot be read."""
        names, unreadable = [], []
        try:
            for variable in variables(self._file, size):
                if variable.name:
                    names.append(variable.name)
                elif not variable.numeric:
                    unreadable.append(variable.kind)
        except Damaged as error:
            unreadable.append(str(error))
        return names, unreadable

    def _damaged(self, error: Damaged) -> MemwaveError:
        return self.error(
            f"cannot be read as a MATLAB file ({error}). Save it again with -v7 or -v7.3"
        )

    def blocks(self) -> Iterator[Block]:
        try:
            for column, row, values in self._variable.columns():
                rows = slice(row, row + len(values))
                yield rows, slice(column, column + 1), values[:, None]
        except Damaged as error:
            raise self._damaged(error) from error

    def close(self) -> None:
        self._file.close()
