"""TDMS files of LabVIEW (National Instruments), read by npTDMS: ``x.tdms``, ``x.tdms::group``."""

import os
import re
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from memwave.core.messages import did_you_mean, listed, shown
from memwave.readers.base import Options, reason_of
from memwave.readers.shared.exact import require_exact
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES = ("nptdms",)
LIBRARY_MB = 60

# A segment begins with a tag, flags, a version, and the distances from the end of these to the next
# segment and to its samples.
LEAD_IN_BYTES, TAG, BIG_ENDIAN = 28, b"TDSm", 1 << 6
# Kinds of scales that npTDMS applies. It ignores others.
SCALES = {
    *("Add", "AdvancedAPI", "Linear", "Polynomial", "RTD", "Strain", "Subtract", "Table"),
    *("Thermistor", "Thermocouple"),
}
SCALE = re.compile(r"NI_Scale\[\d+\]_Scale_Type")


class Source(ArraySource):
    """Channels of a group, as float64 with their scaling applied.

    If the path names no group, the channels of several groups are called ``group/channel``. Those
    of a single group have their own names.
    """

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        nptdms = library("nptdms", path)
        # An open file, since the package would take the layout from an index beside a named one,
        # which may be that of another state of the file.
        self._file = open(self.file, "rb")  # noqa: SIM115 - `close` closes it
        try:
            self._tdms = nptdms.TdmsFile.open(self._file)
        except Exception as error:  # the package raises nearly any
            self._file.close()
            raise self.error(
                f"cannot be read as TDMS ({type(error).__name__}: {reason_of(error)}). Copy it "
                "again"
            ) from error
        try:
            channels = self._find_channels()
            chosen = self._choose(list(channels), options.channels)
            known = list(channels.values())
            self._channels = [known[column] for column in chosen]
            self._describe((self._rows(), len(chosen)), self._find_dtype())
            self.sampling_rate = self._rate()
            units = (str(c.properties.get("unit_string") or "") for c in self._channels)
            named = zip(self.channel_names or (), units, strict=True)
            self.units = {name: unit for name, unit in named if unit}
            if self._tdms.file_status.incomplete_final_segment:
                self.note("its last segment was not finished; what is whole of it is read")
            elif rest := _bytes_after_segments(self.file):
                self.note(f"its last {rest} bytes are no whole segment; they are not read")
        except BaseException:
            self.close()
            raise

    def _find_channels(self) -> dict[str, Any]:
        """Channels by their names."""
        groups = self._tdms.groups()
        wanted = self.path[len(self.file) + 2 :].strip("/")
        names = [group.name for group in groups]
        if wanted and wanted not in names:
            raise self.error(
                f"there is no group {shown(wanted)}.{did_you_mean(wanted, names)} The file holds "
                f"{listed(names)}"
            )
        chosen = [group for group in groups if not wanted or group.name == wanted]
        filled = [(g.name, c) for g in chosen for c in g.channels() if len(c)]
        if not filled:
            raise self.error("has no channel with samples. Expected a recording")
        if len({group for group, _ in filled}) == 1:
            return {channel.name: channel for _, channel in filled}
        return {f"{group}/{channel.name}": channel for group, channel in filled}

    def _rows(self) -> int:
        lengths = {len(channel) for channel in self._channels}
        if len(lengths) > 1:
            held = zip(self.channel_names or (), self._channels, strict=True)
            found = listed(f"{shown(name)} {len(channel)}" for name, channel in held)
            raise self.error(
                f"has channels of different lengths: {found}. Choose channels of one length"
            )
        return lengths.pop()

    def _find_dtype(self) -> np.dtype:
        """The type of all values: float32 if all channels have it, else float64."""
        kinds = [self._kind(channel) for channel in self._channels]
        for channel, kind in zip(self._channels, kinds, strict=True):
            if kind.kind not in "iuf":
                raise self.error(
                    f"the channel {shown(channel.name)} holds values of type {kind}, expected "
                    "numbers. Leave it out of the channels"
                )
        return np.dtype("f4" if set(kinds) == {np.dtype("f4")} else "f8")

    def _kind(self, channel: Any) -> np.dtype:
        """The type of the values of a channel, if its scales can be applied."""
        above = (self._tdms[channel.group_name].properties, self._tdms.properties)
        unknown = [kind for held in (channel.properties, *above) for kind in _unknown_scales(held)]
        reason = f"npTDMS does not know scales of type {listed(unknown)}" if unknown else ""
        try:
            kind = np.dtype(channel.dtype)
        except Exception as error:  # the package raises nearly any
            reason = f"{type(error).__name__}: {reason_of(error)}; {_scales(channel.properties)}"
        if reason:
            raise self.error(
                f"the scales of the channel {shown(channel.name)} cannot be applied ({reason}). "
                "Save it with its scales applied"
            )
        return kind

    def _rate(self) -> float | None:
        steps = {channel.properties.get("wf_increment") for channel in self._channels}
        if len(steps) > 1:
            raise self.error(
                f"has channels of different sampling intervals: {listed(sorted(map(str, steps)))} "
                "seconds. Choose channels of one"
            )
        step = steps.pop()
        return 1 / float(step) if step else None

    def _read(self, start: int, stop: int) -> np.ndarray:
        rows = np.empty((stop - start, len(self._channels)), self.dtype)
        for i, channel in enumerate(self._channels):
            values = channel.read_data(offset=start, length=stop - start)
            if len(values) != stop - start:
                raise OSError("the file ends early")
            require_exact(self, values, range(start, stop), [channel.name])
            rows[:, i] = values
        return rows

    def close(self) -> None:
        self._tdms.close()
        self._file.close()


def _unknown_scales(properties: Mapping[str, Any]) -> list[str]:
    """Kinds of scales that the package would ignore, unless they have been applied already."""
    if properties.get("NI_Scaling_Status") == "scaled":
        return []
    kinds = (str(value) for name, value in properties.items() if SCALE.fullmatch(name))
    return [kind for kind in kinds if kind not in SCALES]


def _scales(properties: Mapping[str, Any]) -> str:
    """Number of scales that properties announce, and of those that they have."""
    held = sum(bool(SCALE.fullmatch(name)) for name in properties)
    return f"it announces {properties.get('NI_Number_Of_Scales', 0)} scales and has {held}"


def _bytes_after_segments(path: str) -> int:
    """Bytes at the end of a file that are no segment, or one whose description is not whole."""
    start, size = 0, os.path.getsize(path)
    with open(path, "rb") as file:
        while start < size:
            file.seek(start)
            head = file.read(LEAD_IN_BYTES)
            if len(head) < LEAD_IN_BYTES:
                break
            tag, flags = struct.unpack("<4sI", head[:8])
            order = ">" if flags & BIG_ENDIAN else "<"
            _, following, samples = struct.unpack(f"{order}I2Q", head[8:])
            end = start + LEAD_IN_BYTES
            if tag != TAG or end + samples > size or not following:
                break
            start = min(size, end + following)
    return size - start
