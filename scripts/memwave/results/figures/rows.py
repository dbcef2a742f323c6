"""Rows of a projection for figures, block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import h5py
import numpy as np

from memwave.core.ranges import spans
from memwave.results.figures.classes import Classes, Counter, make_classes

# Rows read at once.
BLOCK_ROWS = 65_536

# Number of components in a figure, and of recordings in a figure over time.
SHOWN, RECORDINGS = 3, 3

# Scores beyond this many standard deviations are drawn at the border.
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
    """Read all rows of an open projection once."""
    shown = min(SHOWN, file["scores"].shape[1])
    names = [name.decode() for name in file["recording_names"][()]]
    low, high = np.full(shown, np.inf), np.full(shown, -np.inf)
    labels, recordings = Counter(), np.zeros(len(names), dtype=np.int64)
    for start, stop in spans(0, len(file["scores"]), BLOCK_ROWS):
        scores = file["scores"][start:stop, :shown]
        low, high = np.minimum(low, scores.min(axis=0)), np.maximum(high, scores.max(axis=0))
        recordings += np.bincount(file["recording"][start:stop], minlength=len(names))
        if "label" in file and not labels.too_many:
            labels.add(file["label"][start:stop])
    reach = WIDEST * np.sqrt(file["captured_variance"][:shown])
    low, high = np.maximum(low, -reach), np.minimum(high, reach)
    flat = low >= high
    low[flat], high[flat] = low[flat] - 1, low[flat] + 1
    stops = np.cumsum(recordings).tolist()
    present = [
        (name, stop - count, stop)
        for name, count, stop in zip(names, recordings.tolist(), stops, strict=True)
        if count
    ]
    if labels.counts and not labels.too_many:
        stored = file["label_names"][()] if "label_names" in file else ()
        texts: dict[int | str, str] = {i: text.decode() for i, text in enumerate(stored)}
        classes = make_classes("label", labels.counts, texts | dict(label_names))
    else:
        counted = {i: count for i, count in enumerate(recordings.tolist()) if count}
        classes = make_classes("recording", counted, dict(enumerate(names)))
    return Survey(low, high, classes, present)


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
    """
    columns = () if width is None else (slice(0, width),)
    for low, high in spans(start, stop, BLOCK_ROWS):
        yield (
            file["start_row"][low:high] // file.attrs["step"],
            file[name][(slice(low, high), *columns)],
            classes.of(file[classes.column][low:high]),
        )


def count_windows(file: h5py.File, stop: int) -> int:
    """Return the number of windows, also absent ones, of the recording that ends before `stop`."""
    return int(file["start_row"][stop - 1] // file.attrs["step"]) + 1


def block_bytes(width: int) -> int:
    """Memory, in bytes, of reading a block, including the chunks of HDF5."""
    return BLOCK_ROWS * (16 * width + 80) + 8_000_000
