"""What the page shows of a projection, bounded in size whatever the number of windows.

All windows are in the envelopes: the smallest and the largest value in each of a fixed number of
bins of a recording. The page merges bins into coarser ones when it shows a long stretch (a min-max
pyramid). Single windows are a sample: windows at equal distances, and those of largest SPE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import h5py
import numpy as np

from memwave.core.ranges import spans
from memwave.features.columns import MatrixSpec
from memwave.features.overlap_add import windows_of
from memwave.features.spec import FeatureSpec
from memwave.pca.model import Model
from memwave.pca.projection import features_of
from memwave.recordings.channels import Scaling
from memwave.results.figures.classes import Classes
from memwave.results.figures.rows import BLOCK_ROWS, count_windows, survey
from memwave.results.monitoring.highest import Reading
from memwave.results.monitoring.single_rows import Places, single_row_bytes
from memwave.storage import hdf5

# Components, recordings, bins of all recordings together, and windows of the sample; of these, how
# many come with their reconstruction, and values of a signal of a window.
COMPONENTS, RECORDINGS, BINS, SAMPLE = 6, 40, 60_000, 3_000
SIGNALS, VALUES, CHANNELS = 600, 120, 6

STATISTICS = ("hotelling_t2", "spe")


@dataclass
class Envelope:
    """Ranges of series along a recording.

    Attributes
    ----------
    name : str
    time : ndarray, shape (bins + 1,)
        Of the edges of the bins: seconds, or rows.
    low, high : ndarray, shape (bins, series), float32
        nan in bins without windows.
    """

    name: str
    time: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass
class Content:
    """Everything the page shows.

    Attributes
    ----------
    series : tuple of str
        Names of the series of the envelopes and of the columns of `values`.
    envelopes : list of Envelope
    n_recordings, n_windows : int
        Of the projection; the envelopes may be of fewer.
    time_unit : str
    limits : dict of str to list of (float, float)
        Level and limit by statistic.
    classes : Classes
    rows, recording, klass, time : ndarray, shape (sample,)
        Row in the projection, index of the envelope, class, and time of each window of the sample.
    values : ndarray, shape (sample, series), float32
    signals : dict of int to ndarray, shape (2, n_channels, VALUES or fewer)
        Windows and their reconstructions, by index in the sample.
    channels : tuple of str
        Those whose signals are in the page.
    n_channels : int
        Of a window.
    signal_x : list of float
        Positions of the values of a signal.
    signal_axis : str
    item, group : str
        What a row of the projection is, and what it is a part of.
    """

    series: tuple[str, ...]
    envelopes: list[Envelope]
    n_recordings: int
    n_windows: int
    time_unit: str
    limits: dict[str, list[tuple[float, float]]]
    classes: Classes
    rows: np.ndarray
    recording: np.ndarray
    klass: np.ndarray
    time: np.ndarray
    values: np.ndarray
    signals: dict[int, np.ndarray] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    n_channels: int = 0
    signal_x: list[float] = field(default_factory=list)
    signal_axis: str = "row of the window"
    item: str = "window"
    group: str = "recording"


def content_of(
    file: h5py.File, rate: float | None, label_names: Mapping[int | str, str]
) -> Content:
    """Read a projection once for its envelopes, and once for its sample.

    Parameters
    ----------
    file : h5py.File
        A projection.
    rate : float or None
        Rows a second.
    label_names : mapping
        Names of labels.
    """
    found = survey(file, label_names)
    shown = found.recordings[:RECORDINGS]
    k = min(COMPONENTS, file["scores"].shape[1])
    series = (*(f"score {i + 1}" for i in range(k)), *STATISTICS)
    window, step = int(file.attrs["window"]), int(file.attrs["step"])
    bins = max(1, BINS // len(shown))
    envelopes, sampled = [], []
    for name, start, stop in shown:
        envelope, rows = _read_recording(file, start, stop, k, bins, max(1, SAMPLE // len(shown)))
        edges = envelope.time * step + window - 1
        envelopes.append(Envelope(name, edges / (rate or 1.0), envelope.low, envelope.high))
        sampled.append(rows)
    rows = np.concatenate(sampled)
    with hdf5.reading(file.filename):
        values = _at(file, rows, k)
        times = (_pick(file["start_row"], rows) + window - 1) / (rate or 1.0)
        klass = found.classes.of(_pick(file[found.classes.column], rows))
        limits = {
            name: list(zip(file["limit_level"][()].tolist(), limit.tolist(), strict=True))
            for name, limit in (
                ("hotelling_t2", file["t2_limit"][1]),
                ("spe", file["spe_limit"][1]),
            )
        }
    return Content(
        series,
        envelopes,
        len(found.recordings),
        len(file["scores"]),
        "time (s)" if rate else "row",
        limits,
        found.classes,
        rows,
        np.repeat(np.arange(len(shown)), [len(part) for part in sampled]),
        klass,
        times,
        values,
    )


def _read_recording(
    file: h5py.File, start: int, stop: int, k: int, bins: int, sample: int
) -> tuple[Envelope, np.ndarray]:
    """Ranges of a recording, with window numbers as time, and rows of its sample."""
    n_windows = count_windows(file, stop)
    bins = min(bins, n_windows)
    low = np.full((bins, k + 2), np.inf, np.float32)
    high = -low
    largest = max(1, sample // 10)
    best_rows, best = np.zeros(0, np.int64), np.zeros(0)
    step = int(file.attrs["step"])
    for first, last in spans(start, stop, BLOCK_ROWS):
        with hdf5.reading(file.filename):
            numbers = file["start_row"][first:last] // step
            values = _block(file, first, last, k)
        places = numbers * bins // n_windows
        bins_here, starts = np.unique(places, return_index=True)  # ascending: as windows are
        low[bins_here] = np.minimum(low[bins_here], np.minimum.reduceat(values, starts))
        high[bins_here] = np.maximum(high[bins_here], np.maximum.reduceat(values, starts))
        spe = np.append(best, values[:, -1])
        rows = np.append(best_rows, np.arange(first, last))
        keep = np.sort(np.argsort(-spe, kind="stable")[:largest])
        best_rows, best = rows[keep], spe[keep]
    even = start + np.arange(min(sample, stop - start)) * (stop - start) // min(
        sample, stop - start
    )
    edges = -(-np.arange(bins + 1) * n_windows // bins)
    missing = ~np.isfinite(low) | ~np.isfinite(high)
    low[missing], high[missing] = np.nan, np.nan
    return Envelope("", edges, low, high), np.unique(np.concatenate([even, best_rows]))


def _block(file: h5py.File, start: int, stop: int, k: int) -> np.ndarray:
    """Series of consecutive rows, shape (n, series), float32."""
    columns = [file[name][start:stop] for name in STATISTICS]
    scores = file["scores"][start:stop, :k]
    return np.column_stack([scores, *columns]).astype(np.float32)


def _at(file: h5py.File, rows: np.ndarray, k: int) -> np.ndarray:
    """Series of some rows, ascending."""
    columns = [_pick(file[name], rows) for name in STATISTICS]
    return np.column_stack([_pick(file["scores"], rows)[:, :k], *columns]).astype(np.float32)


def _pick(dataset: h5py.Dataset, rows: np.ndarray) -> np.ndarray:
    """Rows of a dataset, read block by block."""
    parts = []
    for start, stop in spans(0, len(dataset), BLOCK_ROWS):
        inside = rows[(rows >= start) & (rows < stop)]
        if len(inside):
            parts.append(dataset[start:stop][inside - start])
    return np.concatenate(parts)


def add_signals(
    content: Content,
    file: h5py.File,
    model: Model,
    spec: FeatureSpec | MatrixSpec,
    scaling: Scaling | None,
    read: Reading,
) -> None:
    """Add the signals of some windows, and their reconstructions.

    Parameters
    ----------
    content : Content
    file : h5py.File
        The projection.
    model : Model
    spec : FeatureSpec or MatrixSpec
    scaling : Scaling or None
        Of the channels.
    read : callable
        Yields the features of windows, one window at a time.
    """
    chosen = _with_signals(content)
    content.channels, content.n_channels = _channels(spec), spec.n_channels
    if isinstance(spec, MatrixSpec):
        content.signal_axis, content.item, content.group = "column", "row", "part"
    every = -(-_signal_length(spec) // VALUES)
    content.signal_x = [float(x) for x in range(0, _signal_length(spec), every)]
    if every > 1:
        content.signal_axis += f" (one in {every} is drawn)"
    rows = content.rows[chosen]
    places = Places(rows, _pick(file["recording"], rows), _pick(file["start_row"], rows))
    scores = _pick(file["scores"], rows)
    for i, score, features in zip(chosen.tolist(), scores, read(places), strict=True):
        both = np.stack([features, features_of(model, score[None])[0]])
        if isinstance(spec, MatrixSpec):
            signals = both[:, None, :]
        else:
            signals = windows_of(spec, both, scaling).transpose(0, 2, 1)[:, :CHANNELS]
        content.signals[i] = signals[:, :, ::every].astype(np.float32)


def _with_signals(content: Content) -> np.ndarray:
    """Windows of the sample that get a signal: of each recording, those of largest SPE and some."""
    share = max(2, SIGNALS // len(content.envelopes)) // 2
    chosen = []
    for i in range(len(content.envelopes)):
        own = np.flatnonzero(content.recording == i)
        by_spe = own[np.argsort(-content.values[own, -1], kind="stable")[:share]]
        even = own[np.arange(min(share, len(own))) * len(own) // max(1, min(share, len(own)))]
        chosen += [by_spe, even]
    return np.unique(np.concatenate(chosen))


def _channels(spec: FeatureSpec | MatrixSpec) -> tuple[str, ...]:
    return ("row",) if isinstance(spec, MatrixSpec) else tuple(spec.channels[:CHANNELS])


def _signal_length(spec: FeatureSpec | MatrixSpec) -> int:
    return spec.n_features if isinstance(spec, MatrixSpec) else spec.window


def page_bytes(spec: FeatureSpec | MatrixSpec, n_components: int) -> int:
    """Upper bound of the size of the data in a page: base64, four bytes for three."""
    series = min(COMPONENTS, n_components) + len(STATISTICS)
    envelopes = BINS * (2 * 4 * series + 16)
    sample = 2 * SAMPLE * (4 * series + 28)
    return 4 * (envelopes + sample + _signals_bytes(spec)) // 3


def _signals_bytes(spec: FeatureSpec | MatrixSpec) -> int:
    return 2 * 4 * SIGNALS * len(_channels(spec)) * min(VALUES, _signal_length(spec))


def content_bytes(spec: FeatureSpec | MatrixSpec, n_components: int) -> int:
    """Memory of the content."""
    series = min(COMPONENTS, n_components) + len(STATISTICS)
    envelopes = BINS * (2 * 4 * series + 8)
    sample = 2 * SAMPLE * (4 * series + 64)
    return envelopes + sample + 2 * _signals_bytes(spec)


def reading_bytes(spec: FeatureSpec | MatrixSpec, n_components: int) -> int:
    """Memory of what is read while the content is made: a block of a projection, or a window."""
    block = BLOCK_ROWS * (8 * (n_components + COMPONENTS + len(STATISTICS)) + 200)
    window = 2 * 12 * 8 * (spec.n_features + spec.window * spec.n_channels)
    return block + window + 16 * SIGNALS * n_components + single_row_bytes(spec)
