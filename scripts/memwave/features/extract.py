"""Extraction of features from recordings, block by block; every stage uses this pipeline."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np

from memwave.core.ranges import spans
from memwave.features.checks import check_digits, check_features
from memwave.features.sliding import FeatureBlocks
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import open_prepared
from memwave.recordings.segments import Segment

OutputBuffer = Callable[[int], AbstractContextManager[np.ndarray]]


def feature_blocks(
    spec: FeatureSpec,
    segments: Sequence[Segment],
    block_rows: int,
    scaling: Scaling | None,
    output: OutputBuffer,
) -> Iterator[np.ndarray]:
    """Compute features in the stored type, block by block.

    Parameters
    ----------
    spec : FeatureSpec
    segments : sequence of Segment
        The windows to compute.
    block_rows : int
        Windows computed at once.
    scaling : Scaling, optional
        Scaling of the channels.
    output : callable
        ``with output(n)`` returns the output buffer for the features of the next n windows, shape
        (n, n_features), in the dtype of stored features.

    Yields
    ------
    ndarray
        The filled output buffer. A block has windows of one segment only.

    Raises
    ------
    MemwaveError
        If a recording differs from the plan, has a value that is not finite, or has features that
        overflow the dtype. The message names recording, row and channel.
    """
    for segment in segments:
        blocks = FeatureBlocks(spec)
        with open_prepared(segment.recording, spec.channels, scaling) as recording:
            for low, high in spans(0, segment.count, block_rows):
                first, count = segment.first + low, high - low
                rows = recording.read_windows(spec.windows, first, count)
                with output(count) as block:
                    if not blocks.fill(rows, block):
                        check_features(block, first, segment.recording, spec)
                yield block
                del block  # a memory-mapped buffer releases its pages
        check_digits(blocks, segment.recording)
