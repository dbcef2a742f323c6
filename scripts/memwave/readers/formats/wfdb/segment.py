"""One segment of a WFDB record: conversion of digital samples to physical values.

The package wfdb reads the files; memwave converts the samples. The package would average invalid
samples and digital values of a frame, and would start the sums of format 8 at the first frame read.
Formats and markers are those of the *WFDB Applications Guide*, signal(5).
"""

import os
from math import isfinite
from typing import Any

import numpy as np

from memwave.readers.base import FileSource

# Bytes of a sample, and the marker of an invalid one.
SAMPLE_BYTES = {
    "8": 1,
    "16": 2,
    "24": 3,
    "32": 4,
    "61": 2,
    "80": 1,
    "160": 2,
    "212": 1.5,
    "310": 4 / 3,
    "311": 4 / 3,
}
INVALID = {
    "16": -(2**15),
    "24": -(2**23),
    "32": -(2**31),
    "61": -(2**15),
    "80": -(2**7),
    "160": -(2**15),
    "212": -(2**11),
    "310": -(2**9),
    "311": -(2**9),
    "508": -(2**7),
    "516": -(2**15),
    "524": -(2**23),
}
COMPRESSED = ("508", "516", "524")
DIFFERENCES = "8"
BIG_ENDIAN = "61"


class Segment:
    """Signals of a segment.

    Parameters
    ----------
    folder : str
        Folder of the record.
    header : wfdb.Record or None
        None for a gap.
    start : int
        Its first frame in the record.
    rows : int or None
        Number of frames; None if the header does not state it.
    columns : list of int or None
        Indices of the wanted signals; None for one that the segment does not have.
    """

    def __init__(
        self, folder: str, header: Any, start: int, rows: int | None, columns: list[int | None]
    ):
        self.header, self.start, self.columns = header, start, columns
        self._folder = folder
        self.rows = self._frames_in_file(0) if rows is None else int(rows)
        self._sums: dict[str, Differences] = {}

    def samples_a_frame(self) -> list[int]:
        """Samples in a frame, for each wanted signal of the segment."""
        if self.header is None:
            return []
        return [self._spf(column) for column in self.columns if column is not None]

    def files(self) -> list[str]:
        """Files of the wanted signals."""
        if self.header is None:
            return []
        paths = (self._path(column) for column in self.columns if column is not None)
        return list(dict.fromkeys(paths))

    def samples_of(self, i: int) -> int | None:
        """Samples in a frame of a wanted signal; None if the segment does not have it."""
        column = self.columns[i]
        return None if self.header is None or column is None else self._spf(column)

    def check(self, source: FileSource) -> None:
        """Compare the length that the header announces with the files of the wanted signals."""
        if self.header is None:
            return
        wanted = [column for column in self.columns if column is not None]
        for column in wanted:
            gain = float(self.header.adc_gain[column])
            if not gain or not isfinite(gain):
                raise source.error(
                    f"signal {self.header.sig_name[column]} has {gain:g} units of the converter a "
                    "physical unit, expected a finite number. Correct its header"
                )
            late = self._kind(column)[0]
            if late >= self.rows:
                raise source.error(
                    f"signal {self.header.sig_name[column]} is {late} samples late by its header, "
                    f"of {self.rows}. Correct its header"
                )
        for column in {self.header.file_name[i]: i for i in wanted}.values():
            name, frames = self.header.file_name[column], self._frames_in_file(column)
            if frames < self.rows:
                raise source.error(
                    f"the last of {self.rows} samples cannot be read: {name} holds {frames}. "
                    "Download the record again"
                )
            if frames > self.rows:
                source.note(
                    f"its header announces {self.rows} samples, {name} holds {frames}; the first "
                    f"{self.rows} are read"
                )

    def _spf(self, column: int) -> int:
        return int((self.header.samps_per_frame or [1])[column] or 1)

    def _in_file(self, column: int) -> list[int]:
        """Signals that are in the same file."""
        names = self.header.file_name
        return [i for i, name in enumerate(names) if name == names[column]]

    def _path(self, column: int) -> str:
        return os.path.join(self._folder, self.header.file_name[column])

    def _frames_in_file(self, column: int) -> int:
        form = self.header.fmt[column]
        if form in COMPRESSED:
            import soundfile

            with soundfile.SoundFile(self._path(column)) as sound:
                return sound.frames // self._spf(column)
        if form not in SAMPLE_BYTES:
            raise ValueError(f"signal files of format {form} are not known")
        size = max(0, os.path.getsize(self._path(column)) - self._offset(column))
        samples = sum(map(self._spf, self._in_file(column)))
        return int(size / SAMPLE_BYTES[form] + 1e-6) // samples

    def _offset(self, column: int) -> int:
        """Offset of the samples in a file, in bytes: that of its first signal."""
        first = self._in_file(column)[0]
        return int((self.header.byte_offset or [0])[first] or 0)

    def read(self, wfdb: Any, start: int, stop: int, factor: int) -> np.ndarray:
        """Read frames of the record, `factor` rows each: float64, NaN for missing samples."""
        values = np.full(((stop - start) * factor, len(self.columns)), np.nan)
        wanted = sorted({column for column in self.columns if column is not None})
        if self.header is None:
            return values
        for kind in {self._kind(column) for column in wanted}:
            together = [column for column in wanted if self._kind(column) == kind]
            skew = kind[0]
            low = start - self.start + skew
            read = self._signals(wfdb, together, low, min(low + stop - start, self.rows), factor)
            for i, column in enumerate(self.columns):
                if column in read:
                    values[: len(read[column]), i] = read[column]
        return values

    def _kind(self, column: int) -> tuple[int, bool]:
        """Delay of a signal in its file, in frames, and whether the package cannot read it."""
        late = int((self.header.skew or [0])[column] or 0)
        return late, self.header.fmt[column] == BIG_ENDIAN

    def _signals(
        self, wfdb: Any, columns: list[int], low: int, high: int, factor: int
    ) -> dict[int, np.ndarray]:
        """Values of signals from one frame of their files to another."""
        if low >= high:
            return {}
        if self.header.fmt[columns[0]] == BIG_ENDIAN:
            # The package lists this format, but does not read it.
            return {i: self._physical(i, self._plain(i, low, high), low, factor) for i in columns}
        record = wfdb.rdrecord(
            os.path.join(self._folder, self.header.record_name),
            sampfrom=low,
            sampto=high,
            channels=columns,
            physical=False,
            smooth_frames=False,
            ignore_skew=True,
        )
        return {
            column: self._physical(column, np.asarray(digital), low, factor)
            for column, digital in zip(columns, record.e_d_signal, strict=True)
        }

    def _plain(self, column: int, low: int, high: int) -> np.ndarray:
        """Samples of a signal in a file of big-endian 16 bit numbers."""
        together = self._in_file(column)
        before = sum(map(self._spf, together[: together.index(column)]))
        width = sum(map(self._spf, together))
        place, count = self._offset(column) + 2 * low * width, (high - low) * width
        samples = np.fromfile(self._path(column), ">i2", count, offset=place)
        if len(samples) < count:
            raise OSError("the file ends early")
        frames = samples.reshape(-1, width)[:, before : before + self._spf(column)]
        return frames.ravel()

    def _physical(self, column: int, digital: np.ndarray, start: int, factor: int) -> np.ndarray:
        """Convert samples of a signal, from a frame on, to values in its unit."""
        header, form = self.header, self.header.fmt[column]
        samples = digital.astype(np.float64)
        if form == DIFFERENCES:
            samples += self._before(column, start)
        values = (samples - header.baseline[column]) / header.adc_gain[column]
        values[digital == INVALID.get(form)] = np.nan
        spf = self._spf(column)
        if spf == factor:
            return values
        frames = values.reshape(-1, spf)
        valid = ~np.isnan(frames)
        with np.errstate(invalid="ignore"):
            return np.where(valid, frames, 0).sum(1) / valid.sum(1)

    def _before(self, column: int, start: int) -> int:
        """Sum of the differences of a signal before a frame."""
        path, together = self._path(column), self._in_file(column)
        if path not in self._sums:
            spf = list(map(self._spf, together))
            self._sums[path] = Differences(path, self._offset(column), spf)
        return int(self._sums[path].before(start)[together.index(column)])


