"""What readers of tables of named columns share: a column may also hold texts, the labels."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from memwave.readers._source import StreamSource

# Indices, -1 where there is none, and the texts they mean.
Texts = tuple[np.ndarray, list[str]]


class TableSource(StreamSource):
    """A table in a file; a reader implements `_texts` beside `_pieces`."""

    def __init__(self, path: str):
        super().__init__(path)
        if self.file != path:
            raise self.error("holds one table, expected no '::' after it")

    def texts(self) -> Iterator[Texts]:
        """Read the only chosen column as texts, if the table was opened for that.

        Yields
        ------
        (codes, texts) : ndarray of int, list of str
            Of the next rows, index into `texts`, -1 where the cell is empty.
        """
        yield from self._texts()
        self._require_unchanged()

    @abstractmethod
    def _texts(self) -> Iterator[Texts]:
        """Read the only chosen column; raise MemwaveError if it cannot be read."""


def texts_of(column: Any) -> Texts:
    """Return a column of Arrow strings as indices and what they mean."""
    encoded = column.dictionary_encode()
    return encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary.to_pylist()
