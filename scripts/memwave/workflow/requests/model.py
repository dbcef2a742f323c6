"""Requests of the jobs that summarize shards, and that fit models."""

from dataclasses import dataclass

from memwave.core.ranges import Range
from memwave.features.columns import MatrixShard
from memwave.features.spec import FeatureSpec
from memwave.recordings.segments import Segment


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
    train_ranges: tuple[Range, ...]
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
        The same rows as windows of recordings, if the fit reads recordings; else empty.
    block_rows : int
        Rows loaded at once by each thread.
    dtype : {"float32", "float64"}
        Type that is computed in.
    provenance : dict
        Stored with the model.
    rows : tuple of MatrixShard
        The shards, where they are no files and the fit reads them.
    """

    spec: FeatureSpec
    model: dict
    train_ranges: tuple[tuple[Range, ...], ...]
    segments: tuple[tuple[Segment, ...], ...]
    block_rows: int
    dtype: str
    provenance: dict
    rows: tuple[MatrixShard, ...] = ()
