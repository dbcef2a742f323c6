"""Requests of jobs: one frozen dataclass for each stage, without the paths of its files.

A request follows from the plan alone. Equal requests on equal inputs make equal bytes.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from memwave.core.ranges import Range
from memwave.features.columns import MatrixShard, RowSources
from memwave.features.spec import FeatureSpec
from memwave.readers import DEFAULTS, Options, load_libraries
from memwave.recordings.segments import LabelledRecording, PlannedRecording, Segment
from memwave.storage.rows import Rows
from memwave.storage.shards import Shard
from memwave.workflow import paths

Ranges = tuple[Range, ...]


@dataclass(frozen=True)
class RecordingConversion:
    """Of a recording that is converted since it is not read by slices, and its channels.

    A part of a matrix has none: all its columns are converted.
    """

    recording: PlannedRecording
    channels: tuple[str, ...]


@dataclass(frozen=True)
class LabelConversion:
    """Of labels that are converted.

    Attributes
    ----------
    path : str
        Of the labels, as in the sheet.
    rows : int
        Of the recording.
    sampling_rate : float or None
        Rows a second.
    options : Options
        How they are read.
    """

    path: str
    rows: int
    sampling_rate: float | None
    options: Options = DEFAULTS


@dataclass(frozen=True)
class Conversion:
    """Of `convert_recordings` and `convert_labels`, for each file of the batch.

    Attributes
    ----------
    request : RecordingConversion or LabelConversion
    files : tuple of str
        To write; the first has the rows.
    """

    request: Any
    files: tuple[str, ...]

    @property
    def path(self) -> str:
        """The file with the rows."""
        return self.files[0]


@dataclass(frozen=True)
class ChannelMeasurement:
    """Of `measure_channels`.

    Attributes
    ----------
    recordings : tuple of PlannedRecording
        Those of split train.
    channels : tuple of str
    block_rows : int
        Rows read at once.
    """

    recordings: tuple[PlannedRecording, ...]
    channels: tuple[str, ...]
    block_rows: int


@dataclass(frozen=True)
class GapSearch:
    """Of `find_gaps`.

    Attributes
    ----------
    spec : FeatureSpec
    segments : tuple of Segment
        Windows of the shard, as planned.
    block_rows : int
        Rows of recordings read at once.
    max_ranges : int
        Ranges of valid windows that a shard may have.
    rows : MatrixShard, optional
        The shard, where it is rows of a matrix.
    """

    spec: FeatureSpec
    segments: tuple[Segment, ...]
    block_rows: int
    max_ranges: int
    rows: MatrixShard | None = None


@dataclass(frozen=True)
class Extraction:
    """Of `extract_features`.

    Attributes
    ----------
    spec : FeatureSpec
    segments : tuple of Segment
        Windows of the shard, as planned.
    block_rows : int
        Windows computed at once.
    """

    spec: FeatureSpec
    segments: tuple[Segment, ...]
    block_rows: int


@dataclass(frozen=True)
class FeatureMeasurement:
    """Of `measure_features`.

    Attributes
    ----------
    train_ranges : tuple of (start, stop)
        Rows of the shard, as planned, that PCA is fitted on.
    block_rows : int
        Rows loaded at once.
    rows : MatrixShard, optional
        The shard, where it is no file.
    """

    train_ranges: Ranges
    block_rows: int
    rows: MatrixShard | None = None


@dataclass(frozen=True)
class FeatureSummary:
    """Of `summarize_features`.

    Attributes
    ----------
    model : dict
        Complete entry of ``models`` in the configuration.
    train_ranges : tuple of (start, stop)
        Rows of the shard, as planned, that PCA is fitted on.
    block_rows : int
        Rows loaded at once.
    dtype : {"float32", "float64"}
        Type that is computed in.
    rows : MatrixShard, optional
        The shard, where it is no file.
    """

    model: dict
    train_ranges: Ranges
    block_rows: int
    dtype: str
    rows: MatrixShard | None = None


@dataclass(frozen=True)
class LagSummary:
    """Of `summarize_lags`: the windows of the shard that PCA is fitted on, as planned."""

    spec: FeatureSpec
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Fit:
    """Of `fit_model`.

    Attributes
    ----------
    spec : FeatureSpec
    model : dict
        Complete entry of ``models`` in the configuration.
    train_ranges : tuple of tuple of (start, stop)
        Rows of every shard, as planned, that PCA is fitted on.
    segments : tuple of tuple of Segment
        The same rows as windows of recordings, if the solver reads recordings; else empty.
    block_rows : int
        Rows loaded at once by each thread.
    dtype : {"float32", "float64"}
        Type that is computed in.
    provenance : dict
        Stored with the model.
    rows : tuple of MatrixShard
        The shards, where they are no files and the solver reads them several times.
    """

    spec: FeatureSpec
    model: dict
    train_ranges: tuple[Ranges, ...]
    segments: tuple[tuple[Segment, ...], ...]
    block_rows: int
    dtype: str
    provenance: dict
    rows: tuple[MatrixShard, ...] = ()


@dataclass(frozen=True)
class Projection:
    """Of `project_features` and `project_recordings`.

    Attributes
    ----------
    spec : FeatureSpec
    segments : tuple of Segment
        Windows of the shard, as planned; not needed where features are stored.
    train_ranges : tuple of (start, stop)
        Rows of the shard, as planned, that PCA was fitted on.
    first_row, n_windows : int
        Where the shard was planned to begin among all windows, and how many there are. Chunks of
        the file lie accordingly; nothing else depends on it.
    block_rows : int
        Windows projected at once.
    dtype, score_dtype : {"float32", "float64"}
        Type that is computed in, and type that scores are stored in.
    rows : MatrixShard, optional
        The shard, where it is no file.
    """

    spec: FeatureSpec
    segments: tuple[Segment, ...]
    train_ranges: Ranges
    first_row: int
    n_windows: int
    block_rows: int
    dtype: str
    score_dtype: str
    rows: MatrixShard | None = None


@dataclass(frozen=True)
class Assembly:
    """Of `write_projection`.

    Attributes
    ----------
    spec : FeatureSpec
    recordings : tuple of LabelledRecording
        In sheet order.
    window_label : {"last", "centre", "majority"}
        Which label a window has.
    score_dtype : {"float32", "float64"}
    provenance : dict
        Stored with the projection.
    inputs : dict of str to str
        Versions of recordings and labels, by their paths in the sheet.
    levels : tuple of float
        Levels of the limits, ascending.
    limit_method : {"quantile", "formula"}
    rates : tuple of float or None
        Rows a second of each recording.
    sources : RowSources
        Where the features of the highest windows are read from.
    readers : tuple of str
        Receipts of the jobs that read them.
    first_rows : tuple of int
        Row of the feature matrix, as planned, that each shard begins with.
    """

    spec: FeatureSpec
    recordings: tuple[LabelledRecording, ...]
    window_label: str
    score_dtype: str
    provenance: dict
    inputs: dict[str, str]
    levels: tuple[float, ...]
    limit_method: str
    rates: tuple[float | None, ...]
    sources: RowSources
    readers: tuple[str, ...] = ()
    first_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class SummarizedExperiment:
    """One row of the summary: names, and bytes that a window takes on the disk."""

    dataset: str
    features: str
    model: str
    row_bytes: int

    @property
    def model_file(self) -> str:
        return self._path(paths.MODEL)

    @property
    def projection_file(self) -> str:
        return self._path(paths.PROJECTION)

    @property
    def folders(self) -> tuple[str, ...]:
        """Where its results are: of its dataset, its feature set, its model."""
        return tuple(map(self._path, (paths.DATASET, paths.FEATURE_SET, paths.EXPERIMENT)))

    def _path(self, pattern: str) -> str:
        return pattern.format(dataset=self.dataset, features=self.features, model=self.model)


@dataclass(frozen=True)
class FigureFacts:
    """Facts on a dataset for a figure that are not in its result files.

    Attributes
    ----------
    spec : FeatureSpec
    sampling_rate : float or None
        Rows a second.
    units : dict of str to str
        Units of the channels, by name.
    label_names : dict of int to str
    """

    spec: FeatureSpec
    sampling_rate: float | None
    units: dict[str, str]
    label_names: dict[int, str]


@dataclass(frozen=True)
class Exploration:
    """Of `plot_explore`: facts as for figures, and where the features of windows are read from."""

    facts: FigureFacts
    sources: RowSources


def recordings_of(
    request: GapSearch | Extraction | LagSummary | Fit | Projection,
) -> list[PlannedRecording]:
    """The recordings that a job reads."""
    shards = request.segments if isinstance(request, Fit) else (request.segments,)
    return [segment.recording for shard in shards for segment in shard]


def open_shard(
    path: str | None, rows: MatrixShard | None, valid: Sequence[Range] | None = None
) -> AbstractContextManager[Rows]:
    """Open the rows of a shard: a file of features, or the valid ones of a range of a matrix."""
    if rows is not None:
        return rows.open(valid)
    assert path is not None
    return Shard(path)


def load_matrix_readers(shards: Iterable[MatrixShard | None]) -> None:
    """Import the libraries that read matrices, before memory is limited."""
    for shard in shards:
        if shard is not None:
            load_libraries(segment.recording.path for segment in shard.segments)
