"""Labels as intervals: ranges of rows of a recording, each with a label."""

import csv
import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor, nan
from pathlib import PurePath

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, printable, shown
from memwave.readers import annotations_of, keeps_annotations
from memwave.readers.shared.text import (
    UNREADABLE,
    bounded_lines,
    delimiter_of,
    line_like_a_row,
    open_text,
)

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")

# Columns of a table: rows, or seconds as in BIDS. Of several label columns, the last in `LABELS`
# is used.
ROWS = ("start", "stop")
SECONDS = ("onset", "duration")
LABELS = ("trial_type", "label")

# Limits: all intervals of a recording are held in memory.
MOST_INTERVALS = 200_000
LONGEST_LABEL = 200
LONGEST_SECONDS = 1e12
# Rows by which rounding may shift a time.
ROUNDING = 1e-6

log = logging.getLogger("memwave")


@dataclass(frozen=True)
class Interval:
    """Rows ``start:stop`` of a recording with one label.

    Attributes
    ----------
    start, stop : int
    label : str
    place : str
        Line or annotation of the file, for error messages.
    """

    start: int
    stop: int
    label: str
    place: str


@dataclass(frozen=True)
class Clock:
    """Converts seconds to rows, for the intervals in a file."""

    path: str
    sampling_rate: float | None
    rows: int

    def require_rate(self) -> None:
        """Raise MemwaveError if the sampling rate is unknown."""
        if self.sampling_rate is None:
            raise MemwaveError(
                f"{self.path}: has intervals in seconds, and the sampling rate of the recording "
                "is unknown. Give the dataset a sampling_rate."
            )

    def interval(self, onset: float, duration: float, label: str, place: str) -> Interval:
        """Return an interval in rows, cut off at the end of the recording."""
        assert self.sampling_rate is not None
        # An end and the next onset are one time, although their rounding errors differ.
        start, stop = (
            floor(t * self.sampling_rate + 0.5 + ROUNDING) for t in (onset, onset + duration)
        )
        return Interval(start, min(stop, self.rows), label, place)


def are_intervals(path: str) -> bool:
    """Whether a label file contains intervals, according to its suffix."""
    return PurePath(path).name.lower().endswith(TABLES) or keeps_annotations(path)


def need_a_library(path: str) -> bool:
    """Whether reading labels needs the library that reads recordings of the same format."""
    return not PurePath(path).name.lower().endswith(TABLES)


def read_intervals(path: str, rows: int, sampling_rate: float | None) -> list[Interval]:
    """Read the intervals of a recording.

    Parameters
    ----------
    path : str
        A table with the columns start, stop (rows; row `stop` is not in the interval) and label,
        or onset, duration (seconds) and label or trial_type; or EDF+ annotations.
    rows : int
        Number of rows of the recording.
    sampling_rate : float or None
        Rows per second, in Hz, for intervals in seconds.

    Returns
    -------
    list of Interval
        In ascending order.

    Raises
    ------
    MemwaveError
        If the file cannot be read, or an interval is empty, outside the recording, or overlaps
        another. The message names the line.
    """
    read = _annotations if keeps_annotations(path) else _table
    found: list[Interval] = []
    for interval in read(path, Clock(path, sampling_rate, rows)):
        _require_inside(path, interval, rows)
        if len(found) == MOST_INTERVALS:
            raise MemwaveError(
                f"{path}: has more than {MOST_INTERVALS} intervals. Save one label per row instead."
            )
        found.append(interval)
    if not found:
        raise MemwaveError(f"{path}: has no interval. Expected at least one.")
    found.sort(key=lambda interval: (interval.start, interval.stop))
    for one, other in pairwise(found):
        if other.start < one.stop:
            raise MemwaveError(
                f"{path}: {one.place} and {other.place} both label row {other.start} "
                f"({shown(one.label)}, {shown(other.label)}). Expected one label per row: remove "
                "the intervals that you do not need."
            )
    return found


