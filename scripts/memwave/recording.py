"""A recording as its features are computed of it: gaps filled, values checked, channels scaled."""

from collections.abc import Iterator
from contextlib import contextmanager

from memwave.channels import Scaling
from memwave.extraction import check_rows, require_shape
from memwave.gaps import filled, margin_rows
from memwave.readers import ArraySource, open_array
from memwave.wavelets import FeatureSpec

import numpy as np


class PreparedRecording:
    """Reads rows of a recording, prepared.

    Parameters
    ----------
    source : ArraySource
        The recording as it is stored.
    piece : dict
        Names the ``recording`` and its ``path``; ``max_gap``, where gaps are filled, is the length
        of the longest.
    spec : FeatureSpec
    scaling : Scaling or None
        What is done to the channels.
    """

    def __init__(
        self, source: ArraySource, piece: dict, spec: FeatureSpec, scaling: Scaling | None
    ):
        self._source, self._piece, self._spec, self._scaling = source, piece, spec, scaling
        self._margin = margin_rows(piece.get("max_gap"))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``, the same numbers whatever stretch they are read in.

        Returns
        -------
        ndarray, shape (stop - start, n_channels)
            In the stored type, or float64 where something was done to them.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or a value is not finite and was not filled.
        """
        low = max(0, start - self._margin)
        high = min(self._source.shape[0], stop + self._margin)
        rows = self._source.read(low, high)
        if self._margin:
            rows = filled(rows, self._piece["max_gap"])[start - low : stop - low]
        check_rows(rows, start, self._piece, self._spec.channels)
        return rows if self._scaling is None else self._scaling.apply(rows)


@contextmanager
def open_prepared(
    piece: dict, spec: FeatureSpec, scaling: Scaling | None = None
) -> Iterator[PreparedRecording]:
    """Open the recording of a piece of work: its path, dtype and planned number of rows."""
    with open_array(piece["path"], piece["dtype"], spec.channels) as source:
        require_shape(source.shape, piece, spec.n_channels)
        yield PreparedRecording(source, piece, spec, scaling)
