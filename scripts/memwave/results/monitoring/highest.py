"""contributions.h5: the highest windows of each recording, and what makes their statistics large.

Windows that overlap one that was chosen are passed over: they tell the same.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.ranges import spans
from memwave.pca.diagnostics.contributions import contributions
from memwave.pca.model import Model
from memwave.results.monitoring.single_rows import Places
from memwave.storage import hdf5
from memwave.storage.hdf5_chunks import FILTERS

ENCODING, VERSION = "memwave-contributions", "1"

# Windows of each recording that are highest in each statistic.
HIGHEST = 3

# Most bytes of a file, before compression.
MOST_BYTES = 32_000_000

# Rows of a projection read at once.
BLOCK_ROWS = 65_536

STATISTICS = ("hotelling_t2", "spe")

DESCRIPTIONS = {
    "row": "Row of the window in the projection.",
    "recording": "Index of the window's recording in recording_names.",
    "start_row": "First row of the window in its recording.",
    "hotelling_t2": "As in the projection.",
    "spe": "As in the projection.",
    "rank_t2": "1 for the highest T2 of the recording, 2 for the next; 0 for windows below these.",
    "rank_spe": "The same of SPE.",
}

ARRAYS = {
    "features": "Features of the window.",
    "t2_contribution": "Parts of T2 by feature; their sum is T2.",
    "spe_contribution": "Parts of SPE by feature; their sum is SPE.",
}

# Value, row in the projection and first row in its recording of a window, by recording.
Peaks = dict[int, tuple[float, int, int]]

Reading = Callable[[Places], Iterator[np.ndarray]]


@dataclass(frozen=True)
class Highest:
    """The windows of a projection whose contributions are stored.

    Attributes
    ----------
    places : Places
    values : dict of str to ndarray, shape (n,)
        By statistic.
    ranks : dict of str to ndarray, shape (n,)
        By statistic: 1 for the highest window of its recording, 0 for windows below those chosen.
    """

    places: Places
    values: dict[str, np.ndarray]
    ranks: dict[str, np.ndarray]


def highest_windows(file: h5py.File, most: int, each: int = HIGHEST) -> Highest:
    """Find the windows of largest T2 and of largest SPE in each recording.

    Parameters
    ----------
    file : h5py.File
        A projection with all windows; it is read up to `each` times, block by block.
    most : int
        Most windows in all, at least 2. If there would be more, recordings have fewer windows each,
        and then those of the lowest statistics have none.
    each : int
        Most windows of a recording in each statistic.
    """
    window, step = int(file.attrs["window"]), int(file.attrs["step"])
    share = max(1, most // len(STATISTICS))
    each = max(1, min(each, -(-share // max(1, len(file["recording_names"])))))
    peaks: list[dict[str, Peaks]] = []
    for _ in range(each):
        peaks.append(_next_highest(file, peaks, max(window, step)))
    ranks: dict[str, dict[int, int]] = {}
    for statistic in STATISTICS:
        best = [found[statistic] for found in peaks]
        by_height = [sorted(found.values(), key=lambda peak: -peak[0]) for found in best]
        ranked = [(row, rank) for rank, found in enumerate(by_height, 1) for _, row, _ in found]
        ranks[statistic] = dict(ranked[:share])
    rows = np.array(sorted(set().union(*ranks.values())), dtype=np.int64)
    found = {name: _pick(file[name], rows) for name in ("recording", "start_row", *STATISTICS)}
    return Highest(
        Places(rows, found["recording"], found["start_row"]),
        {name: found[name] for name in STATISTICS},
        {
            name: np.array([known.get(row, 0) for row in rows.tolist()], "u1")
            for name, known in ranks.items()
        },
    )


def _next_highest(
    file: h5py.File, before: Sequence[dict[str, Peaks]], apart: int
) -> dict[str, Peaks]:
    """The highest window of each recording that overlaps none of those found before."""
    best: dict[str, Peaks] = {statistic: {} for statistic in STATISTICS}
    for start, stop in spans(0, len(file["recording"]), BLOCK_ROWS):
        recordings, starts = file["recording"][start:stop], file["start_row"][start:stop]
        cuts = [0, *(np.flatnonzero(np.diff(recordings)) + 1).tolist(), stop - start]
        for statistic, peaks in best.items():
            values = file[statistic][start:stop].astype(np.float64)
            for low, high in pairwise(cuts):
                recording, part = int(recordings[low]), values[low:high]
                for found in before:
                    if recording in found[statistic]:
                        near = np.abs(starts[low:high] - found[statistic][recording][2]) < apart
                        part = np.where(near, -np.inf, part)
                i = int(np.argmax(part))
                if part[i] > peaks.get(recording, (-np.inf,))[0]:
                    peaks[recording] = float(part[i]), start + low + i, int(starts[low + i])
    return best


def write_contributions(
    path: str | Path,
    file: h5py.File,
    model: Model,
    read: Reading,
    *,
    dtype: str,
    feature_dtype: str,
) -> None:
    """Write the contributions to the statistics of the highest windows.

    Parameters
    ----------
    path : path
        The HDF5 file to write.
    file : h5py.File
        A projection with all windows.
    model : Model
        k components, d features.
    read : callable
        Yields the features of windows, one window at a time.
    dtype, feature_dtype : {"float32", "float64"}
        Types of the contributions and of the features that are stored.
    """
    d = model.n_features
    types = {"features": feature_dtype, "t2_contribution": dtype, "spe_contribution": dtype}
    window_bytes = d * sum(np.dtype(stored).itemsize for stored in types.values())
    found = highest_windows(file, max(2, MOST_BYTES // window_bytes))
    n = len(found.places.rows)
    with hdf5.create(path, n * (window_bytes + 64)) as target:
        hdf5.mark(target, ENCODING, VERSION)
        names = file["recording_names"][()]
        hdf5.dataset(target, "recording_names", names, "Recordings in the order of their sheet.")
        columns = {
            "row": found.places.rows,
            "recording": found.places.recordings,
            "start_row": found.places.start_rows,
            **found.values,
            "rank_t2": found.ranks["hotelling_t2"],
            "rank_spe": found.ranks["spe"],
        }
        for name, description in DESCRIPTIONS.items():
            hdf5.dataset(target, name, columns[name], description)
        arrays = {
            name: target.create_dataset(
                name, (n, d), stored, chunks=(1, d), track_times=False, **FILTERS
            )
            for name, stored in types.items()
        }
        for i, features in enumerate(read(found.places)):
            parts = contributions(model, features[None])
            for (name, array), values in zip(arrays.items(), (features[None], *parts), strict=True):
                array[i] = _stored(values[0], types[name], path, name)
        for name, description in ARRAYS.items():
            arrays[name].attrs["description"] = description


def _stored(values: np.ndarray, dtype: str, path: str | Path, name: str) -> np.ndarray:
    """Convert values to the stored type; raise MemwaveError if one is too large for it."""
    with np.errstate(over="ignore"):
        stored = values.astype(dtype)
    if not np.isfinite(stored).all():
        raise MemwaveError(
            f"{path}: {name} has a value that {dtype} cannot hold. Set scale in the feature set, "
            "or score_dtype: float64."
        )
    return stored


@contextmanager
def open_contributions(path: str | Path) -> Iterator[h5py.File]:
    """Open a finished file of contributions for reading."""
    with hdf5.open_read_only(path, ENCODING) as file:
        yield file


def contribution_bytes(d: int, k: int) -> int:
    """Memory of finding the highest windows, and of the contributions of one window."""
    return BLOCK_ROWS * 80 + 8 * 8 * d + 8 * k


def _pick(dataset: h5py.Dataset, rows: np.ndarray) -> np.ndarray:
    """Some rows of a dataset, ascending, read block by block."""
    parts = [np.zeros(0, dataset.dtype)]
    for start, stop in spans(0, len(dataset), BLOCK_ROWS):
        inside = rows[(rows >= start) & (rows < stop)]
        if len(inside):
            parts.append(dataset[start:stop][inside - start])
    return np.concatenate(parts)
