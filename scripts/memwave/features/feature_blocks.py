"""From recordings to blocks of features."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np

from memwave.core.ranges import spans
from memwave.features.extraction import check_digits, check_features
from memwave.features.sliding import FeatureBlocks
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import Scaling
from memwave.recordings.prepared import open_prepared


def feature_blocks(
    spec: FeatureSpec,
    windows: list[dict],
    block_rows: int,
    scaling: Scaling | None,
    room: Callable[[int], AbstractContextManager[np.ndarray]],
) -> Iterator[np.ndarray]:
    """Compute features, as they are stored, block by block.

    Parameters
    ----------
    spec : FeatureSpec
    windows : list of dict
        What is wanted, recording after recording: name, path, dtype, rows, first window, count.
    block_rows : int
        Windows computed at once.
    scaling : Scaling, optional
        Of the channels.
    room : callable
        ``with room(n)`` gives the array to fill with the features of the next n windows, shape
        (n, n_features), in the dtype of stored features.

    Yields
    ------
    ndarray
        What `room` gave, filled; no block has windows of two pieces.

    Raises
    ------
    MemwaveError
        If a recording is not what was planned, has a value that is not finite, or features that
        the dtype cannot hold; names recording, row and channel.
    """
    for piece in windows:
        blocks = FeatureBlocks(spec)
        with open_prepared(piece, spec, scaling) as recording:
            for low, high in spans(0, piece["count"], block_rows):
                first, count = piece["first"] + low, high - low
                start, stop = blocks.stretch(first, count)
                rows = recording.read(start, stop)
                with room(count) as block:
                    if not blocks.fill(rows, block):
                        check_features(block, first, piece, spec)
                yield block
                del block  # if it is a map, its pages go with it
        check_digits(blocks, piece)
