"""Rows of a projection for figures, block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import h5py
import numpy as np

from memwave.core.moments import Moments
from memwave.core.ranges import spans
from memwave.results.figures.classes import Classes, Counter, make_classes
from memwave.storage import hdf5

# Rows read at once.
BLOCK_ROWS = 65_536

# Number of components in a figure, and of recordings in a figure over time.
SHOWN, RECORDINGS = 3, 3

# Scores further than this many standard deviations from their mean are drawn at the border.
WIDEST = 6.0


@dataclass(frozen=True)
class Survey:
    """Properties of all rows that are needed before drawing.

    Attributes
    ----------
    low, high : ndarray, shape (components shown,)
        Range of the scores to draw.
    classes : Classes
        Classes that determine the colours.
    recordings : list of (str, int, int)
        Name, first row, and the row after the last, of each recording with windows.
    """

    low: np.ndarray
    high: np.ndarray
    classes: Classes
    recordings: list[tuple[str, int, int]]

    @property
    def shown(self) -> int:
        """Number of components drawn."""
        return len(self.low)


def survey(file: h5py.File, label_names: Mapping[int | str, str]) -> Survey:
    """Read all rows of an open projection once.

    Parameters
    ----------
    file : h5py.File
    label_names : mapping
        Names of labels, which replace those in the file.

    Raises
    ------
    DamagedFile
        If the projection cannot be read.
    """
    with hdf5.reading(file.filename):
        low, high, labels, counts = _read_all(file)
        names = [name.decode() for name in file["recording_names"][()]]
        stored = file["label_names"][()] if "label_names" in file else ()
    stops = np.cumsum(counts).tolist()
    present = [
        (name, stop - count, stop)
        for name, count, stop in zip(names, counts.tolist(), stops, strict=True)
        if count
    ]
    if labels.counts and not labels.too_many:
        texts: dict[int | str, str] = {i: text.decode() for i, text in enumerate(stored)}
        classes = make_classes("label", labels.counts, texts | dict(label_names))
    else:
        counted = {i: count for i, count in enumerate(counts.tolist()) if count}
        classes = make_classes("recording", counted, dict(enumerate(names)))
    return Survey(low, high, classes, present)


def _read_all(file: h5py.File) -> tuple[np.ndarray, np.ndarray, Counter, np.ndarray]:
    """Range of the scores to draw, windows by label, windows by recording."""
    shown = min(SHOWN, file["scores"].shape[1])
    low, high, moments = np.full(shown, np.inf), np.full(shown, -np.inf), Moments(shown)
    n_recordings = len(file["recording_names"])
    labels, recordings = Counter(), np.zeros(n_recordings, dtype=np.int64)
    for start, stop in spans(0, len(file["scores"]), BLOCK_ROWS):
        scores = file["scores"][start:stop, :shown].astype(np.float64)
        low, high = np.minimum(low, scores.min(axis=0)), np.maximum(high, scores.max(axis=0))
        moments.update(scores)
        recordings += np.bincount(file["recording"][start:stop], minlength=n_recordings)
        if "label" in file and not labels.too_many:
            labels.add(file["label"][start:stop])
    reach = WIDEST * moments.std
    low, high = np.maximum(low, moments.mean - reach), np.minimum(high, moments.mean + reach)
    flat = low >= high
    low[flat], high[flat] = low[flat] - 1, low[flat] + 1
    return low, high, labels, recordings


def blocks(
    file: h5py.File, name: str, classes: Classes, start: int, stop: int, width: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Read rows ``start:stop`` of a column, or of its first `width` columns, with their classes.

    Yields
    ------
    windows : ndarray, shape (n,)
        Index of each window in its recording. Windows with missing values are absent.
    values : ndarray, shape (n, width) or (n,)
    classes : ndarray, shape (n,)

    Raises
    ------
    DamagedFile
        If the projection cannot be read.
    """
    columns = () if width is None else (slice(0, width),)
    for low, high in spans(start, stop, BLOCK_ROWS):
        with hdf5.reading(file.filename):
            windows = file["start_row"][low:high] // file.attrs["step"]
            values = file[name][(slice(low, high), *columns)]
            entries = file[classes.column][low:high]
        yield windows, values, classes.of(entries)


def count_windows(file: h5py.File, stop: int) -> int:
    """Return the number of windows, also absent ones, of the recording that ends before `stop`."""
    return int(file["start_row"][stop - 1] // file.attrs["step"]) + 1


def block_bytes(width: int) -> int:
    """Memory, in bytes, of reading a block, including the chunks of HDF5."""
    return BLOCK_ROWS * (16 * width + 80) + 8_000_000
