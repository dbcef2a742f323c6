"""Scores of windows computed from recordings, without stored features."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Protocol

import numpy as np

from memwave.features.extract import feature_blocks
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import chunks_of, windows_of
from memwave.pca.lags.signal_scores import SignalScores
from memwave.pca.model import Model
from memwave.pca.projection import Projector
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import open_prepared
from memwave.recordings.segments import Segment

ScoresAndErrors = tuple[np.ndarray, np.ndarray]


class ScoreSource(Protocol):
    """Computes scores and reconstruction errors of windows of a recording."""

    def project(self, segment: Segment, *, is_train: bool) -> Iterator[ScoresAndErrors]:
        """Yield scores and errors, block by block; `is_train` says whether these are train rows."""


class SignalScoring:
    """Computes scores by correlation of the components with the signal, chunk by chunk."""

    def __init__(
        self, spec: FeatureSpec, scaling: Scaling | None, model: Model, projector: Projector
    ):
        self._spec, self._scaling, self._projector = spec, scaling, projector
        self._signal = SignalScores(spec, model)

    def project(self, segment: Segment, *, is_train: bool) -> Iterator[ScoresAndErrors]:
        first = segment.first * self._spec.step
        with open_prepared(segment.recording, self._spec.channels, self._scaling) as recording:
            for low, high in chunks_of(windows_of(self._spec), segment.count):
                rows = recording.read(first + low, first + high)
                scores, distances = self._signal.project(rows)
                yield scores, self._projector.take_in(scores, distances, is_train=is_train)


class FeatureScoring:
    """Computes scores from features, block by block. Features are rounded to the stored type.

    Memory is that of one block in the stored type and one in the type of the computation.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        scaling: Scaling | None,
        projector: Projector,
        block_rows: int,
        dtype: str,
    ):
        self._spec, self._scaling, self._projector = spec, scaling, projector
        self._stored = np.empty((block_rows, spec.n_features), spec.dtype)
        self._loaded = np.empty((block_rows, spec.n_features), dtype)

    def project(self, segment: Segment, *, is_train: bool) -> Iterator[ScoresAndErrors]:
        stored, projector = self._stored, self._projector
        for block in feature_blocks(
            self._spec, [segment], len(stored), self._scaling, lambda n: nullcontext(stored[:n])
        ):
            loaded = self._loaded[: len(block)]
            projector.load(block, projector.shift, loaded)
            yield projector.project(loaded, is_train=is_train)
