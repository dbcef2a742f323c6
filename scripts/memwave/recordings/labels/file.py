"""The HDF5 file of text labels of a recording: one code per row, and the text of each code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from memwave.core.ranges import spans
from memwave.readers import file_of
from memwave.recordings.labels.coding import UNLABELLED, require_few
from memwave.recordings.labels.intervals import Interval
from memwave.storage import hdf5

ENCODING, VERSION = "memwave-labels", "1"
CHUNK_ROWS = 65_536


class LabelWriter:
    """Assigns codes to texts in order of first appearance, and stores them.

    Parameters
    ----------
    file : h5py.File
        New and empty.
    rows : int
        Number of rows of the recording. Rows that are never filled have no label.
    """

    def __init__(self, file: h5py.File, rows: int):
        hdf5.mark(file, ENCODING, VERSION)
        self._file = file
        self._codes = file.create_dataset(
            "label",
            (rows,),
            "i4",
            chunks=(min(rows, CHUNK_ROWS),),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
            fletcher32=True,
            fillvalue=UNLABELLED,
            track_times=False,
        )
        self._codes.attrs["description"] = "Index into names; -1 where there is no label."
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the code of a text; a new text gets a new code.

        Raises
        ------
        MemwaveError
            If the text is too long, or there are too many different texts.
        """
        number = self.numbers.setdefault(text, len(self.numbers))
        require_few([text], len(self.numbers))
        return number

    def fill(self, start: int, codes: np.ndarray) -> None:
        """Set the codes of consecutive rows."""
        self._codes[start : start + len(codes)] = codes

    def fill_intervals(self, intervals: Sequence[Interval]) -> None:
        """Set the codes of all rows in the intervals; the intervals are in ascending order."""
        codes = [self.number(interval.label) for interval in intervals]
        starts = np.array([interval.start for interval in intervals])
        stops = np.array([interval.stop for interval in intervals])
        for low, high in spans(0, len(self._codes), CHUNK_ROWS):
            rows = np.full(high - low, UNLABELLED, np.int32)
            first, last = np.searchsorted(stops, low, "right"), np.searchsorted(starts, high)
            for i in range(first, last):
                rows[max(starts[i] - low, 0) : stops[i] - low] = codes[i]
            self.fill(low, rows)

    def finish(self) -> None:
        """Store the texts."""
        texts = np.array(list(self.numbers), dtype=h5py.string_dtype("utf-8"))
        hdf5.dataset(self._file, "names", texts, "Text of each number.")


@contextmanager
def create_labels(path: str | Path, rows: int) -> Iterator[LabelWriter]:
    """Create the label file of a recording; it appears under its name when complete."""
    with hdf5.create(path, 4 * rows) as file:
        writer = LabelWriter(file, rows)
        yield writer
        writer.finish()


def load_names(path: str) -> list[str]:
    """Load the text of each code; `path` may include the name of a dataset in the file."""
    file = file_of(path)
    with hdf5.reading(file), hdf5.open_read_only(file, ENCODING) as stored:
        return [name.decode() for name in stored["names"][()]]
