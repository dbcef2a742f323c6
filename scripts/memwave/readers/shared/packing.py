"""Scale, offset and markers of missing values in attributes of an array, as in netCDF files.

The attributes are those of the *NetCDF Climate and Forecast (CF) Metadata Conventions*, 1.11,
sections 2.5.1 and 8.1: ``scale_factor``, ``add_offset``, ``_FillValue``, ``missing_value``,
``valid_min``, ``valid_max``, ``valid_range``; and ``_Unsigned`` of the netCDF library.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, shown
from memwave.core.ranges import spans
from memwave.readers.base import FileSource
from memwave.readers.shared.exact import require_exact

# Values that are read and unpacked at once.
UNPACKED_VALUES = 1 << 18

# Distance of a physical marker from a stored value, in steps of the scale: texts have few digits.
ROUNDING = 1e-3

MISSING = ("_FillValue", "missing_value")
LIMITS = ("valid_min", "valid_max", "valid_range")
KNOWN = ("scale_factor", "add_offset", *MISSING, *LIMITS, "_Unsigned")


class Packing:
    """Converts stored values to physical values.

    Parameters
    ----------
    source : FileSource
        The file, for errors; the conversion is added to its notes.
    attributes : mapping
        Attributes of the array.
    stored : numpy.dtype
    n_channels : int
        Columns of the array.

    Attributes
    ----------
    dtype : numpy.dtype
        Type of the physical values.
    needed : bool
        Whether the attributes change any value.

    Raises
    ------
    MemwaveError
        If an attribute contradicts the conventions.
    """

    def __init__(
        self, source: FileSource, attributes: Mapping[str, Any], stored: np.dtype, n_channels: int
    ):
        self._source, self._columns = source, n_channels
        given = {name: attributes[name] for name in KNOWN if name in attributes}
        self._stored = self._sign(given.pop("_Unsigned", ""), stored)
        self._turned = self._stored != stored
        self._scale, self._offset = (
            self._per_channel(name, given.get(name), default)
            for name, default in (("scale_factor", 1.0), ("add_offset", 0.0))
        )
        if not np.all(self._scale):
            raise self._refused("scale_factor", given["scale_factor"], "other than 0")
        self._scaled = bool(np.any(self._scale != 1) or np.any(self._offset != 0))
        self._markers = self._find_markers(given)
        # Limits should have the stored type. Floats for integers are those of the physical values.
        kinds = {np.asarray(given[name]).dtype.kind for name in LIMITS if name in given}
        self._physical_limits = self._scaled and self._stored.kind in "iu" and "f" in kinds
        self._low, self._high = self._limits(given)
        misses = bool(len(self._markers)) or self._low is not None or self._high is not None
        self.needed = self._scaled or misses or self._turned
        floats = stored.kind == "f" and not self._scaled
        self.dtype = stored if floats else np.dtype("f8")
        if not self.needed:
            self.dtype = stored
            return
        unit = _text(attributes.get("units", ""))
        given |= {"_Unsigned": _text(attributes["_Unsigned"])} if self._turned else {}
        named = listed(f"{name} {self._named(name, value)}" for name, value in given.items())
        source.note(
            f"its attributes are applied ({named})"
            + (f"; the unit is {unit}" if unit else "")
            + "; its limits are physical values" * self._physical_limits
            + "; values: stored reads the values as they are stored"
        )

    def apply(self, stored: np.ndarray, first_row: int, columns: slice = slice(None)) -> np.ndarray:
        """Convert stored values, (rows, channels) or (rows,); missing values become NaN.

        `columns` are the columns of these values, if they are not all. Raises MemwaveError if
        float64 would round an integer that is not missing.
        """
        if not self.needed:
            return stored
        stored = stored.view(self._stored)
        missing = np.zeros(stored.shape, bool)
        for marker in self._markers:
            missing |= stored == marker
        values = stored.astype(self.dtype)
        scale = self._scale[columns] if self._scale.ndim else self._scale
        if self._scaled:
            values *= scale
            values += self._offset[columns] if self._offset.ndim else self._offset
        limited, rounding = stored, 0.0
        if self._physical_limits:
            limited, rounding = values, np.abs(scale) / 2
        if self._low is not None:
            missing |= limited < self._low - rounding
        if self._high is not None:
            missing |= limited > self._high + rounding
        values[missing] = np.nan
        self._require_exact(stored, missing, first_row, columns)
        return values

    def _require_exact(
        self, stored: np.ndarray, missing: np.ndarray, first_row: int, columns: slice
    ) -> None:
        if stored.dtype.kind in "iu" and stored.dtype.itemsize == 8:
            names = (self._source.channel_names or range(self._columns))[columns]
            held = np.where(missing, 0, stored)
            require_exact(self._source, held, range(first_row, first_row + len(held)), names)

    def _sign(self, unsigned: Any, stored: np.dtype) -> np.dtype:
        """The type of the values, if `_Unsigned` says another sign than the stored type has."""
        turned = {("true", "i"): "u", ("false", "u"): "i"}.get(
            (_text(unsigned).lower(), stored.kind), stored.kind
        )
        return np.dtype(stored.str.replace(stored.kind, turned))

    def _numbers(self, name: str, value: Any) -> np.ndarray:
        """An attribute as numbers; markers of missing values may also be text."""
        if isinstance(value, str | bytes | np.str_ | np.bytes_) and name in MISSING:
            value = _decoded(_text(value), self._stored)
        try:
            return np.atleast_1d(np.asarray(value)).astype(np.float64).ravel()
        except (TypeError, ValueError):
            raise self._refused(name, value, "a number") from None

    def _named(self, name: str, value: Any) -> str:
        """An attribute as text; a marker in base64 is decoded."""
        is_text = name in MISSING and isinstance(value, str | bytes)
        return _text(_decoded(_text(value), self._stored) if is_text else value)

    def _refused(self, name: str, value: Any, expected: str) -> MemwaveError:
        return self._source.error(
            f"its attribute {name} is {shown(_text(value))}, expected {expected}. Correct it, or "
            "set values: stored for the dataset, which ignores such attributes"
        )

    def _per_channel(self, name: str, value: Any, default: float) -> np.ndarray:
        if value is None:
            return np.array(default)
        numbers = self._numbers(name, value)
        if len(numbers) not in (1, self._columns) or not np.isfinite(numbers).all():
            raise self._refused(name, value, f"a finite number, or {self._columns} of them")
        return numbers if len(numbers) > 1 else numbers[0]

    def _find_markers(self, given: Mapping[str, Any]) -> np.ndarray:
        """Stored values that mark missing ones, other than NaN."""
        found = [self._exact(name, given[name]) for name in MISSING if name in given]
        markers = np.concatenate([np.empty(0, self._stored), *found])
        return np.unique(markers[markers == markers])

    def _exact(self, name: str, value: Any) -> np.ndarray:
        """A marker in the stored type; empty if that type cannot represent it exactly."""
        if isinstance(value, str | bytes | np.str_ | np.bytes_):
            value = _decoded(_text(value), self._stored)
        given = np.atleast_1d(np.asarray(value)).ravel()
        numbers = self._numbers(name, value)
        with np.errstate(all="ignore"):
            cast = given.astype(self._stored)
        # A float is rounded like the values. Markers of _Unsigned values may be signed.
        near = self._stored.kind == "f" or self._turned
        is_held = (cast.astype(np.float64) == numbers) | near
        return np.append(cast[is_held], self._packed(numbers[~is_held]))

    def _packed(self, physical: np.ndarray) -> np.ndarray:
        """Stored values of markers that are none in the stored type, but are physical values."""
        if not self._scaled or self._stored.kind == "f" or self._scale.ndim or self._offset.ndim:
            return np.empty(0, self._stored)
        places = (physical - self._offset) / self._scale
        known = np.iinfo(self._stored)
        near = np.abs(places - np.rint(places)) < ROUNDING
        near &= (places >= known.min) & (places <= known.max)
        return np.rint(places[near]).astype(self._stored)

    def _limits(self, given: Mapping[str, Any]) -> tuple[float | None, float | None]:
        """Smallest and largest stored value that is valid."""
        if "valid_range" in given:
            both = self._limit("valid_range", given["valid_range"])
            if len(both) != 2:
                raise self._refused("valid_range", given["valid_range"], "two numbers")
            return float(both[0]), float(both[1])
        one, other = (
            float(self._limit(name, given[name])[0]) if name in given else None
            for name in ("valid_min", "valid_max")
        )
        return one, other

    def _limit(self, name: str, value: Any) -> np.ndarray:
        """A limit; with `_Unsigned` it may be written with the sign of the stored type."""
        numbers = self._numbers(name, value)
        if self._turned and not self._physical_limits:
            known = np.iinfo(self._stored)
            size = 2.0**known.bits
            numbers = np.where((numbers < 0) & (known.min == 0), numbers + size, numbers)
            numbers = np.where((numbers > known.max) & (known.min < 0), numbers - size, numbers)
        return numbers


def units_of(attributes: Mapping[str, Any], channels: Sequence[str] | None) -> dict[str, str]:
    """Return the unit of all values, if the attributes have it, as that of each channel."""
    unit = _text(attributes.get("units", "")).strip()
    return dict.fromkeys(channels or (), unit) if unit else {}


def unpacked(
    array: Any, packing: Packing, start: int, stop: int, columns: tuple[int, ...]
) -> np.ndarray:
    """Read rows of an HDF5 or Zarr array block by block, to avoid a second copy."""
    values = np.empty((stop - start, *columns), packing.dtype)
    rows = max(1, UNPACKED_VALUES // max(1, *columns, 1))
    for low, high in spans(start, stop, rows):
        values[low - start : high - start] = packing.apply(np.asarray(array[low:high]), low)
    return values


def unpacked_slice(
    array: Any, packing: Packing, start: int, stop: int, columns: slice
) -> np.ndarray:
    """Read some columns of rows, as `unpacked` does."""
    width = columns.stop - columns.start
    values = np.empty((stop - start, width), packing.dtype)
    for low, high in spans(start, stop, max(1, UNPACKED_VALUES // max(1, width))):
        stored = np.asarray(array[low:high, columns])
        values[low - start : high - start] = packing.apply(stored, low, columns)
    return values


def _text(value: Any) -> str:
    """An attribute as text; an array of one value without its brackets."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.size == 1:
        return _text(value.ravel()[0])
    return str(value)


def _decoded(text: str, stored: np.dtype) -> Any:
    """A marker that is text: a number, or the bytes of a float in base64 as in xarray."""
    try:
        return float(text) if stored.kind == "f" or "." in text else int(text)
    except ValueError:
        pass
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f8")[0]
    except (ValueError, IndexError):
        return text
