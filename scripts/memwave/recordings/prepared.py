"""Recordings prepared for feature extraction: resampled, gaps filled, checked, scaled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Union

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.readers import ArraySource, load_libraries, open_array
from memwave.recordings.channels import Scaling
from memwave.recordings.gaps import filled, margin_rows
from memwave.recordings.resampling import Resampled, load_library
from memwave.recordings.segments import PlannedRecording, Windows
from memwave.storage.shards import Shard


class ConvertedRows:
    """Rows of a converted recording, compared with their checksums whenever they are read."""

    def __init__(self, shard: Shard):
        self._shard, self.shape, self.dtype = shard, shard.shape, shard.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``, a fresh array; raises DamagedFile."""
        if start == stop:
            return np.empty((0, self.shape[1]), self.dtype)
        return self._shard.rows(start, stop).copy()


Stored = ArraySource | ConvertedRows
Rows = Union[Stored, Resampled, "Together"]
Check = Callable[..., None]


def load_reading(recordings: Iterable[PlannedRecording]) -> None:
    """Import the libraries that read these recordings; called before memory is limited."""
    recordings = list(recordings)
    load_libraries(recording.path for recording in recordings)
    if any(recording.resample or recording.groups for recording in recordings):
        load_library()


@contextmanager
def open_stored(
    recording: PlannedRecording, channels: Sequence[str], **changes: Any
) -> Iterator[Stored]:
    """Open a recording as it is stored; `changes` are those of `memwave.readers.open_array`."""
    if recording.converted:
        with Shard(recording.path) as shard:
            yield ConvertedRows(shard)
    else:
        path, options = recording.path, recording.options
        with open_array(path, recording.dtype, channels, options, **changes) as source:
            yield source


@contextmanager
def open_recording(recording: PlannedRecording, channels: Sequence[str]) -> Iterator[Rows]:
    """Open a recording at the sampling rate of its dataset.

    Raises
    ------
    MemwaveError
        If its shape differs from the plan.
    """

    def check(rows: np.ndarray, start: int, names: Sequence[str] = channels) -> None:
        check_rows(rows, start, recording, names)

    with ExitStack() as stack:
        opened = _opened(stack, recording, channels, check)
        require_shape(opened.shape, recording, len(channels))
        yield opened


def _opened(
    stack: ExitStack, recording: PlannedRecording, channels: Sequence[str], check: Check
) -> Rows:
    """Open the channels of a recording, or those of each rate, and resample them."""
    if not recording.groups:
        source = stack.enter_context(open_stored(recording, channels))
        return Resampled(source, recording.resample, check) if recording.resample else source
    parts: list[tuple[list[int], Rows]] = []
    for group in recording.groups:
        names = group.channels
        source = stack.enter_context(open_stored(recording, names, sampling_rate=group.rate))
        part: Rows = source
        if group.resample:
            part = Resampled(source, group.resample, partial(check, names=names))
        parts.append(([channels.index(channel) for channel in names], part))
    return Together(parts, recording.rows)


class Together:
    """Channels of several sampling rates, resampled to one, side by side.

    Parameters
    ----------
    parts : list of (columns, rows)
        Columns of the channels of each part.
    rows : int
        Rows of the shortest part.
    """

    def __init__(self, parts: list[tuple[list[int], Rows]], rows: int):
        self._parts = parts
        width = sum(len(columns) for columns, _ in parts)
        self.shape: tuple[int, ...] = (min([rows, *(p.shape[0] for _, p in parts)]), width)
        self.dtype = np.dtype(np.float64)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``, float64, shape (stop - start, n_channels)."""
        rows = np.empty((stop - start, self.shape[1]))
        for columns, part in self._parts:
            rows[:, columns] = part.read(start, stop)
        return rows


class PreparedRecording:
    """Reads prepared rows of a recording.

    Parameters
    ----------
    source : ArraySource or Resampled
        The recording at the sampling rate of its dataset.
    recording : PlannedRecording
    channels : sequence of str
    scaling : Scaling or None
        Scaling of the channels; None leaves them unscaled.
    """

    def __init__(
        self,
        source: Rows,
        recording: PlannedRecording,
        channels: Sequence[str],
        scaling: Scaling | None,
    ):
        self._source, self._recording = source, recording
        self._channels, self._scaling = channels, scaling
        self._margin = margin_rows(recording.max_gap)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``. The values do not depend on how reads are divided.

        Returns
        -------
        ndarray, shape (stop - start, n_channels)
            In the stored type; in float64 if values were resampled, filled or scaled.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or a value is still not finite.
        """
        low = max(0, start - self._margin)
        high = min(self._source.shape[0], stop + self._margin)
        rows = self._source.read(low, high)
        if self._recording.max_gap:
            rows = filled(rows, self._recording.max_gap)[start - low : stop - low]
        check_rows(rows, start, self._recording, self._channels)
        return rows if self._scaling is None else self._scaling.apply(rows)

    def read_windows(self, windows: Windows, first: int, count: int) -> np.ndarray:
        """Read the rows of `count` windows; rows between windows are left out.

        Returns
        -------
        ndarray, shape (windows.n_read(count), n_channels)
            Window i starts at row ``i * windows.distance``.
        """
        if not windows.apart:
            return self.read(*windows.rows(first, count))
        return np.concatenate([self.read(*windows.rows(first + i, 1)) for i in range(count)])


@contextmanager
def open_prepared(
    recording: PlannedRecording, channels: Sequence[str], scaling: Scaling | None = None
) -> Iterator[PreparedRecording]:
    """Open a recording to read prepared rows; see `open_recording`."""
    with open_recording(recording, channels) as source:
        yield PreparedRecording(source, recording, channels, scaling)


def require_shape(shape: tuple[int, ...], recording: PlannedRecording, n_channels: int) -> None:
    """Raise MemwaveError if the shape of a recording differs from the plan."""
    if shape != (recording.rows, n_channels):
        raise MemwaveError(
            f"recording {recording.name!r}: {recording.path} has shape {shape} now, and had "
            f"{recording.rows} rows when the run was planned. Start again."
        )


def check_rows(
    rows: np.ndarray,
    start: int,
    recording: PlannedRecording,
    channels: Sequence[str],
    *,
    may_miss: bool = False,
) -> None:
    """Require that all values in a chunk of a recording are finite.

    Parameters
    ----------
    rows : ndarray, shape (n, n_channels)
    start : int
        Row of the recording at which the chunk starts.
    recording : PlannedRecording
    channels : sequence of str
    may_miss : bool
        Whether values may be missing (NaN). Infinite values are never allowed.

    Raises
    ------
    MemwaveError
        Names recording, row and channel of the first value that is not allowed.
    """
    if rows.dtype.kind != "f":
        return
    invalid = np.isinf(rows) if may_miss else ~np.isfinite(rows)
    if not invalid.any():
        return
    row, channel = map(int, np.unravel_index(np.argmax(invalid), invalid.shape))
    value = rows[row, channel]
    remedy = "Repair the recording."
    if np.isnan(value) and recording.missing == "error":
        remedy = "Repair the recording, or set missing: drop or interpolate for its dataset."
    if np.isnan(value) and recording.max_gap:
        remedy = (
            f"It is in a gap longer than max_gap ({recording.max_gap} rows), or at an end of the "
            "recording. Set a larger max_gap, or missing: drop for its dataset."
        )
    raise MemwaveError(
        f"{recording}: row {start + row}, channel {channels[channel]} is {value}; expected finite "
        f"values. {remedy}"
    )
