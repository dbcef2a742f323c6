"""TDMS files of LabVIEW (National Instruments), read by npTDMS: ``x.tdms``, ``x.tdms::group``."""

from typing import Any

import numpy as np

from memwave.core.messages import did_you_mean, listed, shown
from memwave.readers.base import Options, reason_of
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES = ("nptdms",)
LIBRARY_MB = 60


class Source(ArraySource):
    """Channels of a group, as float64 with their scaling applied.

    If the path names no group, the channels of several groups are called ``group/channel``. Those
    of a single group have their own names.
    """

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        nptdms = library("nptdms", path)
        try:
            self._tdms = nptdms.TdmsFile.open(self.file)
        except Exception as error:  # the package raises nearly any
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
            if self._tdms.file_status.incomplete_final_segment:
                self.note("its last segment was not finished; what is whole of it is read")
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
            found = listed(f"{shown(c.name)} {len(c)}" for c in self._channels)
            raise self.error(
                f"has channels of different lengths: {found}. Choose channels of one length"
            )
        return lengths.pop()

    def _find_dtype(self) -> np.dtype:
        """The type of all values: float32 if all channels have it, else float64."""
        kinds = [np.dtype(channel.dtype) for channel in self._channels]
        for channel, kind in zip(self._channels, kinds, strict=True):
            if kind.kind not in "iuf":
                raise self.error(
                    f"the channel {shown(channel.name)} holds values of type {kind}, expected "
                    "numbers. Leave it out of the channels"
                )
        return np.dtype("f4" if set(kinds) == {np.dtype("f4")} else "f8")

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
            rows[:, i] = values
        return rows

    def close(self) -> None:
        self._tdms.close()
