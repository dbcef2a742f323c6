"""Limits of the statistics in a projection, and intervals above them; read block by block.

Limits come from up to three methods: by formulas (`memwave.pca.diagnostics.monitoring`), by Box's
formula from the errors of the train rows, and as quantiles of the train rows. Quantiles are exact
(`memwave.core.quantiles`), so that a share ``1 - level`` of the train rows is above each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import h5py
import numpy as np

from memwave.core.moments import Moments
from memwave.core.quantiles import COPIES, Quantiles, quantile_bytes
from memwave.core.ranges import spans
from memwave.pca.model import Model, least_spe
from memwave.pca.projection import moments_of_errors

FORMULA, BOX, QUANTILE = "formula", "box", "quantile"

# Rows read at once.
BLOCK_ROWS = 65_536

# Number of levels that a configuration may have.
MOST_LEVELS = 8

# For each column of exceeded limits: the column that it compares.
ABOVE = {"above_t2": "hotelling_t2", "above_spe": "spe"}


@dataclass(frozen=True)
class Limits:
    """Limits by one method.

    Attributes
    ----------
    method : str
    levels : tuple of float
        Share of the rows below each limit, ascending.
    t2, spe : ndarray, shape (2, levels)
        Of train rows, and of other rows; nan where the method has none.
    """

    method: str
    levels: tuple[float, ...]
    t2: np.ndarray
    spe: np.ndarray

    def of(self, statistic: str) -> np.ndarray:
        """Limits of ``hotelling_t2`` or ``spe``."""
        return self.t2 if statistic == "hotelling_t2" else self.spe


@dataclass(frozen=True)
class Alarm:
    """Consecutive windows of a recording above a limit.

    Attributes
    ----------
    recording : int
        Index in ``recording_names``.
    statistic : {"hotelling_t2", "spe"}
    level : float
    start_row, stop_row : int
        First row of the first window, and the row after the last window.
    windows : int
    peak, limit : float
        Largest value, and the limit.
    """

    recording: int
    statistic: str
    level: float
    start_row: int
    stop_row: int
    windows: int
    peak: float
    limit: float


def found_limits(file: h5py.File, model: Model, levels: Sequence[float]) -> list[Limits]:
    """Limits by all methods that a projection and its model allow.

    Parameters
    ----------
    file : h5py.File
        A projection with all windows.
    model : Model
    levels : sequence of float
        Ascending, each between 0 and 1.

    Returns
    -------
    list of Limits
        By the formulas first. The others need train rows.
    """
    # Only here: Snakemake's own process, which reads projections, has no use for it.
    from memwave.pca.diagnostics.monitoring import model_limits, spe_limits

    known = tuple(levels)
    pairs = [model_limits(model, known, is_train=is_train) for is_train in (True, False)]
    t2, spe = (np.array(limits) for limits in zip(*pairs, strict=True))
    errors = Moments(1)
    for values in _train_values(file, "spe"):
        errors.update(values.astype(np.float64)[:, None])
    count = int(errors.count[0])
    if count < 2:
        return [Limits(FORMULA, known, t2, spe)]
    box = np.tile(spe_limits(moments_of_errors(errors).tolist(), known), (2, 1))
    quantiles = [_quantiles(file, name, count, known) for name in ("hotelling_t2", "spe")]
    box, quantiles[1] = (np.maximum(found, least_spe(model)) for found in (box, quantiles[1]))
    if model.residual_moments is None:
        spe = box
    return [
        Limits(FORMULA, known, t2, spe),
        Limits(BOX, known, np.full_like(t2, np.nan), box),
        Limits(QUANTILE, known, *(np.tile(found, (2, 1)) for found in quantiles)),
    ]


def choose(limits: Sequence[Limits], method: str, known: Limits | None = None) -> Limits:
    """The limits that rows are compared with.

    Parameters
    ----------
    limits : sequence of Limits
        See `found_limits`.
    method : {"quantile", "formula"}
        Without train rows there are no quantiles: then those of the model, `known`, are taken, or
        else the formulas.
    known : Limits, optional
        Quantiles of the rows that an applied model was fitted to.
    """
    by_method = {found.method: found for found in limits}
    if method == QUANTILE:
        return by_method.get(QUANTILE) or known or by_method[FORMULA]
    return by_method[method]


def exceeded(file: h5py.File, limits: Limits) -> Iterator[dict[str, np.ndarray]]:
    """Count, for each row, the limits that it is above; columns `ABOVE`, block by block."""
    for start, stop in spans(0, len(file["split"]), BLOCK_ROWS):
        splits = file["split"][start:stop]
        yield {
            name: (file[source][start:stop][:, None] > limits.of(source)[splits])
            .sum(axis=1)
            .astype("u1")
            for name, source in ABOVE.items()
        }


def shares_above(file: h5py.File, limits: Sequence[Limits]) -> list[dict[str, np.ndarray]]:
    """Share of the rows above each limit.

    Returns
    -------
    list of dict
        For each of `limits`: by statistic, shape (2, levels), of train rows and of other rows; nan
        where there are no such rows.
    """
    rows = np.zeros(2)
    counts = [{name: np.zeros(found.t2.shape) for name in ABOVE.values()} for found in limits]
    for start, stop in spans(0, len(file["split"]), BLOCK_ROWS):
        splits = file["split"][start:stop]
        rows += np.bincount(splits, minlength=2)[:2]
        for name in ABOVE.values():
            values = file[name][start:stop][:, None]
            for found, counted in zip(limits, counts, strict=True):
                above = values > found.of(name)[splits]
                for split in (0, 1):
                    counted[name][split] += above[splits == split].sum(axis=0)
    with np.errstate(invalid="ignore"):
        return [
            {name: above / rows[:, None] for name, above in counted.items()} for counted in counts
        ]


def alarms(file: h5py.File, limits: Limits) -> Iterator[Alarm]:
    """Yield the intervals above each limit: statistic by statistic, level by level, in time order.

    Windows belong to one interval if each follows the one before it in the same recording.
    """
    for name, statistic in ABOVE.items():
        for i, level in enumerate(limits.levels):
            waiting: _Run | None = None
            for run in _runs(file, name, i):
                if waiting is not None and run.continues:
                    waiting = waiting.joined(run)
                    continue
                if waiting is not None:
                    yield waiting.alarm(statistic, level, limits.of(statistic)[:, i])
                waiting = run
            if waiting is not None:
                yield waiting.alarm(statistic, level, limits.of(statistic)[:, i])


@dataclass(frozen=True)
class _Run:
    """Consecutive windows above a limit; in a block, and maybe the rest of a run before it."""

    continues: bool
    recording: int
    split: int
    start_row: int
    stop_row: int
    windows: int
    peak: float

    def joined(self, other: "_Run") -> "_Run":
        return replace(
            self,
            stop_row=other.stop_row,
            windows=self.windows + other.windows,
            peak=max(self.peak, other.peak),
        )

    def alarm(self, statistic: str, level: float, limits: np.ndarray) -> Alarm:
        place = self.recording, statistic, level, self.start_row, self.stop_row
        return Alarm(*place, self.windows, self.peak, float(limits[self.split]))


def _runs(file: h5py.File, name: str, index: int) -> Iterator[_Run]:
    """Runs of windows above limit `index`, block by block."""
    window, step = int(file.attrs["window"]), int(file.attrs["step"])
    before: tuple[bool, int, int] = False, -1, 0
    for start, stop in spans(0, len(file["split"]), BLOCK_ROWS):
        above = file[name][start:stop] > index
        recordings, rows = file["recording"][start:stop], file["start_row"][start:stop]
        follows = np.append(before[1], recordings[:-1]) == recordings
        follows &= np.append(before[2], rows[:-1]) + step == rows
        continues = above & follows & np.append(before[0], above[:-1])
        before = bool(above[-1]), int(recordings[-1]), int(rows[-1])
        first = above & ~continues
        first[0] = above[0]  # a run that continues the block before is joined to it later
        ends = above & ~np.append(continues[1:], False)
        starts, stops = np.flatnonzero(first), np.flatnonzero(ends)
        if not len(starts):
            continue
        values = np.where(above, file[ABOVE[name]][start:stop], -np.inf)
        peaks, splits = np.maximum.reduceat(values, starts), file["split"][start:stop]
        for low, high, peak in zip(starts.tolist(), stops.tolist(), peaks.tolist(), strict=True):
            yield _Run(
                bool(continues[low]),
                int(recordings[low]),
                int(splits[low]),
                int(rows[low]),
                int(rows[high]) + window,
                high - low + 1,
                peak,
            )


def monitoring_bytes(levels: int = MOST_LEVELS) -> int:
    """Memory of reading blocks and of counting quantiles."""
    return BLOCK_ROWS * (8 * COPIES + 64 + 10 * levels) + quantile_bytes(levels)


def _quantiles(file: h5py.File, statistic: str, count: int, levels: Sequence[float]) -> np.ndarray:
    found = Quantiles(count, levels, file[statistic].dtype.name)
    while found.needs_pass:
        for values in _train_values(file, statistic):
            found.update(values)
        found.end_pass()
    return found.values()


def _train_values(file: h5py.File, statistic: str) -> Iterator[np.ndarray]:
    for start, stop in spans(0, len(file["split"]), BLOCK_ROWS):
        chosen = file["split"][start:stop] == 0
        if chosen.any():
            yield file[statistic][start:stop][chosen]
