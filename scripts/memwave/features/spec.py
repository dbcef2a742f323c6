"""The specification of a feature set: which wavelet coefficients of a window, in which order.

Pure geometry, without recordings: the number of coefficients of every band, the coefficients that
depend on the edges of the window, and the channels, band and position of each feature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pywt

from memwave.recordings.segments import Windows

# A coefficient below this share of the largest one is a rounding error. This includes the rounding
# of the filter taps in the tables of PyWavelets.
NEGLIGIBLE = 1e-10


@dataclass(frozen=True)
class Band:
    """One band of the decomposition of one signal of a window.

    Attributes
    ----------
    name : str
        ``a<level>`` (approximation) or ``d<level>`` (detail).
    level : int
        Level. Neighbouring coefficients are ``2 ** level`` samples apart.
    length : int
        Number of coefficients in one window.
    left, right : int
        Number of coefficients at each end that depend on the extension of the window. The others
        depend on their samples only: windows that share these samples share the coefficients.
    """

    name: str
    level: int
    length: int
    left: int
    right: int

    @property
    def is_detail(self) -> bool:
        return self.name.startswith("d")


@dataclass(frozen=True)
class FeatureSpec:
    """Wavelet features of sliding windows over recordings with given channels.

    The discrete wavelet transform is applied to the *signals* of a window: its channels (layout
    ``per-channel``), or the single signal that results from ravelling the window row by row
    (layout ``interleaved``). A feature vector is ordered by signal, then by band as configured,
    then by time.

    Attributes
    ----------
    window, step : int
        Rows of a window, and rows from the start of one to the start of the next.
    wavelet : str
        A discrete wavelet of PyWavelets.
    level : int
        Depth of the decomposition.
    bands : tuple of str
        The bands that are features, in their order.
    layout : {"interleaved", "per-channel"}
        See above.
    mode : str
        Signal extension mode of PyWavelets.
    dtype : {"float16", "float32", "float64"}
        Type of the stored features.
    channels : tuple of str
        Names of the channels of a recording.
    scale : {"none", "zscore", "robust"}
        Scaling of the channels before the transform; see `memwave.recordings.channels.Scaling`.
    store : bool
        Whether features are written to files.
    """

    window: int
    step: int
    wavelet: str
    level: int
    bands: tuple[str, ...]
    layout: str
    mode: str
    dtype: str
    channels: tuple[str, ...]
    scale: str = "none"
    store: bool = True

    # Any window can be read for itself; see `memwave.storage.rows.Rows`.
    grain = 1

    @classmethod
    def from_settings(cls, settings: dict, channels: Sequence[str]) -> "FeatureSpec":
        """Create a specification from a complete ``features`` entry of the configuration."""
        samples = settings["window"] * (len(channels) if is_interleaved(settings) else 1)
        level = settings["level"]
        if level == "max":
            level = pywt.dwt_max_level(samples, pywt.Wavelet(settings["wavelet"]).dec_len)
        return cls(
            window=settings["window"],
            step=settings["step"],
            wavelet=settings["wavelet"],
            level=int(level),
            bands=tuple(settings["bands"] or band_names(int(level))),
            layout=settings["layout"],
            mode=settings["mode"],
            dtype=settings["dtype"],
            channels=tuple(channels),
            scale=settings.get("scale", "none"),
            store=settings.get("store", True),
        )

    @property
    def windows(self) -> Windows:
        """Geometry of the windows."""
        return Windows(self.window, self.step)

    @property
    def n_channels(self) -> int:
        return len(self.channels)

    @property
    def row_bytes(self) -> int:
        """Bytes of the features of a window, as they are stored."""
        return self.n_features * np.dtype(self.dtype).itemsize

    @property
    def interleaved(self) -> bool:
        return self.layout == "interleaved"

    @property
    def n_signals(self) -> int:
        """Number of signals of a window."""
        return 1 if self.interleaved else self.n_channels

    @property
    def samples_per_row(self) -> int:
        """Number of samples that one row of the recording adds to a signal."""
        return self.n_channels if self.interleaved else 1

    @property
    def n_samples(self) -> int:
        """Number of samples of one signal of a window."""
        return self.window * self.samples_per_row

    @property
    def n_features(self) -> int:
        return self.n_signals * sum(band.length for band in self.band_table)

    @cached_property
    def filter_length(self) -> int:
        return int(pywt.Wavelet(self.wavelet).dec_len)

    @property
    def filter_shift(self) -> int:
        """The newest input of coefficient k is entry ``2 k + filter_shift`` of the previous level.

        PyWavelets aligns the filters at their first taps; in mode ``periodization``, at their
        centers.
        """
        return self.filter_length // 2 if self.mode == "periodization" else 1

    @cached_property
    def band_table(self) -> tuple[Band, ...]:
        """The bands that are features, in their order."""
        levels = self._levels()
        return tuple(Band(name, int(name[1:]), *levels[int(name[1:]) - 1]) for name in self.bands)

    def _levels(self) -> list[tuple[int, int, int]]:
        """Return (length, left, right) of levels 1, 2, ...; see `Band`."""
        taps, shift = self.filter_length, self.filter_shift
        length, left, right = self.n_samples, 0, 0
        levels = []
        for _ in range(self.level):
            inputs, interior_from, interior_to = length, left, length - 1 - right
            length = pywt.dwt_coeff_len(inputs, taps, self.mode)
            # Coefficient k depends on inputs 2k + shift - (taps - 1) ... 2k + shift.
            first_interior = max(0, -(-(interior_from + taps - 1 - shift) // 2))
            last_interior = min(length - 1, (interior_to - shift) // 2)
            if first_interior > last_interior:
                left, right = length, 0
            else:
                left, right = first_interior, length - 1 - last_interior
            levels.append((length, left, right))
        return levels

    def columns(self) -> list[tuple[int, Band, slice]]:
        """Return the columns of each band of each signal in a feature vector.

        Returns
        -------
        list of (signal, Band, slice)
            In the order of the features.
        """
        table, start = [], 0
        for signal in range(self.n_signals):
            for band in self.band_table:
                table.append((signal, band, slice(start, start + band.length)))
                start += band.length
        return table

    def feature_table(self) -> np.ndarray:
        """Return channels, band and position of each feature.

        Returns
        -------
        ndarray, shape (n_features,), fields channels, band, position
            ``channels`` is a comma-separated list of the channels on which the coefficient depends;
            ``position`` is the index of the coefficient in its band.
        """
        depends = np.stack([self._depends_on(i) for i in range(self.n_channels)], axis=1)
        joined: dict[bytes, str] = {}  # few sets of channels, many features
        table = np.empty(len(depends), [("channels", "O"), ("band", "O"), ("position", "i8")])
        for _, band, columns in self.columns():
            table["band"][columns], table["position"][columns] = band.name, range(band.length)
        for feature, row in enumerate(depends):
            if row.tobytes() not in joined:
                joined[row.tobytes()] = ",".join(np.array(self.channels, "O")[row])
            table["channels"][feature] = joined[row.tobytes()]
        return table

    def describe(self, feature: int) -> str:
        """Describe the coefficient that a feature is, for messages."""
        _, band, columns = next(c for c in self.columns() if feature < c[2].stop)
        read = [name for i, name in enumerate(self.channels) if self._depends_on(i)[feature]]
        position = feature - columns.start
        return f"coefficient {position} of band {band.name}, channels {','.join(read)}"

    def _depends_on(self, channel: int) -> np.ndarray:
        """Flag the features that depend on a channel: boolean, shape (n_features,).

        The flags are computed numerically, because extension reads distant samples in a different
        way in every mode and on every level. The transform is linear, so one random window that is
        zero in all other channels is enough. In mode ``smooth`` a few coefficients at the edges
        depend on no channel.
        """
        if not self.interleaved:
            return np.repeat(
                np.arange(self.n_channels) == channel, self.n_features // self.n_channels
            )
        window = np.zeros((self.window, self.n_channels))
        window[:, channel] = np.random.default_rng(0).uniform(1.0, 2.0, self.window)
        parts = pywt.wavedec(window.ravel(), self.wavelet, mode=self.mode, level=self.level)
        names = band_names(self.level)
        sizes = np.abs(np.concatenate([parts[names.index(band)] for band in self.bands]))
        return sizes > NEGLIGIBLE * max(float(np.abs(part).max()) for part in parts)


def band_names(level: int) -> list[str]:
    """Return the names of all bands of a decomposition, coarsest first, as PyWavelets does."""
    return [f"a{level}", *(f"d{j}" for j in range(level, 0, -1))]


def is_interleaved(settings: dict) -> bool:
    """Whether a ``features`` entry of the configuration has layout ``interleaved``."""
    return settings["layout"] == "interleaved"
