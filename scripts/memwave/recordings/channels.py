"""Statistics of the channels of recordings, their table (channels.tsv), and scaling by them."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.moments import Moments
from memwave.core.quantiles import COPIES, Quantiles, quantile_bytes
from memwave.storage.atomic import replacing

# Scalings that are measured on the recordings themselves.
MEASURED_SCALES = ("zscore", "robust")

QUARTILES = (0.25, 0.5, 0.75)

# A channel that often holds its very largest or smallest value was probably cut off there.
CLIPPED_SHARE = 0.001


@dataclass(frozen=True)
class Channel:
    """Measures of one channel over all rows that were looked at.

    Attributes
    ----------
    channel : str
        Its name.
    rows, missing : int
        Rows with a value, and rows without (NaN).
    mean, std : float
        Mean and standard deviation (n - 1 in the denominator).
    minimum, lower_quartile, median, upper_quartile, maximum : float
        Order statistics; quartiles are interpolated linearly.
    at_minimum, at_maximum : int
        Rows that hold the smallest and the largest value.
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
        """What is odd about it: "constant", "clipped", or nothing."""
        if self.minimum == self.maximum:
            return "constant"
        most = max(self.at_minimum, self.at_maximum)
        return "clipped" if most > max(1, CLIPPED_SHARE * self.rows) else ""


COLUMNS = tuple(field.name for field in fields(Channel))


class Extremes:
    """Smallest and largest value of every column, and how many rows hold them."""

    def __init__(self, width: int):
        self.minimum, self.maximum = np.full(width, np.inf), np.full(width, -np.inf)
        self.at_minimum, self.at_maximum = (np.zeros(width, np.int64) for _ in range(2))

    def update(self, block: np.ndarray) -> None:
        """Take in rows, shape (n, d), float64, NaN where values are missing."""
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
        """Return the scaling called `kind` in the configuration.

        ``zscore`` is by mean and standard deviation, ``robust`` by median and interquartile range.
        A constant channel is shifted and not scaled: it becomes zero.

        Raises
        ------
        ValueError
            If a channel that is not constant has no interquartile range.
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
                    f"half of the rows of channel {channel.channel} and more hold one value, so "
                    "that it has no interquartile range. Use scale: zscore"
                )
        return cls(np.array(center), np.array([width or 1.0 for width in scale]))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return rows, shape (n, n_channels), scaled, in float64."""
        scaled = rows.astype(np.float64)
        scaled -= self.center
        scaled /= self.scale
        return scaled

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Return what `apply` made this of, float64; the last axis is that of the channels."""
        return scaled * self.scale + self.center


class ChannelMeasures:
    """Measures the channels of recordings that are read several times.

    First `scan` all rows once; then, as long as `needs_pass`, `rank` all rows and `end_pass`.

    Parameters
    ----------
    channels : sequence of str
    dtype : {"float32", "float64"}
        Type that holds all values of all recordings.
    """

    def __init__(self, channels: list[str], dtype: str):
        self.names, self._dtype = channels, dtype
        self._moments, self._extremes = Moments(len(channels)), Extremes(len(channels))
        self._rows = 0
        self._quantiles: list[Quantiles] | None = None

    def scan(self, rows: np.ndarray) -> None:
        """Take in rows, shape (n, n_channels), NaN where values are missing."""
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
        if self._quantiles is None:
            counts = self._moments.count.astype(int)
            self._quantiles = [Quantiles(n, QUARTILES, self._dtype) for n in counts]
        return self._quantiles[0].needs_pass

    def rank(self, rows: np.ndarray) -> None:
        """Take in the same rows again, in any order."""
        assert self._quantiles is not None
        for quantiles, column in zip(self._quantiles, rows.T, strict=True):
            quantiles.update(column[~np.isnan(column)])

    def end_pass(self) -> None:
        for quantiles in self._quantiles or ():
            quantiles.end_pass()

    def result(self) -> list[Channel]:
        """The measures, channel by channel."""
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
    """Memory of measuring channels, block by block: the rows as read, and copies in float64."""
    block = 8 * block_rows * n_channels
    return 5 * block + 8 * block_rows * COPIES + n_channels * quantile_bytes(len(QUARTILES))


def save_channels(path: str | Path, channels: list[Channel]) -> None:
    """Write the table. Numbers are written so that they are read back to the last bit."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow([*COLUMNS, "remark"])
        for channel in channels:
            writer.writerow([*(getattr(channel, name) for name in COLUMNS), channel.remark])


def load_channels(path: str | Path) -> list[Channel]:
    """Read what `save_channels` wrote; raises MemwaveError if it is anything else."""
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
            f"{path}: is no table of channels ({error}). Delete the file and run again to remake "
            "it."
        ) from error


def is_model(scale: str) -> bool:
    """Whether a scale of the configuration is that of a model fitted before."""
    return scale.endswith(".h5")
