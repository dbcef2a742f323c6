"""limits.tsv and alarms.tsv: the limits by all methods, and the intervals above those in use."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.results.monitoring.limits import ABOVE, QUANTILE, Limits, alarms, shares_above
from memwave.storage.atomic import replacing

LIMIT_COLUMNS = (
    "statistic",
    "method",
    "level",
    "train_limit",
    "other_limit",
    "train_above",
    "other_above",
    "in_use",
)
ALARM_COLUMNS = (
    "recording",
    "statistic",
    "level",
    "start_row",
    "stop_row",
    "start_second",
    "stop_second",
    "windows",
    "peak",
    "limit",
)


def write_limits(path: str | Path, file: h5py.File, limits: Sequence[Limits]) -> None:
    """Write the limits by all methods, and the shares of rows that are above them.

    Parameters
    ----------
    path : path
    file : h5py.File
        A projection with all windows.
    limits : sequence of Limits
        Those in use first, then those of all methods.
    """
    chosen, found = limits[0], list(limits[1:])
    if chosen not in found:
        found.append(chosen)
    _write(path, LIMIT_COLUMNS, _limit_rows(file, chosen, found))


def _limit_rows(file: h5py.File, chosen: Limits, found: Sequence[Limits]) -> Iterator[tuple]:
    shares = shares_above(file, found)
    for statistic in ABOVE.values():
        for limits, above in zip(found, shares, strict=True):
            values, share = limits.of(statistic), above[statistic]
            if np.isnan(values).all():
                continue
            for i, level in enumerate(limits.levels):
                numbers = (*values[:, i].tolist(), *share[:, i].tolist())
                yield (
                    statistic,
                    limits.method,
                    level,
                    *("" if np.isnan(number) else number for number in numbers),
                    "yes" if limits is chosen else "no",
                )


def load_quantiles(path: str | Path, levels: Sequence[float]) -> Limits | None:
    """Read the quantiles of the train rows from a ``limits.tsv``.

    Returns
    -------
    Limits or None
        None if the file has none at these levels.

    Raises
    ------
    MemwaveError
        If it is no table of limits.
    """
    found: dict[tuple[str, float], float] = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if row["method"] == QUANTILE:
                    found[row["statistic"], float(row["level"])] = float(row["train_limit"])
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        raise MemwaveError(
            f"{path}: is not a table of limits ({error!r}), expected the columns "
            f"{', '.join(LIMIT_COLUMNS)}. Delete it and run the fit again to write it anew."
        ) from error
    try:
        t2, spe = ([found[name, level] for level in levels] for name in ABOVE.values())
        return Limits(QUANTILE, tuple(levels), *(np.array([v, v]) for v in (t2, spe)))
    except KeyError:
        return None


def write_alarms(
    path: str | Path, file: h5py.File, limits: Limits, rates: Sequence[float | None]
) -> None:
    """Write the intervals above the limits.

    Parameters
    ----------
    path : path
    file : h5py.File
        A projection with all windows and its attributes.
    limits : Limits
        That its rows were compared with.
    rates : sequence of float or None
        Rows a second of each recording.
    """
    names = [name.decode() for name in file["recording_names"][()]]
    _write(path, ALARM_COLUMNS, _alarm_rows(file, limits, names, rates))


def _alarm_rows(
    file: h5py.File, limits: Limits, names: Sequence[str], rates: Sequence[float | None]
) -> Iterator[tuple]:
    for alarm in alarms(file, limits):
        rate = rates[alarm.recording]
        rows = (alarm.start_row, alarm.stop_row)
        yield (
            names[alarm.recording],
            alarm.statistic,
            alarm.level,
            *rows,
            *(row / rate if rate else "" for row in rows),
            alarm.windows,
            alarm.peak,
            alarm.limit,
        )


def _write(path: str | Path, columns: Sequence[str], rows: Iterable[tuple]) -> None:
    with (
        replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
