"""Requests of the jobs that project shards, and that write projections."""

from dataclasses import dataclass

from memwave.core.ranges import Range
from memwave.features.columns import MatrixShard, RowSources
from memwave.features.spec import FeatureSpec
from memwave.recordings.segments import LabelledRecording, Segment


@dataclass(frozen=True)
class Projection:
    """Of `project_features` and `project_recordings`, and of `write_projection` for each shard.

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
    train_ranges: tuple[Range, ...]
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
    projections : tuple of Projection
        How each shard is projected, unless other jobs do that.
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
    projections: tuple[Projection, ...] = ()