class Differences:
    """Sums of the differences in a file of format 8, stored for every `BLOCK` frames.

    Parameters
    ----------
    path : str
    offset : int
        Offset of the samples, in bytes.
    samples : list of int
        Samples in a frame, for each signal of the file.
    """

    BLOCK = 1 << 16

    def __init__(self, path: str, offset: int, samples: list[int]):
        self._path, self._offset = path, offset
        self._width = sum(samples)
        self._starts = np.cumsum([0, *samples[:-1]])
        self._stored = [np.zeros(len(samples), np.int64)]

    def before(self, frame: int) -> np.ndarray:
        """Return the sum of each signal's differences before a frame."""
        block = frame // self.BLOCK
        while len(self._stored) <= block:
            first = (len(self._stored) - 1) * self.BLOCK
            self._stored.append(self._stored[-1] + self._sum(first, first + self.BLOCK))
        return self._stored[block] + self._sum(block * self.BLOCK, frame)

    def _sum(self, start: int, stop: int) -> np.ndarray:
        count = (stop - start) * self._width
        place = self._offset + start * self._width
        differences = np.fromfile(self._path, np.int8, count, offset=place)
        if len(differences) < count:
            raise OSError("the file ends early")
        if not count:
            return np.zeros(len(self._starts), np.int64)
        by_sample = differences.reshape(-1, self._width).sum(0, dtype=np.int64)
        return np.add.reduceat(by_sample, self._starts)
