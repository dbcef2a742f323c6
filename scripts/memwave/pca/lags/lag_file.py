"""The file of lag sums: the summary of one shard for a fit from the signal, in batches."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from memwave.pca.lags.lags import LagSums, SignalWindows
from memwave.storage import hdf5

ENCODING, VERSION = "memwave-lags", "1"


def save_lags(path: str | Path, batches: Iterable[LagSums], size: int) -> None:
    """Write lag sums, batch by batch; `size` is an upper bound of their bytes."""
    with hdf5.create(path, size) as file:
        hdf5.mark(file, ENCODING, VERSION)
        for number, sums in enumerate(batches):
            for name, array in sums.arrays().items():
                file.create_dataset(f"{number:08}/{name}", data=array, track_times=False)


def load_lags(path: str | Path, windows: SignalWindows) -> Iterator[LagSums]:
    """Read the file that `save_lags` wrote, batch by batch."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        for batch in file.values():
            yield LagSums(windows, **{name: array[()] for name, array in batch.items()})
