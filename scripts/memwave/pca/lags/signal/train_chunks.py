"""The rows that the windows of a fit cover, chunk by chunk, as often as a solver needs them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from memwave.core.ranges import spans
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import open_prepared
from memwave.recordings.segments import Segment


class TrainChunks:
    """Reads prepared recordings, segment after segment.

    Parameters
    ----------
    spec : FeatureSpec
    segments : sequence of Segment
        The windows that PCA is fitted on, in the order of the shards.
    scaling : Scaling or None
        Scaling of the channels; None leaves them unscaled.
    progress : callable
        Called with the number of windows of each chunk.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        segments: Sequence[Segment],
        scaling: Scaling | None,
        progress: Callable[[int], None] = lambda windows: None,
    ):
        self._spec, self._segments = spec, segments
        self._scaling, self._progress = scaling, progress

    def __call__(self, size: int) -> Iterator[np.ndarray]:
        """Read all rows once, in chunks that at most `size` windows cover.

        Yields
        ------
        ndarray, shape (m, n_channels)

        Raises
        ------
        MemwaveError
            If a recording differs from the plan, or has a value that is not finite.
        """
        windows, channels = self._spec.windows, self._spec.channels
        for segment in self._segments:
            with open_prepared(segment.recording, channels, self._scaling) as recording:
                for low, high in spans(segment.first, segment.first + segment.count, size):
                    yield recording.read(*windows.rows(low, high - low))
                    self._progress(high - low)
