"""Statistics of channels, their table (channels.tsv), and the scaling of channels."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.moments import Moments
from memwave.core.quantiles import COPIES, Quantiles, quantile_bytes
from memwave.storage.atomic import replacing

# Scalings computed from the recordings.
MEASURED_SCALES = ("zscore", "robust")

QUARTILES = (0.25, 0.5, 0.75)

# A channel with a larger share of rows at its minimum or maximum is probably clipped.
CLIPPED_SHARE = 0.001


@dataclass(frozen=True)
class Channel:
    """Statistics of one channel over all measured rows.

    Attributes
    ----------
    channel : str
        Name of the channel.
    rows, missing : int
        Number of rows with a value, and of rows without (NaN).
    mean, std : float
        Mean and standard deviation (n - 1 in the denominator).
    minimum, lower_quartile, median, upper_quartile, maximum : float
        Order statistics. Quartiles are interpolated linearly.
    at_minimum, at_maximum : int
        Number of rows with the smallest and with the largest value.
    """

    channel: str
    rows: int
    missing: int
    mean: float
    std: float
    minimum: float
    lower_quartile: float
    median: float
    upper_quartile: float
    maximum: float
    at_minimum: int
    at_maximum: int

    @property
    def remark(self) -> str:
        """Remark for the table: "constant", "clipped" or ""."""
        if self.minimum == self.maximum:
            return "constant"
        most = max(self.at_minimum, self.at_maximum)
        return "clipped" if most > max(1, CLIPPED_SHARE * self.rows) else ""


COLUMNS = tuple(field.name for field in fields(Channel))


class Extremes:
    """Smallest and largest value of every column, and the number of rows with them."""

    def __init__(self, width: int):
        self.minimum, self.maximum = np.full(width, np.inf), np.full(width, -np.inf)
        self.at_minimum, self.at_maximum = (np.zeros(width, np.int64) for _ in range(2))

    def update(self, block: np.ndarray) -> None:
        """Add rows, shape (n, d), float64; missing values are NaN."""
        self._update("minimum", np.fmin, block)
        self._update("maximum", np.fmax, block)

    def _update(self, name: str, extreme: np.ufunc, block: np.ndarray) -> None:
        before, count = getattr(self, name), getattr(self, f"at_{name}")
        now = extreme(before, extreme.reduce(block, axis=0))
        held = np.where(now == before, count, 0) + (block == now).sum(axis=0)
        setattr(self, name, now)
        setattr(self, f"at_{name}", held)


@dataclass(frozen=True)
class Scaling:
    """Shift and scale of every channel: ``(x - center) / scale``.

    Attributes
    ----------
    center, scale : ndarray, shape (n_channels,), float64
    """

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, kind: str, channels: list[Channel]) -> "Scaling":
        """Return the scaling that the configuration calls `kind`.

        ``zscore`` uses mean and standard deviation, ``robust`` median and interquartile range. A
        constant channel is shifted, not scaled: it becomes zero.

        Raises
        ------
        ValueError
            If the interquartile range of a channel is 0 and the channel is not constant.
        """
        if kind == "zscore":
            center = [c.mean for c in channels]
            scale = [c.std for c in channels]
        else:
            center = [c.median for c in channels]
            scale = [c.upper_quartile - c.lower_quartile for c in channels]
        for channel, width in zip(channels, scale, strict=True):
            if not width and channel.remark != "constant":
                raise ValueError(
                    f"at least half of the rows of channel {channel.channel} have the same value, "
                    "so its interquartile range is 0. Use scale: zscore"
                )
        return cls(np.array(center), np.array([width or 1.0 for width in scale]))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return the scaled rows, shape (n, n_channels), float64."""
        scaled = rows.astype(np.float64)
        scaled -= self.center
        scaled /= self.scale
        return scaled

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Invert `apply`; the last axis is that of the channels. Returns float64."""
        return scaled * self.scale + self.center


class ChannelMeasures:
    """Computes statistics of channels; the recordings are read several times.

    First call `scan` with all rows. Then, while `needs_pass`, call `rank` with all rows and
    `end_pass`.

    Parameters
    ----------
    channels : sequence of str
    dtype : {"float32", "float64"}
        Type that represents all values of all recordings.
    """

    def __init__(self, channels: list[str], dtype: str):
        self.names, self._dtype = channels, dtype
        self._moments, self._extremes = Moments(len(channels)), Extremes(len(channels))
        self._rows = 0
        self._quantiles: list[Quantiles] | None = None

    def scan(self, rows: np.ndarray) -> None:
        """Add rows, shape (n, n_channels); missing values are NaN."""
        block = rows.astype(np.float64)
        self._rows += len(block)
        self._moments.update(block)
        self._extremes.update(block)

    @property
    def empty(self) -> list[str]:
        """Channels without any value."""
        counts = zip(self.names, self._moments.count, strict=True)
        return [name for name, count in counts if not count]

    @property
    def needs_pass(self) -> bool:
        """Whether the quantiles need another pass."""
        if self._quantiles is None:
            counts = self._moments.count.astype(int)
            self._quantiles = [Quantiles(n, QUARTILES, self._dtype) for n in counts]
        return self._quantiles[0].needs_pass

    def rank(self, rows: np.ndarray) -> None:
        """Add the same rows again, in any order."""
        assert self._quantiles is not None
        for quantiles, column in zip(self._quantiles, rows.T, strict=True):
            quantiles.update(column[~np.isnan(column)])

    def end_pass(self) -> None:
        """End a pass of `rank` over all rows."""
        for quantiles in self._quantiles or ():
            quantiles.end_pass()

    def result(self) -> list[Channel]:
        """Return the statistics, in the order of the channels."""
        assert self._quantiles is not None
        moments, extremes = self._moments, self._extremes
        return [
            Channel(
                channel=name,
                rows=int(moments.count[i]),
                missing=self._rows - int(moments.count[i]),
                mean=float(moments.mean[i]),
                std=float(moments.std[i]),
                minimum=float(extremes.minimum[i]),
                lower_quartile=float(quartiles[0]),
                median=float(quartiles[1]),
                upper_quartile=float(quartiles[2]),
                maximum=float(extremes.maximum[i]),
                at_minimum=int(extremes.at_minimum[i]),
                at_maximum=int(extremes.at_maximum[i]),
            )
            for i, name in enumerate(self.names)
            for quartiles in (self._quantiles[i].values(),)
        ]


def measuring_bytes(n_channels: int, block_rows: int) -> int:
    """Memory, in bytes, of measuring channels by blocks: rows as read, float64 copies, counts."""
    block = 8 * block_rows * n_channels
    return 5 * block + 8 * block_rows * COPIES + n_channels * quantile_bytes(len(QUARTILES))


def save_channels(path: str | Path, channels: list[Channel]) -> None:
    """Write the table. Numbers have all digits: `load_channels` returns the same bits."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow([*COLUMNS, "remark"])
        for channel in channels:
            writer.writerow([*(getattr(channel, name) for name in COLUMNS), channel.remark])


def load_channels(path: str | Path) -> list[Channel]:
    """Read the table that `save_channels` wrote; raise MemwaveError if it cannot be read."""
    kinds = Channel.__annotations__
    try:
        with open(path, encoding="utf-8", newline="") as file:
            channels = [
                Channel(**{name: kinds[name](row[name]) for name in COLUMNS})
                for row in csv.DictReader(file, delimiter="\t")
            ]
            if not channels:
                raise ValueError("it is empty")
            return channels
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MemwaveError(
            f"{path}: is not a table of channels ({error}). Delete the file and run again to "
            "remake it."
        ) from error


def is_model(scale: str) -> bool:
    """Whether `scale` in the configuration is the path of a fitted model."""
    return scale.endswith(".h5")
