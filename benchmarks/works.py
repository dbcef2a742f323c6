"""What is measured on: recordings, the windows cut from them, and how large everything is."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from stages import Stages
from synthetic import write_recording

CHANNELS = 7
SHIPPED = Path(__file__).parents[1] / "resources" / "hapt"


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes
    ----------
    name : str
        ``full`` or ``small``; ``other`` once something is changed.
    windows : int
        Windows of work a; work c has `tenfold` times as many.
    window : int
        Rows of a window.
    components : int
    shards, block_mb
        As in the configuration of memwave.
    repeats : int
        Runs of each of two contenders that are compared; slow ones run once.
    batch_rows : int
        Of the incremental solver.
    other_batches : tuple of int
        Further sizes of a batch, to see what they change.
    rival_batch : int
        The smaller batch of scikit-learn's IncrementalPCA.
    """

    name: str
    windows: int
    window: int
    components: int
    shards: int
    block_mb: int
    repeats: int
    batch_rows: int
    other_batches: tuple[int, ...]
    rival_batch: int
    tenfold: int = 10


SIZES = {
    size.name: size
    for size in (
        Size("full", 140_000, 1001, 50, 4, 32, 3, 1024, (256, 16_384), 1000),
        Size("small", 6000, 40, 5, 2, 1, 1, 64, (32, 256), 1000),
    )
}


@dataclass(frozen=True)
class Work:
    """Recordings with features of one kind, in a folder of their own.

    Attributes
    ----------
    name : str
        ``a``, ``b`` or ``c``.
    title : str
        For the report.
    folder : path
        For all files.
    recordings : dict of str to path
        Recordings by name.
    channels : int
    size : Size
    """

    name: str
    title: str
    folder: Path
    recordings: dict[str, Path]
    channels: int
    size: Size

    def stages(self, dtype: str) -> Stages:
        """memwave's stages on the features in this dtype; makes the folder."""
        return Stages(
            self.folder / dtype,
            recordings=self.recordings,
            channels=self.channels,
            dtype=dtype,
            size=self.size,
        )

    @cached_property
    def n_features(self) -> int:
        return -(-self.size.window * self.channels // 2)

    @cached_property
    def n_windows(self) -> int:
        rows = (np.load(path, mmap_mode="r").shape[0] for path in self.recordings.values())
        return sum(max(0, n - self.size.window + 1) for n in rows)

    def describe(self) -> dict:
        """What the report says of it."""
        return {
            "work": self.name,
            "title": self.title,
            "windows": self.n_windows,
            "features": self.n_features,
        }

    def feature_bytes(self, dtype: str) -> int:
        return self.n_windows * self.n_features * np.dtype(dtype).itemsize


def synthetic_work(name: str, folder: Path, size: Size) -> Work:
    """Work a, or c with more rows; writes the recording."""
    windows = size.windows * (size.tenfold if name == "c" else 1)
    folder = folder / f"{name}-{windows}x{size.window}"
    path = folder / "recording.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_recording(path.with_suffix(".partial"), windows + size.window - 1, CHANNELS)
        path.with_suffix(".partial").rename(path)
    title = f"synthetic signal, {windows:,} windows"
    return Work(name, title, folder, {"synthetic": path}, CHANNELS, size)


def hapt_work(folder: Path, size: Size, hapt: Path | None) -> Work | None:
    """Work b: the recordings in a folder, or those that are shipped; None if there are none."""
    paths = sorted(p for p in (hapt or SHIPPED).glob("*.npy") if ".labels" not in p.name)
    if not paths:
        return None
    recordings = {path.stem: path.resolve() for path in paths}
    channels = np.load(paths[0], mmap_mode="r").shape[1]
    title = f"{len(paths)} HAPT recordings" + ("" if hapt else " (those shipped)")
    folder = folder / f"b-{len(paths)}x{size.window}"
    return Work("b", title, folder, recordings, channels, size)
