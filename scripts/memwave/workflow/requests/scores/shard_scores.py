"""How jobs project the shards that are named in their requests."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.progress import Progress
from memwave.core.ranges import Ranges
from memwave.pca.lags.recording_scores import FeatureScoring, ScoreSource, SignalScoring
from memwave.pca.lags.signal_scores import has_signal_scores
from memwave.pca.model import Model
from memwave.pca.projection import Projector
from memwave.pca.streaming import blocks
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import Segment, count_windows, recordings_of
from memwave.recordings.valid_windows import valid_ranges, valid_rows, valid_segments
from memwave.results.extraction import load_scaling
from memwave.results.partial_projection import create_partial
from memwave.storage.rows import Rows
from memwave.workflow.requests.projection import Projection
from memwave.workflow.requests.shards import load_matrix_readers, open_shard

# Scores, shape (n, k), reconstruction errors and T2, shape (n,) each, of n rows.
Scored = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass
class ShardScores:
    """The scores of a shard, which are computed while they are iterated over.

    Attributes
    ----------
    projector : Projector
        Its sums are those of all rows after the last block.
    n_rows : int
    blocks : iterator of (scores, errors, T2)
        Of all rows, in order.
    """

    projector: Projector
    n_rows: int
    blocks: Iterator[Scored]


def open_scores(
    request: Projection,
    model: Model,
    label: str,
    *,
    shard: str | None = None,
    channels: str | None = None,
    valid: str | None = None,
) -> AbstractContextManager[ShardScores]:
    """Open a shard, to project it: its features or, if they are not stored, its recordings.

    Parameters
    ----------
    request : Projection
    model : Model
    label : str
        What is done, for the progress.
    shard : path, optional
        Features, .npy, if they are stored and not the rows of a matrix.
    channels : path, optional
        Output of `measure_channels`, or a model, if features are not stored and the channels are
        scaled.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.

    Raises
    ------
    MemwaveError
        If the shard has other features than the model. While the scores are computed: if a
        recording differs from the plan or has a value that is not finite, or if a feature
        overflows the dtype; the message names recording, row and channel.
    """
    if request.spec.store:
        return _from_features(request, model, label, shard, valid)
    return _from_recordings(request, model, label, channels, valid)


def write_partial(path: str, request: Projection, scores: ShardScores) -> None:
    """Write the scores of one shard of several, and the sums that measure the model."""
    place = (scores.n_rows, request.first_row, request.n_windows)
    with create_partial(path, scores.projector, *place, request.score_dtype) as writer:
        for block in scores.blocks:
            writer.append(*block)


def load_projecting(request: Projection) -> None:
    """Import the libraries that a shard is read with, before memory is limited."""
    load_matrix_readers([request.rows])
    load_reading(recordings_of(request.segments))


@contextmanager
def _from_features(
    request: Projection, model: Model, label: str, shard: str | None, valid: str | None
) -> Iterator[ShardScores]:
    ranges = valid_ranges(request.train_ranges, valid)
    projector = Projector(model, request.dtype)
    with open_shard(shard, request.rows, valid_rows(valid)) as features:
        if features.shape[1] != model.n_features:
            raise MemwaveError(
                f"{features.path}: has {features.shape[1]} features a row, expected "
                f"{model.n_features} as the model has. Delete it and run again, if it is a result."
            )
        n_rows = features.shape[0]
        progress = Progress(n_rows, label)
        scored = _project_rows(request, projector, features, ranges)
        yield ShardScores(projector, n_rows, _finished(projector, scored, progress))


def _project_rows(
    request: Projection, projector: Projector, features: Rows, ranges: Ranges
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    load, shift = projector.load, projector.shift
    for start, stop, is_train in split_ranges(features.shape[0], ranges):
        rows = iter([(start, stop)])
        for block in blocks(features, rows, shift, request.dtype, request.block_rows, load):
            yield projector.project(block, is_train=is_train)


@contextmanager
def _from_recordings(
    request: Projection, model: Model, label: str, channels: str | None, valid: str | None
) -> Iterator[ShardScores]:
    spec, projector = request.spec, Projector(model, request.dtype)
    scaling = load_scaling(spec.scale, channels, spec.channels)
    segments = valid_segments(request.segments, valid)
    ranges = valid_ranges(request.train_ranges, valid)
    if has_signal_scores(spec, model):
        source: ScoreSource = SignalScoring(spec, scaling, model, projector)
    else:
        source = FeatureScoring(spec, scaling, projector, request.block_rows, request.dtype)
    n_rows = count_windows(segments)
    progress = Progress(n_rows, label)
    scored = _project_segments(source, segments, ranges)
    yield ShardScores(projector, n_rows, _finished(projector, scored, progress))


def _project_segments(
    source: ScoreSource, segments: tuple[Segment, ...], ranges: Ranges
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    row = 0
    for segment in segments:
        is_train = any(start <= row < stop for start, stop in ranges)
        yield from source.project(segment, is_train=is_train)
        row += segment.count


def _finished(
    projector: Projector, scored: Iterator[tuple[np.ndarray, np.ndarray]], progress: Progress
) -> Iterator[Scored]:
    """Add T2 to scores and errors, and report the progress."""
    for scores, errors in scored:
        yield scores, errors, projector.hotelling_t2(scores)
        progress.add(len(scores))
    progress.close()


def split_ranges(n_rows: int, train_ranges: Ranges) -> Iterator[tuple[int, int, bool]]:
    """Divide all rows at the borders of the train ranges; yield (start, stop, is_train)."""
    done = 0
    for start, stop in train_ranges:
        if done < start:
            yield done, start, False
        yield start, stop, True
        done = stop
    if done < n_rows:
        yield done, n_rows, False