def _require_inside(path: str, interval: Interval, rows: int) -> None:
    start, stop = interval.start, interval.stop
    if not 0 <= start < stop <= rows:
        raise MemwaveError(
            f"{path}, {interval.place}: the interval from row {start} to {stop} is empty or not in "
            f"the recording, which has {rows} rows. Rows are counted from 0, and stop is the row "
            "after the last."
        )
    if not 0 < len(interval.label) <= LONGEST_LABEL:
        raise MemwaveError(
            f"{path}, {interval.place}: has a label of {len(interval.label)} characters, expected "
            f"1 to {LONGEST_LABEL}."
        )


def _table(path: str, clock: Clock) -> Iterator[Interval]:
    try:
        delimiter = delimiter_of(path)
        with io.TextIOWrapper(open_text(path), "utf-8-sig", newline="") as file:
            lines = csv.reader(bounded_lines(file), delimiter=delimiter, strict=True)
            columns = [name.strip() for name in next(lines, [])]
            first, second, label = _chosen_columns(path, columns)
            in_seconds = columns[first] == SECONDS[0]
            if in_seconds:
                clock.require_rate()
            for cells in filter(any, lines):
                place = f"line {lines.line_num}"
                inner = line_like_a_row(cells, delimiter, len(columns))
                if inner is not None:
                    raise MemwaveError(
                        f"{path}, {place}: a quote takes in a line before it that looks like an "
                        "interval. Close the quote, or remove it."
                    )
                if len(cells) != len(columns):
                    raise MemwaveError(
                        f"{path}, {place}: has {len(cells)} cells, expected {len(columns)}."
                    )
                text = cells[label].strip()
                if in_seconds:
                    onset, duration = (_seconds(path, place, cells[i]) for i in (first, second))
                    yield clock.interval(onset, duration, text, place)
                else:
                    start, stop = (_row(path, place, cells[i]) for i in (first, second))
                    yield Interval(start, stop, text, place)
    except (*UNREADABLE, ValueError, csv.Error) as error:
        raise MemwaveError(
            f"{path}: cannot be read as a table of intervals ({printable(error)}). Expected UTF-8 "
            "text with a header line and one line per interval."
        ) from error


def _chosen_columns(path: str, columns: Sequence[str]) -> tuple[int, int, int]:
    for first, second in (ROWS, SECONDS):
        labels = [name for name in LABELS if name in columns]
        if first in columns and second in columns and labels:
            return columns.index(first), columns.index(second), columns.index(labels[-1])
    raise MemwaveError(
        f"{path}: has the columns {listed(map(shown, columns))}, expected start, stop and label "
        "(in rows), or onset, duration and label or trial_type (in seconds). For a table with one "
        f"label a row, write {path}::column in the sheet."
    )


def _row(path: str, place: str, cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise MemwaveError(
            f"{path}, {place}: found {shown(cell)}, expected a row, which is a whole number."
        ) from None


def _seconds(path: str, place: str, cell: str) -> float:
    try:
        seconds = float(cell)
    except ValueError:
        seconds = nan
    if not abs(seconds) < LONGEST_SECONDS:
        raise MemwaveError(f"{path}, {place}: found {shown(cell)}, expected a number of seconds.")
    return seconds


def _annotations(path: str, clock: Clock) -> Iterator[Interval]:
    """Yield a recording's own annotations with a duration, cut off at both ends of the recording.

    Annotations that cover no row are not used; those with a duration are reported.
    """
    clock.require_rate()
    seen = used = 0
    for seen, (onset, duration, text) in enumerate(annotations_of(path), 1):
        if not duration > 0:
            continue
        place = f"annotation {seen}"
        found = clock.interval(onset, duration, text.strip(), place)
        found = replace(found, start=max(found.start, 0))
        if found.start < found.stop:
            used += 1
            yield found
            continue
        why = "covers no row"
        if found.stop <= 0 or found.start >= clock.rows:
            why = f"is {'before the first' if found.stop <= 0 else 'after the last'} row"
        log.warning("%s: %s %s; it is not used", path, place, why)
    if not used:
        raise MemwaveError(
            f"{path}: has {seen} annotations, none of which has a duration and covers a row of the "
            "recording. Give the labels as a table of intervals, or leave them out."
        )
