"""Requests of the jobs that find gaps, and that extract and measure features."""

from dataclasses import dataclass

from memwave.core.ranges import Range
from memwave.features.columns import MatrixShard
from memwave.features.spec import FeatureSpec
from memwave.recordings.segments import Segment


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

    train_ranges: tuple[Range, ...]
    block_rows: int
    rows: MatrixShard | None = None
