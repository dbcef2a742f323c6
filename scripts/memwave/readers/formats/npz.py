"""An array of an archive written by ``numpy.savez``: ``x.npz::member``."""

import zipfile
from collections.abc import Iterator
from typing import IO

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import did_you_mean, listed, shown
from memwave.readers.base import Options
from memwave.readers.formats.npy import header_of
from memwave.readers.sources import Block, StreamSource

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 10

BLOCK_BYTES = 1 << 22


class Source(StreamSource):
    """An array in an archive: float32 if it has floats of at most 32 bits, else float64.

    An array of one dimension is a channel. The checksum in the archive is compared.
    """

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        try:
            self._archive = zipfile.ZipFile(self.file)
        except (OSError, zipfile.BadZipFile) as error:
            raise self.error(f"is not a whole .npz file ({error}). Save it again") from error
        try:
            self._member = self._find()
            with self._archive.open(self._member) as stream:
                shape, self._fortran, self._stored = header_of(self, stream)
            self._describe(shape if len(shape) != 1 else (*shape, 1), self._stored)
            small = self._stored.kind == "f" and self._stored.itemsize <= 4
            self.dtype = np.dtype("f4" if small else "f8")
        except BaseException:
            self.close()
            raise

    def _find(self) -> str:
        wanted = self.path[len(self.file) + 2 :].strip("/")
        names = [n.removesuffix(".npy") for n in self._archive.namelist() if n.endswith(".npy")]
        if wanted not in names:
            raise self.error(
                f"there is no array {shown(wanted)}.{did_you_mean(wanted, names)} It holds "
                f"{listed(names[:20])}. Expected a path such as file.npz::array"
            )
        if names.count(wanted) > 1:
            raise self.error(f"holds {names.count(wanted)} arrays called {shown(wanted)}")
        return f"{wanted}.npy"

    def _blocks(self) -> Iterator[Block]:
        rows, columns = self.shape
        with self._archive.open(self._member) as stream:
            header_of(self, stream)
            if self._fortran:
                for column in range(columns):
                    for row, values in self._run(stream, rows, 1):
                        yield slice(row, row + len(values)), slice(column, column + 1), values
            else:
                for row, values in self._run(stream, rows, columns):
                    yield slice(row, row + len(values)), slice(0, columns), values
            if stream.read(1):
                raise self.error(
                    f"array {self._member} goes on after its {rows} rows. Save it again"
                )

    def _run(self, stream: IO[bytes], rows: int, columns: int) -> Iterator[tuple[int, np.ndarray]]:
        """Read all rows of some columns, block by block."""
        size = columns * self._stored.itemsize
        together = max(1, BLOCK_BYTES // size)
        for row in range(0, rows, together):
            count = min(together, rows - row)
            content = stream.read(count * size)
            if len(content) < count * size:
                raise MemwaveError(f"{self.path}: ends early, in row {row + len(content) // size}.")
            yield row, np.frombuffer(content, self._stored).reshape(count, columns)

    def close(self) -> None:
        self._archive.close()
