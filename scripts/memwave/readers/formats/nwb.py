"""Time series of NWB files (Neurodata Without Borders), ``x.nwb::/acquisition/series``.

The format is HDF5 with the layout of the *NWB Format Specification*, 2.x. A series is a group with
``data`` and with ``starting_time``, which has the rate, or ``timestamps``. ``conversion`` and
``offset`` convert the data to physical values. An ElectricalSeries may have a conversion for each
channel.
"""

import math
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, rate_text
from memwave.core.ranges import spans
from memwave.readers.base import Options
from memwave.readers.formats import hdf5
from memwave.readers.shared.exact import require_exact
from memwave.readers.shared.packing import UNPACKED_VALUES, units_of
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 5

# Timestamps may be this far from a constant rate, in samples.
JITTER = 0.5
MOST_LISTED = 20
TIMES = 1 << 16


class Source(ArraySource):
    """Values of a time series, as float64 in its unit."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        series = self._series()
        self._hdf5 = hdf5.Source(f"{self.file}::{series}/data", Options(values="stored"))
        self.notes += self._hdf5.notes
        try:
            group = self._hdf5.group()
            rows, columns = self._hdf5.shape[0], (*self._hdf5.shape, 1)[1]
            stored = options.values == "stored"
            self._gain: np.ndarray = np.ones(1)
            self._offset = 0.0
            if not stored:
                self._gain, self._offset = self._scaling(group, columns)
                self.units = units_of({"units": self._unit(group)}, options.channels)
            plain = np.all(self._gain == 1) and np.all(self._offset == 0)
            self._describe((rows, columns), self._hdf5.dtype if plain else np.dtype("f8"))
            self.sampling_rate = self._rate(group, rows)
        except BaseException:
            self.close()
            raise

    def _series(self) -> str:
        """Path of the series in the file; if the path names none, that of the only series."""
        inner = self.path[len(self.file) + 2 :].rstrip("/").removesuffix("/data")
        found = _all_series(self)
        if inner:
            return inner
        if len(found) != 1:
            raise self.error(
                f"holds {len(found)} time series: {listed(found[:MOST_LISTED])}. Expected a path "
                f"such as {self.file}::{found[0] if found else '/acquisition/series'}"
            )
        return found[0]

    def _scaling(self, group: Any, columns: int) -> tuple[np.ndarray, float]:
        data = group["data"].attrs
        gain = np.float64(data.get("conversion", 1.0)) * np.ones(1)
        if "channel_conversion" in group:
            gain = gain * np.asarray(group["channel_conversion"][:], np.float64)
        offset = float(data.get("offset", 0.0))
        is_sound = np.isfinite([*gain, offset]).all() and gain.all()
        if len(gain) not in (1, columns) or not is_sound:
            raise self.error(
                f"has the conversions {listed(gain[:MOST_LISTED])} and the offset {offset:g} for "
                f"{columns} channels, expected finite numbers, one a channel, and no conversion "
                "of 0. Correct them, or set values: stored for the dataset"
            )
        unit = self._unit(group)
        if np.any(gain != 1) or offset:
            self.note(
                f"its conversion and offset are applied{f'; the unit is {unit}' if unit else ''}; "
                "values: stored reads the values as they are stored"
            )
        return gain, offset

    def _unit(self, group: Any) -> str:
        unit = group["data"].attrs.get("unit", "")
        return unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)

    def _rate(self, group: Any, rows: int) -> float | None:
        """Rows a second; timestamps must have a constant rate."""
        if "starting_time" in group:
            rate = float(group["starting_time"].attrs["rate"])
            if not 0 < rate < math.inf:
                raise self.error(f"has a rate of {rate:g} rows a second, expected one above 0")
            return rate
        if "timestamps" not in group:
            return None
        times = group["timestamps"]
        if len(times) != rows:
            raise self.error(
                f"has {len(times)} timestamps for {rows} rows of data, expected one a row. "
                "Write the series again, or copy its data to a file of its own"
            )
        if rows < 2:
            return None
        first, last = float(times[0]), float(times[rows - 1])
        step = (last - first) / (rows - 1)
        if not step > 0:
            raise self.error(f"has timestamps from {first} to {last}, expected increasing ones")
        for low, high in spans(0, rows, TIMES):
            expected = first + np.arange(low, high) * step
            wrong = np.flatnonzero(~(np.abs(times[low:high] - expected) <= JITTER * step))
            if len(wrong):
                row = low + int(wrong[0])
                raise self.error(
                    f"has timestamps that are not of one rate: row {row} is at {times[row]:.12g} "
                    f"seconds, expected {first + row * step:.12g} at {rate_text(1 / step)} rows a "
                    "second. Cut it at its gaps, or resample it before"
                )
        return float(f"{1 / step:.9g}")

    def _read(self, start: int, stop: int) -> np.ndarray:
        shape = stop - start, self.shape[1]
        if self.dtype == self._hdf5.dtype:
            return self._hdf5.read(start, stop).reshape(shape)
        values = np.empty(shape)
        for low, high in spans(start, stop, max(1, UNPACKED_VALUES // self.shape[1])):
            block, stored = values[low - start : high - start], self._hdf5.read(low, high)
            block[:] = stored.reshape(block.shape)
            require_exact(self, stored, range(low, high))
            block *= self._gain
            block += self._offset
        return values

    def close(self) -> None:
        self._hdf5.close()


def _all_series(source: ArraySource) -> list[str]:
    """Paths of the groups that have data with a rate or timestamps."""
    import h5py  # only here: other formats do not need it

    found: list[str] = []

    def visit(name: str, node: Any) -> None:
        timed = isinstance(node, h5py.Group) and {"starting_time", "timestamps"} & set(node)
        if timed and isinstance(node.get("data"), h5py.Dataset):
            found.append(f"/{name}")

    try:
        with h5py.File(source.file, "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise MemwaveError(
            f"{source.path}: cannot be opened as an NWB file ({error}). Copy it again, or save it "
            "anew."
        ) from error
    return found
